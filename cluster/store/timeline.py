"""Photos in the order they were taken, newest first: pages of them, under filters, and an overview's sums."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import Expr, col, func, lit

from cluster.errors import Invalid
from cluster.store import events
from cluster.store.census import census_of
from cluster.store.database import Library
from cluster.store.photos import Photos, tagged

PLACES = ("place", "county", "state", "country")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PhotoFilter(msgspec.Struct, frozen=True):
    """Which photos to show; what is left out does not matter."""

    taken_from: datetime | None = None  # from this moment
    taken_to: datetime | None = None  # before this moment
    place: str = ""  # part of the name of a place, county, state or country, in any case
    tags: tuple[str, ...] = ()  # tags or keywords, in any case: all of them
    kind: str = ""  # image, raw, video, live
    missing: bool | None = False  # None: both
    camera: str = ""  # camera model
    event: str = ""  # the id of an event
    photo_ids: frozenset[str] | None = None  # only these; None: any

    def expression(self) -> Expr:
        """The filter as an expression over photos."""
        where = lit(True)
        for condition in self._conditions():
            where = where & condition
        return where

    def _conditions(self) -> Iterator[Expr]:
        if self.taken_from:
            yield col("taken_at") >= lit(self.taken_from)
        if self.taken_to:
            yield col("taken_at") < lit(self.taken_to)
        if self.place:
            yield somewhere(self.place)
        for tag in self.tags:
            yield tagged(tag)
        if self.kind:
            yield of_kind(self.kind)
        if self.camera:
            yield col("camera_model") == lit(self.camera)
        if self.event:
            yield col("event_id") == lit(self.event)
        if self.photo_ids is not None:
            yield col("photo_id").isin(sorted(self.photo_ids)) if self.photo_ids else lit(False)
        if self.missing is not None:
            yield col("missing") == lit(self.missing)


class Page(msgspec.Struct, frozen=True):
    """Some photos in order, and where the next ones begin."""

    rows: list[dict[str, Any]]
    next: str | None  # the cursor of the next page; None: there are no more


class Overview(msgspec.Struct, frozen=True):
    """The sums an overview of a library shows."""

    photos: int  # videos among them, missing ones not
    videos: int
    missing: int
    days: int  # with photos, in the photos' own time
    days_spanned: int  # from the first day to the last, both counted
    first_day: date | None
    last_day: date | None
    people: int  # with a name and a face
    faces: int  # labeled, inferred and unknown ones together
    faces_labeled: int
    faces_inferred: int
    faces_unknown: int
    events: int  # that are shown
    storage_bytes: int  # of all files that are there
    pending: dict[str, int]  # photos each stage has yet to see


def of_kind(kind: str) -> Expr:
    """Lets photos through whose main file is of a kind; or that have camera RAW, or the video of a Live Photo."""
    beside = {"raw": col("has_raw"), "live": col("has_live")}
    return (col("kind") == lit(kind)) | beside[kind] if kind in beside else col("kind") == lit(kind)


def somewhere(place: str) -> Expr:
    """Lets photos through whose place, county, state or country has the text in it."""
    where = lit(False)
    for name in PLACES:
        where = where | col(name).lower().contains(lit(place).lower())
    return where


def undated() -> Expr:
    """Lets photos through that have no time. Expressions have no IS NULL, but joining text takes null for nothing."""
    return func("concat", col("taken_at").cast("string"), lit("")) == lit("")


def cursor_of(row: Mapping[str, Any]) -> str:
    """A photo's place in the timeline, as text for a URL."""
    taken_at = row["taken_at"]
    micros = "" if taken_at is None else str((taken_at - EPOCH) // timedelta(microseconds=1))
    return base64.urlsafe_b64encode(f"{micros},{row['photo_id']}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[datetime | None, str]:
    """The time and id a cursor names; raises Invalid when it is none of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        micros, photo_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(",", 1)
        return (EPOCH + timedelta(microseconds=int(micros)) if micros else None), photo_id
    except (binascii.Error, ValueError, OverflowError):
        raise Invalid("The cursor is not one of ours; start again from the first page.") from None


def beyond(cursor: str) -> Expr:
    """Lets photos through that come after a cursor's, newest first, undated last."""
    taken_at, photo_id = place_of(cursor)
    if taken_at is None:
        return undated() & (col("photo_id") < lit(photo_id))
    same = (col("taken_at") == lit(taken_at)) & (col("photo_id") < lit(photo_id))
    return (col("taken_at") < lit(taken_at)) | same | undated()


def page(
    photos: Photos, wanted: PhotoFilter, limit: int, cursor: str | None = None, columns: Sequence[str] | None = None
) -> Page:
    """A page of at least one photo, newest first; raises Invalid for a cursor that is none of ours."""
    where = wanted.expression() & beyond(cursor) if cursor else wanted.expression()
    place = photos.rows(where, ["photo_id", "taken_at"], limit + 1, "taken_at", descending=True).to_pylist()
    rows = photos.by_keys([row["photo_id"] for row in place[:limit]], columns).to_pylist()
    return Page(rows, cursor_of(place[limit - 1]) if len(place) > limit else None)


def overview(library: Library, revisions: Mapping[str, str]) -> Overview:
    """The sums of a library, each counted now; `revisions` are those that stages are at."""
    photos = library.photos
    present = ~col("missing")
    days, census = days_of(photos), census_of(library)
    return Overview(
        photos=photos.count(present),
        videos=photos.count(present & (col("kind") == lit("video"))),
        missing=photos.count(col("missing")),
        days=len(days),
        days_spanned=(max(days) - min(days)).days + 1 if days else 0,
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        people=census.people,
        faces=census.faces,
        faces_labeled=census.labeled,
        faces_inferred=census.inferred,
        faces_unknown=census.unknown,
        events=library.events.count(events.shown()),
        storage_bytes=library.files.bytes_stored(),
        pending=photos.pending_counts(revisions),
    )


def days_of(photos: Photos) -> set[date]:
    """The days on which photos were taken that are not missing, by the clocks of the places they were taken at."""
    rows = photos.narrow(None, ["missing", "taken_at", "taken_offset_min"])
    rows = rows.filter(pc.invert(rows["missing"]))
    minutes = pc.cast(pc.fill_null(rows["taken_offset_min"], 0), pa.int64())
    local = pc.add(pc.cast(rows["taken_at"], pa.int64()), pc.multiply(minutes, 60_000_000))
    on = pc.cast(pc.floor_temporal(pc.cast(local, pa.timestamp("us")), unit="day"), pa.date32())
    return {day for day in pc.unique(on).to_pylist() if day}
