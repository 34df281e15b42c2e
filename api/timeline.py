"""The timeline for a page that scrolls through all of it: how long each month is, and photos as tiles, in few bytes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import QueryParameter

from api.access import USER
from api.deps import Owned
from api.paging import Cursor
from api.photo_filter import FILTERS, Wanted
from api.photo_view import thumbnails
from api.photos import Missing
from cluster.store.stretches import MOST, Stretch, stretches, within

AT_ONCE = 2 * MOST  # tiles of an answer
ALT = 160  # letters that stand for a picture
COLUMNS = (
    "photo_id", "content_id", "name", "caption", "width", "height", "taken_at", "taken_offset_min", "kind", "has_raw",
    "has_live", "missing", "duration_s", "placeholder", "media_rev", "media_error",
)  # fmt: skip

Last = Annotated[str, QueryParameter(max_length=512, description="where to end: the `last` of a stretch")]
Tiled = Annotated[int, QueryParameter(ge=1, le=AT_ONCE, description="photos at most")]


class Months(msgspec.Struct, frozen=True):
    """The timeline, newest first, in months; one that has very many photos is several stretches of some days."""

    photos: int
    stretches: list[Stretch]


class Tiles(msgspec.Struct, frozen=True):
    """Photos in order, each the same place in every list."""

    photo_ids: list[str]
    versions: list[str]  # `v` of its thumbnails; empty: its id; "-": it has no thumbnails
    ratios: list[float]  # of width and height
    taken_at: list[int | None]  # seconds since 1970, UTC
    taken_offset_min: list[int | None]
    marks: list[str]  # v: a video, r: has camera RAW, l: has a Live Photo's video, m: its files are gone
    durations: list[float | None]  # seconds
    placeholders: list[str]
    alts: list[str]  # what stands for the picture: its caption, or its file's name


@get("/months", opt=USER, sync_to_thread=True, dependencies=FILTERS, summary="How many photos each month has")
def list_months(owned: Owned, wanted: Wanted, missing: Missing = False) -> Months:
    """All photos under the filters of `GET /api/photos`, in stretches whose photos `GET /api/photos/tiles` has."""
    found = stretches(owned.photos, msgspec.structs.replace(wanted, missing=missing))
    return Months(sum(one.count for one in found), found)


@get("/tiles", opt=USER, sync_to_thread=True, dependencies=FILTERS, summary="Photos as tiles, in few bytes")
def list_tiles(
    owned: Owned, wanted: Wanted, missing: Missing = False, cursor: Cursor = "", last: Last = "", limit: Tiled = AT_ONCE
) -> Tiles:
    """The photos of some stretches that follow each other: `cursor` is `after` of the first, `last` of the last."""
    chosen = msgspec.structs.replace(wanted, missing=missing)
    rows = within(owned.photos, chosen, cursor, last, limit, COLUMNS).to_pylist()
    columns = zip(*[tile(row) for row in rows], strict=True) if rows else [()] * len(Tiles.__struct_fields__)
    return Tiles(*[list(values) for values in columns])


def tile(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row of photos as the entries of `Tiles`, in their order."""
    ratio = round(row["width"] / row["height"], 3) if row["width"] and row["height"] else 1.5
    return (
        row["photo_id"], version(row), ratio, seconds(row["taken_at"]), row["taken_offset_min"], marks(row),
        row["duration_s"], row["placeholder"], (row["caption"] or row["name"].rpartition("/")[2])[:ALT],
    )  # fmt: skip


def version(row: Mapping[str, Any]) -> str:
    """Which content a photo's thumbnails show."""
    if not thumbnails(row):
        return "-"
    return "" if row["content_id"] == row["photo_id"] else str(row["content_id"])


def seconds(moment: datetime | None) -> int | None:
    """A moment since 1970."""
    return int(moment.timestamp() // 1) if moment else None


def marks(row: Mapping[str, Any]) -> str:
    """What a tile says of its photo beside the picture, a letter each."""
    shown = {"v": row["kind"] == "video", "r": row["has_raw"], "l": row["has_live"], "m": row["missing"]}
    return "".join(letter for letter, there in shown.items() if there)
