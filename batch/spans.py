"""Spans: photos in the order they were taken, cut where nobody took one for 36 hours; and which event each span is.

Pure: asks no table, writes none. Whose an event stays is decided from which photos are in which event now, never from
what an earlier, interrupted run may have written of events: so a run that is repeated comes to the same end.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cluster.store.events import FEWEST

GAP_US = 36 * 3_600_000_000  # microseconds; so long without a photo, and what follows is another event


@dataclass(frozen=True)
class Known:
    """What is known of an event that is there already."""

    deleted: bool
    said: bool  # somebody gave it a title or a cover
    first_us: int  # microseconds since 1970
    last_us: int


@dataclass(frozen=True)
class Held:
    """The photos of one event in one span."""

    event_id: str
    span: int
    photos: int
    first_us: int


@dataclass(frozen=True)
class Owners:
    """Which event each span is, "" for none, and which events became part of another: id -> id."""

    of_span: list[str]
    heirs: dict[str, str]


class Spans:
    """Dated photos in order, each with the number of its span."""

    def __init__(self, rows: pa.Table) -> None:
        """`rows`: photo_id, taken_us (int64) and event_id of photos that have a date, in any order."""
        order = [("taken_us", "ascending"), ("photo_id", "ascending")]
        self.photos = rows.take(pc.sort_indices(rows, order)).combine_chunks()
        taken = self.photos["taken_us"].to_numpy()
        cuts = np.flatnonzero(np.diff(taken) >= GAP_US) + 1
        self.starts = np.concatenate([[0], cuts]).astype(np.int64) if len(taken) else np.zeros(0, np.int64)
        self.ends = np.append(self.starts[1:], len(taken)).astype(np.int64)[: len(self.starts)]
        self.sizes = self.ends - self.starts
        self.firsts, self.lasts = taken[self.starts], taken[self.ends - 1] if len(taken) else taken
        self.of_photo = np.repeat(np.arange(len(self.starts)), self.sizes)

    def __len__(self) -> int:
        return len(self.starts)

    def held(self) -> list[Held]:
        """Which events have photos in which spans."""
        table = self.photos.select(["event_id", "taken_us"]).append_column("span", pa.array(self.of_photo))
        table = table.filter(pc.not_equal(table["event_id"], ""))
        found = table.group_by(["event_id", "span"]).aggregate([("taken_us", "min"), ("taken_us", "count")])
        return [
            Held(row["event_id"], row["span"], row["taken_us_count"], row["taken_us_min"]) for row in found.to_pylist()
        ]

    def within(self, first_us: int, last_us: int) -> range:
        """The spans that have a moment in common with a time."""
        return range(*np.searchsorted(self.lasts, [first_us]), *np.searchsorted(self.firsts, [last_us], "right"))

    def names(self, span: int) -> Iterator[str]:
        """The ids of a span's photos, in order."""
        return (self.photos["photo_id"][at].as_py() for at in range(self.starts[span], self.ends[span]))


def owners(spans: Spans, events: Mapping[str, Known]) -> Owners:
    """Which event each span is.

    A living event goes with most of its photos. Of several that meet in a span the one whose photos are oldest keeps
    it. A span with photos of a deleted event and of no living one belongs to the deleted one, however many such spans
    there are. A span whose photos are of no event belongs to one that has lost all its photos in that time. What is
    then left becomes a new event if it has photos enough.
    """
    held = spans.held()
    living = [one for one in held if not is_deleted(one.event_id, events)]
    of_span, heirs = inherited(living, spans, events)
    of_span |= buried(held, {one.span for one in living})
    free = {one.span for one in held}
    waiting = waits(events, {one.event_id for one in held})
    of_span |= reclaimed(waiting, spans, free, events)
    taken = {one.event_id for one in held} | set(waiting)
    for span in np.flatnonzero(spans.sizes >= FEWEST).tolist():
        if span not in of_span:
            of_span[span] = new_id(spans, span, taken)
    return Owners([of_span.get(span, "") for span in range(len(spans))], heirs)


