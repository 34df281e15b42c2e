"""The bytes of a photo: derived pictures, which browsers may keep, and the originals, downloaded as they are.

A derived picture that is gone is made again (remaking.py).
"""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, SkipValidation

from api.access import USER
from api.deps import Clouds, Deps, Given, Me, Owned
from api.limits import AskingLimit
from api.originals import attachment, media_type, open_original
from api.photo_view import SIZES, thumbnails
from api.photos import photo_row
from api.ranges import OpenFile, answer_file
from api.remaking import Remade
from api.streamed import Remote
from batch.mirror import mirror_of
from cluster.errors import NotFound
from cluster.store.database import Library
from cluster.store.files import NEXTCLOUD
from cluster.store.users import User
from serve_apps.media.addresses import derived_path

FOR_EVER = "private, max-age=31536000, immutable"
ASK_FIRST = "private, no-cache"
PICTURE_TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}
Asking = NamedDependency[SkipValidation[AskingLimit]]


@get("/{photo_id:str}/thumbnail/{size:str}", opt=USER, summary="A derived picture", media_type="image/webp")
async def thumbnail(
    request: Request[Any, Any, Any],
    photo_id: FromPath[str],
    size: FromPath[Literal["preview", "big", "square", "small"]],
    deps: Given,
    owned: Owned,
    user: Me,
    remaking: Remade,
    v: Annotated[str, QueryParameter(max_length=64, description="the content it is of, as in `thumbnails`")] = "",
) -> Response[Any]:
    """A photo's preview (JPEG, 1440 px), or its big, square or small thumbnail (WebP).

    With `v` the answer may be kept for ever, because other content has another address; without, by asking first.
    """
    row = await asyncio.to_thread(photo_row, owned, photo_id)
    content_id, viewable = row["content_id"], bool(thumbnails(row))
    path = derived_path(deps.settings.derived / user.user_id, content_id, size)
    file = await asyncio.to_thread(open_derived, path)
    if file is None and viewable:
        await remaking.again(user, content_id)
        file = await asyncio.to_thread(open_derived, path)
    if file is None:
        raise NotFound("This photo has no such picture yet. A scan with the thumbnail service running makes it.")
    headers = {
        "Content-Type": PICTURE_TYPES[SIZES[size]],
        "Cache-Control": FOR_EVER if v == content_id else ASK_FIRST,
    }
    return answer_file(request, file, f'"{content_id}-{size}-{file.version}"', headers)


@get("/{photo_id:str}/original", opt=USER, summary="An original, as it is", media_type="application/octet-stream")
async def original(
    request: Request[Any, Any, Any],
    photo_id: FromPath[str],
    deps: Given,
    owned: Owned,
    user: Me,
    connections: Clouds,
    asking: Asking,
    file_id: Annotated[str, QueryParameter(max_length=64, description="one of its variants; else the main file")] = "",
) -> Response[Any]:
    """The bytes of a photo's main file, or of another of its files, whole or by Range."""
    row = await asyncio.to_thread(lambda: file_row(owned, photo_row(owned, photo_id), file_id))
    name = row["name"].rpartition("/")[2]
    headers = {
        "Content-Type": media_type(name),
        "Content-Disposition": attachment(name),
        "Cache-Control": ASK_FIRST,
    }
    file = await asyncio.to_thread(opened, deps, user, row)
    if file:
        return answer_file(request, file, f'"{file.version}"', headers)
    remote = await asyncio.to_thread(Remote, connections, deps.system, owned, user.user_id, row["path"])
    async with asking.question(f"{user.user_id} originals"):  # browsing need not wait for them
        return await remote.answer(request, headers, asking.threads)


def opened(deps: Deps, user: User, row: dict[str, Any]) -> OpenFile | None:
    """A file of a user's that is here; None for one that was not kept. Raises NotFound."""
    if row["source"] == NEXTCLOUD:
        mirror = mirror_of(deps.settings, user.name)
        return open_original(mirror, row["path"]) if is_there(mirror, row["path"]) else None
    if user.scan_directory:
        return open_original(Path(user.scan_directory), row["path"])
    raise NotFound("You have no scan directory any more, so there are no originals. An administrator can set one.")


def is_there(root: Path, path: bytes) -> bool:
    """Whether something lies at a place in the mirror."""
    return os.path.lexists(os.path.join(os.fsencode(root), path))


def file_row(library: Library, photo: dict[str, Any], file_id: str) -> dict[str, Any]:
    """One of a photo's files, the main file for an empty id; raises NotFound for a file of another photo."""
    row = library.files.get(file_id or photo["main_file_id"])
    if row is None or row["photo_id"] != photo["photo_id"]:
        raise NotFound("This photo has no such file.")
    return row


def open_derived(path: Path) -> OpenFile | None:
    """A derived picture to be read; None while there is none, or only an empty file that a power cut left."""
    try:
        file = OpenFile(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW))
    except OSError:
        return None
    return file if file.size else None
