"""The photos before and after one in the timeline, under filters: what somebody who goes from photo to photo sees next.

Of each only its id is read in order, so that a large library answers as quickly as it shows a page.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lancedb.expr import Expr, col, lit

from cluster.store.photos import Photos
from cluster.store.timeline import PhotoFilter, beyond, cursor_of, place_of, undated

NARROW = ["photo_id", "taken_at"]


def newer(photos: Photos, wanted: PhotoFilter, row: Mapping[str, Any]) -> str | None:
    """The id of the photo that comes right before one; None for the first."""
    for place in places_before(row):
        if found := photos.rows(wanted.expression() & place, NARROW, 1, "taken_at").to_pylist():
            return str(found[0]["photo_id"])
    return None


def older(photos: Photos, wanted: PhotoFilter, row: Mapping[str, Any]) -> str | None:
    """The id of the photo that comes right after one; None for the last."""
    after = wanted.expression() & beyond(cursor_of(row))
    found = photos.rows(after, NARROW, 1, "taken_at", descending=True).to_pylist()
    return str(found[0]["photo_id"]) if found else None


def page_before(photos: Photos, wanted: PhotoFilter, limit: int, cursor: str) -> str:
    """The cursor of the page of `limit` photos that ends at a cursor's; empty for the first page."""
    row = dict(zip(("taken_at", "photo_id"), place_of(cursor), strict=True))
    found: list[dict[str, Any]] = []
    for place in places_before(row):
        if len(found) < limit:
            where = wanted.expression() & place
            found += photos.rows(where, NARROW, limit - len(found), "taken_at").to_pylist()
    return cursor_of(found[-1]) if len(found) == limit else ""


def places_before(row: Mapping[str, Any]) -> Iterator[Expr]:
    """What comes before a photo in the timeline, the nearer part first: undated photos come after all others."""
    taken_at, later = row["taken_at"], col("photo_id") > lit(row["photo_id"])
    if taken_at is not None:
        yield (col("taken_at") > lit(taken_at)) | ((col("taken_at") == lit(taken_at)) & later)
    else:
        yield undated() & later
        yield ~undated()
