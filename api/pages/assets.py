"""What pages load besides photos: one stylesheet, our modules, the words, a world; all from here, kept by browsers.

Addresses have a digest of everything in them, so that what they name never changes; modules import each other by
relative addresses, which keeps it.
"""

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable

from litestar import Response, get
from litestar.params import FromPath

from api.access import PUBLIC
from api.pages.words import WORDS
from cluster.errors import NotFound

FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {
    "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml",
    "json": "application/json", "webmanifest": "application/manifest+json",
}  # fmt: skip


def read(folder: Traversable, ending: str) -> dict[str, bytes]:
    """The files of a folder with an ending, by name."""
    found = sorted((file for file in folder.iterdir() if file.name.endswith(ending)), key=lambda file: file.name)
    return {file.name: file.read_bytes() for file in found}


class Assets:
    """Everything that pages load, in memory."""

    def __init__(self) -> None:
        web = files("api") / "web"
        self.files: dict[str, bytes] = {
            **{f"js/{name}": data for name, data in read(web / "js", ".js").items()},
            **read(web / "pictures", ""),
            "app.css": b"\n".join(read(web / "css", ".css").values()),
            "js/words.js": WORDS.as_module().encode(),
        }
        digest = hashlib.sha256()
        for name, data in sorted(self.files.items()):
            digest.update(f"{name} {len(data)} ".encode() + data)
        self.digest = digest.hexdigest()[:12]

    def address(self, name: str) -> str:
        """Where a file is; raises KeyError for one that is not there."""
        self.files[name]
        return f"/assets/{self.digest}/{name}"


ASSETS = Assets()


@get("/assets/{digest:str}/{name:path}", opt=PUBLIC, sync_to_thread=False, include_in_schema=False)
def asset(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A stylesheet, module or picture of the pages."""
    data = ASSETS.files.get(name.strip("/"))
    if data is None:
        raise NotFound("There is no such file.")
    kept = FOR_EVER if digest == ASSETS.digest else "no-store"  # an older page gets what is here now
    kind = TYPES[name.rpartition(".")[2]]
    return Response(data, media_type=kind, headers={"Cache-Control": kept})
