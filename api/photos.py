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
from cluster.store.neighbours import page_before
from cluster.store.timeline import page

Missing = Annotated[bool, QueryParameter(description="those whose files are gone, instead of the others")]


class PhotoPage(msgspec.Struct, frozen=True):
    """Some photos, newest first, and where the next page begins."""

    photos: list[PhotoSummary]
    next_cursor: str | None
    previous_cursor: str | None = None  # of the page before, where that was asked for; empty: it is the first


@get("/", opt=USER, sync_to_thread=True, dependencies=FILTERS, summary="Photos, newest first")
def list_photos(
    deps: Given,
    owned: Owned,
    wanted: Wanted,
    missing: Missing = False,
    limit: Limit = None,
    cursor: Cursor = "",
    before: Annotated[bool, QueryParameter(description="say where the page before begins, too")] = False,
) -> PhotoPage:
    """A page of one's own photos from `date_from` to `date_to`, both included, that fit all filters.

    `place` is part of the name of a place, county, state or country; `tag` is a whole tag or keyword; `person` has a
    face there, as somebody said or as is inferred.
    """
    chosen = msgspec.structs.replace(wanted, missing=missing)
    size = limit or deps.settings.api.page_size
    found = page(owned.photos, chosen, size, cursor or None)
    previous = page_before(owned.photos, chosen, size, cursor) if before and cursor else None
    return PhotoPage([summary(row) for row in found.rows], found.next, previous)


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