def is_deleted(event_id: str, events: Mapping[str, Known]) -> bool:
    """Whether somebody deleted an event."""
    return event_id in events and events[event_id].deleted


def inherited(living: list[Held], spans: Spans, events: Mapping[str, Known]) -> tuple[dict[int, str], dict[str, str]]:
    """The spans that living events keep, and who takes over whom where several meet.

    One photo is no event; but it keeps its place in one that somebody gave a title or a cover.
    """
    rank = ages(living, events)
    kept: dict[int, str] = {}
    heirs: dict[str, str] = {}
    for span, claimants in homes(living, spans.sizes).items():
        heir, *others = sorted(claimants, key=rank.__getitem__)
        if spans.sizes[span] >= FEWEST or (heir in events and events[heir].said):
            kept[span] = heir
            heirs |= dict.fromkeys(others, heir)
    return kept, heirs


def ages(living: Iterable[Held], events: Mapping[str, Known]) -> dict[str, tuple[bool, int, str]]:
    """What sorts events: those of which something is known first, then those with the oldest photos."""
    oldest: dict[str, int] = {}
    for one in living:
        oldest[one.event_id] = min(one.first_us, oldest.get(one.event_id, one.first_us))
    return {event_id: (event_id not in events, first, event_id) for event_id, first in oldest.items()}


def homes(living: Iterable[Held], sizes: np.ndarray) -> dict[int, list[str]]:
    """The events that go on in each span: each where most of its photos are, of equal parts in the oldest."""
    best: dict[str, Held] = {}
    for one in living:
        known = best.get(one.event_id)
        if known is None or weight(one, sizes) > weight(known, sizes):
            best[one.event_id] = one
    found: defaultdict[int, list[str]] = defaultdict(list)
    for one in best.values():
        found[one.span].append(one.event_id)
    return found


def weight(one: Held, sizes: np.ndarray) -> tuple[bool, int, int]:
    """How much speaks for an event's going on in a span."""
    return bool(sizes[one.span] >= FEWEST), one.photos, -one.span


def buried(held: Iterable[Held], lived: set[int]) -> dict[int, str]:
    """The spans with photos of deleted events and of no living one: of several the one with most photos in it."""
    best: dict[int, Held] = {}
    for one in held:
        known = best.get(one.span)
        if one.span not in lived and (known is None or more(one) > more(known)):
            best[one.span] = one
    return {span: one.event_id for span, one in best.items()}


def more(one: Held) -> tuple[int, int, str]:
    """What sorts the deleted events of a span."""
    return one.photos, -one.first_us, one.event_id


def waits(events: Mapping[str, Known], held: set[str]) -> list[str]:
    """Events without photos that are remembered all the same, living ones first."""
    remembered = [name for name, one in events.items() if name not in held and (one.deleted or one.said)]
    return sorted(remembered, key=lambda name: (events[name].deleted, events[name].first_us, name))


def reclaimed(waiting: Iterable[str], spans: Spans, held: set[int], events: Mapping[str, Known]) -> dict[int, str]:
    """The spans that are nobody's in the time of events that wait: all of a deleted one's, the first of another's."""
    found: dict[int, str] = {}
    for name in waiting:
        one = events[name]
        free = [at for at in spans.within(one.first_us, one.last_us) if at not in held and at not in found]
        if not one.deleted:
            free = [at for at in free if spans.sizes[at] >= FEWEST][:1]
        found |= dict.fromkeys(free, name)
    return found


def new_id(spans: Spans, span: int, taken: set[str]) -> str:
    """The id of a new event: the same whenever it is asked for, and no other event's."""
    for round_ in count():
        for name in spans.names(span):
            made = hashlib.sha256(f"event\0{round_}\0{name}".encode()).hexdigest()[:32]
            if made not in taken:
                return made
    raise AssertionError("there is always another id")
