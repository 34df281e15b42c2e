"""Photos over HTTP: pages of one's own library, newest first, and one photo. Their bytes are `pictures.py`'s."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

import msgspec
from lancedb.expr import col, lit
from litestar import get
from litestar.params import FromPath, QueryParameter

from api.access import USER
from api.deps import Given, Owned
from api.paging import Cursor, Limit
from api.person_view import known_as
from api.photo_view import PhotoDetail, PhotoSummary, detail, summary
from batch.faces import Roster
from cluster.errors import NotFound
from cluster.store.database import Library
from cluster.store.faces import UNKNOWN
from cluster.store.timeline import PhotoFilter, page

Day = Annotated[date | None, QueryParameter(description="a day, like 2024-05-17, in UTC")]
Words = Annotated[str, QueryParameter(max_length=200)]
Kind = Annotated[Literal["", "image", "raw", "video"], QueryParameter(description="only this kind")]


class PhotoPage(msgspec.Struct, frozen=True):
    """Some photos, newest first, and where the next page begins."""

    photos: list[PhotoSummary]
    next_cursor: str | None


@get("/", opt=USER, sync_to_thread=True, summary="Photos, newest first")
def list_photos(
    deps: Given,
    owned: Owned,
    date_from: Day = None,
    date_to: Day = None,
    place: Words = "",
    tag: Words = "",
    kind: Kind = "",
    person: Annotated[str, QueryParameter(max_length=128, description="a person's id: with a face of theirs")] = "",
    missing: Annotated[bool, QueryParameter(description="those whose files are gone, instead of the others")] = False,
    limit: Limit = None,
    cursor: Cursor = "",
) -> PhotoPage:
    """A page of one's own photos from `date_from` to `date_to`, both included, that fit all filters.

    `place` is part of the name of a place, county, state or country; `tag` is a whole tag or keyword; `person` has a
    face there, as somebody said or as is inferred.
    """
    photo_ids = photos_of(owned, person) if person else None
    wanted = PhotoFilter(beginning(date_from), ending(date_to), place, tag, kind, missing, photo_ids=photo_ids)
    found = page(owned.photos, wanted, limit or deps.settings.api.page_size, cursor or None)
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


def photos_of(library: Library, person_id: str) -> frozenset[str]:
    """The photos that a person is on; raises NotFound for one who is not there."""
    person, roster = library.people.person(person_id), Roster(library)
    theirs = col("person_id").isin(sorted(known_as([person.person_id], roster)))
    faces = library.faces.rows(theirs & (col("standing") != lit(UNKNOWN)), ["photo_id"])
    return frozenset(faces["photo_id"].to_pylist())


def beginning(day: date | None) -> datetime | None:
    """The moment a day begins, in UTC."""
    return datetime.combine(day, time(), UTC) if day else None


def ending(day: date | None) -> datetime | None:
    """The moment a day is over, in UTC: the next one begins, if the calendar has one."""
    last = datetime.combine(date.max, time.max, UTC)
    return (beginning(day + timedelta(days=1)) if day < date.max else last) if day else None
