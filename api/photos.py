"""Photos over HTTP: pages of one's own library, newest first, and one photo. Their bytes are `pictures.py`'s."""

from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter

from api.access import USER
from api.deps import Given, Owned
from api.paging import Cursor, Limit
from api.photo_filter import FILTERS, Wanted
from api.photo_view import PhotoDetail, PhotoSummary, detail, summary
from cluster.errors import NotFound
from cluster.store.database import Library
from cluster.store.timeline import page

Missing = Annotated[bool, QueryParameter(description="those whose files are gone, instead of the others")]


class PhotoPage(msgspec.Struct, frozen=True):
    """Some photos, newest first, and where the next page begins."""

    photos: list[PhotoSummary]
    next_cursor: str | None


@get("/", opt=USER, sync_to_thread=True, dependencies=FILTERS, summary="Photos, newest first")
def list_photos(
    deps: Given, owned: Owned, wanted: Wanted, missing: Missing = False, limit: Limit = None, cursor: Cursor = ""
) -> PhotoPage:
    """A page of one's own photos from `date_from` to `date_to`, both included, that fit all filters.

    `place` is part of the name of a place, county, state or country; `tag` is a whole tag or keyword; `person` has a
    face there, as somebody said or as is inferred.
    """
    chosen = msgspec.structs.replace(wanted, missing=missing)
    found = page(owned.photos, chosen, limit or deps.settings.api.page_size, cursor or None)
    return PhotoPage([summary(row) for row in found.rows], found.next)


@get("/{photo_id:str}", opt=USER, sync_to_thread=True, summary="One photo")
def show_photo(photo_id: FromPath[str], owned: Owned) -> PhotoDetail:
    """A photo with its files, faces, place, tags, caption and what the camera noted."""
    return detail(owned, photo_row(owned, photo_id))


def photo_row(library: Library, photo_id: str) -> dict[str, Any]:
    """A photo of this library; raises NotFound, the same for another owner's as for one that never was."""
    row = library.photos.get(photo_id)
    if row is None:
        raise NotFound("There is no such photo.")
    return row
