"""The bytes of a photo: derived pictures, which browsers may keep, and the originals, downloaded as they are."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from litestar import Request, Response, get
from litestar.params import FromPath, QueryParameter

from api.access import USER
from api.deps import Given, Me, Owned
from api.originals import attachment, media_type, open_original
from api.photo_view import SIZES
from api.photos import photo_row
from api.ranges import OpenFile, answer_file
from cluster.errors import NotFound
from cluster.settings import Settings
from cluster.store.database import Library

FOR_EVER = "private, max-age=31536000, immutable"
ASK_FIRST = "private, no-cache"
PICTURE_TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}


@get(
    "/{photo_id:str}/thumbnail/{size:str}",
    opt=USER, sync_to_thread=True, summary="A derived picture", media_type="image/webp",
)  # fmt: skip
def thumbnail(
    request: Request[Any, Any, Any],
    photo_id: FromPath[str],
    size: FromPath[Literal["preview", "big", "square", "small"]],
    deps: Given,
    owned: Owned,
    user: Me,
    v: Annotated[str, QueryParameter(max_length=64, description="the content it is of, as in `thumbnails`")] = "",
) -> Response[Any]:
    """A photo's preview (JPEG, 1440 px), or its big, square or small thumbnail (WebP).

    With `v` the answer may be kept for ever, because other content has another address; without, by asking first.
    """
    content_id = photo_row(owned, photo_id)["content_id"]
    file = open_derived(derived_path(deps.settings, user.user_id, content_id, size))
    headers = {
        "Content-Type": PICTURE_TYPES[SIZES[size]],
        "Cache-Control": FOR_EVER if v == content_id else ASK_FIRST,
    }
    return answer_file(request, file, f'"{content_id}-{size}-{file.version}"', headers)


@get(
    "/{photo_id:str}/original",
    opt=USER, sync_to_thread=True, summary="An original, as it is", media_type="application/octet-stream",
)  # fmt: skip
def original(
    request: Request[Any, Any, Any],
    photo_id: FromPath[str],
    owned: Owned,
    user: Me,
    file_id: Annotated[str, QueryParameter(max_length=64, description="one of its variants; else the main file")] = "",
) -> Response[Any]:
    """The bytes of a photo's main file, or of another of its files, whole or by Range."""
    row = file_row(owned, photo_row(owned, photo_id), file_id)
    if not user.scan_directory:
        raise NotFound("You have no scan directory any more, so there are no originals. An administrator can set one.")
    file = open_original(Path(user.scan_directory), row["path"])
    name = row["name"].rpartition("/")[2]
    headers = {
        "Content-Type": media_type(name),
        "Content-Disposition": attachment(name),
        "Cache-Control": ASK_FIRST,
    }
    return answer_file(request, file, f'"{file.version}"', headers)


def file_row(library: Library, photo: dict[str, Any], file_id: str) -> dict[str, Any]:
    """One of a photo's files, the main file for an empty id; raises NotFound for a file of another photo."""
    row = library.files.get(file_id or photo["main_file_id"])
    if row is None or row["photo_id"] != photo["photo_id"]:
        raise NotFound("This photo has no such file.")
    return row


def derived_path(settings: Settings, user_id: str, content_id: str, size: str) -> Path:
    """Where a derived picture of some content is kept."""
    return settings.derived / user_id / content_id[:2] / f"{content_id}.{size}.{SIZES[size]}"


def open_derived(path: Path) -> OpenFile:
    """A derived picture to be read; raises NotFound while there is none."""
    try:
        return OpenFile(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW))
    except OSError:
        raise NotFound(
            "This photo has no such picture yet. A scan with the thumbnail service running makes it."
        ) from None
