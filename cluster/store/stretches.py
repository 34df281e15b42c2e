"""The timeline in stretches: where each month of it begins and how long it is, and the photos of one in few columns.

A stretch is a month, or some days of one that has very many photos. The order is timeline.py's, which has pages.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import Expr
from numpy.typing import NDArray

from cluster.store.photos import Photos
from cluster.store.timeline import PhotoFilter, beyond, cursor_of

MOST = 1000  # photos of a stretch
DAY = 86_400_000_000  # in microseconds
MINUTE = 60_000_000
NEVER = -100_000_000  # the day of photos without a time: before all others
ORDER = [("taken_at", "descending"), ("photo_id", "descending")]

Whole: TypeAlias = NDArray[np.int64]


class Stretch(msgspec.Struct, frozen=True):
    """Photos that follow each other in the timeline."""

    month: str  # like 2024-05, by the clocks of the places they were taken at; empty for those without a time
    count: int
    after: str  # the cursor of the photo before the first; empty where there is none
    last: str  # the cursor of the last one
    continued: bool  # the first was taken on the same day as the photo before it


def stretches(photos: Photos, wanted: PhotoFilter) -> list[Stretch]:
    """All photos that a filter lets through, newest first, undated last.

    Months never come twice: a photo that another clock puts into the month after stays with its neighbours.
    """
    rows = ordered(photos.narrow(wanted.expression(), ["photo_id", "taken_at", "taken_offset_min"]))
    if not len(rows):
        return []
    days = days_of(rows)
    months = np.minimum.accumulate(months_of(days))
    starts = list(beginnings(days, months))
    ends = [*starts[1:], len(rows)]
    return [stretch(rows, days, written(months[start]), start, end) for start, end in zip(starts, ends, strict=True)]


def within(photos: Photos, wanted: PhotoFilter, after: str, last: str, limit: int, columns: Sequence[str]) -> pa.Table:
    """Photos beyond one cursor and not beyond another, in order; raises Invalid for cursors that are none of ours."""
    named = list(dict.fromkeys([*columns, "photo_id", "taken_at"]))
    rows = photos.narrow(between(wanted.expression(), after, last), named)
    return ordered(rows).slice(0, limit).select(list(columns))


def between(where: Expr, after: str, last: str) -> Expr:
    """A filter for what also lies between two cursors, each of which may be empty."""
    where = where & beyond(after) if after else where
    return where & ~beyond(last) if last else where


def ordered(rows: pa.Table) -> pa.Table:
    """Rows as the timeline has them."""
    return rows.take(pc.sort_indices(rows, sort_keys=ORDER))  # what is null comes last


def days_of(rows: pa.Table) -> Whole:
    """The day each photo was taken on, there, counted from 1970."""
    micros = pc.fill_null(pc.cast(rows["taken_at"], pa.int64()), NEVER * DAY).to_numpy()
    minutes = pc.fill_null(pc.cast(rows["taken_offset_min"], pa.int64()), 0).to_numpy()
    return np.where(micros == NEVER * DAY, NEVER, (micros + minutes * MINUTE) // DAY)


def months_of(days: Whole) -> Whole:
    """The month of each day, counted from 1970."""
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.where(days == NEVER, NEVER, months)


def beginnings(days: Whole, months: Whole) -> Iterator[int]:
    """Where stretches begin: with each month, and in a month of very many photos with a day, if there is one."""
    firsts = [0, *(np.flatnonzero(np.diff(months)) + 1).tolist()]
    changes = np.concatenate([[0], np.flatnonzero(np.diff(days)) + 1])
    for start, end in zip(firsts, [*firsts[1:], len(days)], strict=True):
        yield start
        while end - start > MOST:
            nearest = int(changes[np.searchsorted(changes, start + MOST, side="right") - 1])
            start = nearest if nearest > start else start + MOST
            yield start


def written(month: np.int64) -> str:
    """A month like 2024-05, empty for none."""
    return "" if month == NEVER else str(np.datetime64(int(month), "M"))


def stretch(rows: pa.Table, days: Whole, month: str, start: int, end: int) -> Stretch:
    """The stretch of the rows from `start` to before `end`."""
    continued = start > 0 and bool(days[start] == days[start - 1])
    after = cursor_of(place(rows, start - 1)) if start else ""
    return Stretch(month, end - start, after, cursor_of(place(rows, end - 1)), continued)


def place(rows: pa.Table, index: int) -> dict[str, Any]:
    """What a cursor is made of, of one row."""
    return {name: rows[name][index].as_py() for name in ("taken_at", "photo_id")}
