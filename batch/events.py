"""Events found anew: which photos are one, since when, what it is called. `spans.py` cuts, `titles.py` names.

A photo without a date is in no event, and neither is one whose only date is its file's (`taken_source` "mtime"): that
one says when a file was written, and a thousand files that were restored from a backup in one night are no event.
Photos whose files are missing stay in their events.

An event keeps its id as long as most of its photos stay together, and whatever somebody called it or chose as its
cover. A deleted one keeps its photos, those that join them too, and is not shown; where a photo bridges it to a living
event, both are the living one from then on. One that somebody gave a title or a cover is remembered without its
photos, to be there when they come back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from batch.plan import MOST_NAMES, Plan
from batch.rows import Row
from batch.sink import Commits
from batch.spans import Known, Owners, Spans, owners
from batch.titles import Told, told
from cluster.store.database import Library
from cluster.store.events import FEWEST, SCHEMA, said
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Delete, Update, Upsert, Write

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
US = timedelta(microseconds=1)
ACTION = "generate-events"


@dataclass
class Changes:
    """What is to be other in a library. Rows are of the table `events`, whole or in part."""

    shown: int = 0  # events, afterwards
    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    quiet: list[Row] = field(default_factory=list)  # of events that are not shown: how many photos, and when
    inherited: list[Row] = field(default_factory=list)  # titles and covers of events that became part of another
    merged: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    moved: pa.Table = field(default_factory=lambda: pa.table({"photo_id": [], "event_id": []}))

    def counts(self) -> dict[str, int]:
        """How many events are new, changed, became part of another, or are no more."""
        return {name: len(getattr(self, name)) for name in ("new", "changed", "merged", "gone")}

    def writes(self) -> list[Write]:
        """The writes that make it so. What somebody said moves to the heir before the event it was said of goes."""
        told: list[Write] = [
            Update("events", changes_of(rows, SCHEMA)) for rows in (self.changed, self.quiet, self.inherited) if rows
        ]
        new: list[Write] = [Upsert("events", rows_of(self.new, SCHEMA))] if self.new else []
        out = [*self.merged, *self.gone]
        deleted: list[Write] = [Delete("events", "event_id", out)] if out else []
        return [*new, *told, *deleted, *([Update("photos", self.moved)] if len(self.moved) else [])]


def generate(
    library: Library, writer: Commits, now: datetime, photo_ids: Sequence[str] | None = None
) -> dict[str, int]:
    """Bring the events of a library up to date; returns how many there are, and how many became what.

    `photo_ids`: the photos that came or changed, with whose faces changed hands. Given them, only events near them
    are titled anew, to the same end as all of them; None does all. Photos that came, went or were dated anew are found
    without being named. Doing it twice changes nothing, and neither does doing it again after a kill.
    """
    changes = Generation(library, photo_ids, now).changes()
    if writes := changes.writes():
        writer.commit(writes)
    return {"events": changes.shown, **changes.counts(), "photos": len(changes.moved)}


def foresee(library: Library) -> Plan:
    """What `generate` would do to all events now; the names are the titles of those that would be new or other."""
    changes = Generation(library, None, EPOCH).changes()
    titles = [row["title"] for row in [*changes.new, *changes.changed]]
    return Plan(action=ACTION, counts=changes.counts(), names=titles[:MOST_NAMES])


class Generation:
    """A library's events as they are and as they should be."""

    def __init__(self, library: Library, photo_ids: Sequence[str] | None, now: datetime) -> None:
        self.library, self.photo_ids, self.now = library, photo_ids, now
        self.events: dict[str, Row] = {row["event_id"]: row for row in library.events.rows().to_pylist()}
        dated, self.undated = photos_of(library)
        self.spans = Spans(dated)
        self.owners: Owners = owners(self.spans, {name: known(row) for name, row in self.events.items()})
        self.names = np.array(self.owners.of_span, dtype=object)

    def changes(self) -> Changes:
        """Everything that is to be other."""
        moved = self.moved()
        changes = Changes(moved=pa.concat_tables([moved, self.left()]))
        living = [at for at, name in enumerate(self.owners.of_span) if name and not self.deleted(name)]
        changes.shown = int(np.sum(self.spans.sizes[living] >= FEWEST)) if living else 0
        looked_at = self.looked_at(living, moved["photo_id"])
        for span, found in told(self.library, self.parts(looked_at)).items():
            self.tell(changes, span, found)
        changes.quiet = list(self.quiet())
        changes.inherited = list(self.inherited())
        changes.merged = [name for name in self.owners.heirs if name in self.events]
        changes.merged += [name for name in self.unburied() if name not in changes.merged]
        changes.gone = sorted(self.events.keys() - set(self.names) - set(changes.merged) - set(self.remembered()))
        return changes

    def moved(self) -> pa.Table:
        """The dated photos that come into another event, or into none."""
        photos = self.spans.photos
        whose = pa.array(self.names[self.spans.of_photo], pa.string())
        table = pa.table({"photo_id": photos["photo_id"], "event_id": whose})
        return table.filter(pc.not_equal(whose, photos["event_id"].combine_chunks()))

    def left(self) -> pa.Table:
        """The photos without a date that leave their event; they stay in a deleted one."""
        deleted = pa.array([name for name in self.events if self.deleted(name)], pa.string())
        inside = pc.and_(
            pc.not_equal(self.undated["event_id"], ""), pc.invert(pc.is_in(self.undated["event_id"], deleted))
        )
        photo_ids = self.undated["photo_id"].filter(inside)
        return pa.table({"photo_id": photo_ids, "event_id": pa.array([""] * len(photo_ids), pa.string())})

    def deleted(self, event_id: str) -> bool:
        """Whether somebody deleted an event."""
        return event_id in self.events and bool(self.events[event_id]["deleted"])

    def looked_at(self, living: Sequence[int], moved: pa.ChunkedArray) -> np.ndarray:
        """The spans of living events that may have to be told anew."""
        if self.photo_ids is None:
            return np.array(living, np.int64)
        named = pa.concat_arrays([pa.array(self.photo_ids, pa.string()), *moved.chunks])
        touched = pc.is_in(self.spans.photos["photo_id"], named).to_numpy()
        near = set(self.spans.of_photo[touched].tolist())
        return np.array([at for at in living if at in near or self.measures(at) != self.known(at)], np.int64)

    def parts(self, spans: np.ndarray) -> pa.Table:
        """The photos of some spans, in order."""
        inside = pa.array(np.isin(self.spans.of_photo, spans))
        photos = self.spans.photos.select(["photo_id", "taken_us"])
        return photos.append_column("span", pa.array(self.spans.of_photo)).filter(inside)

    def measures(self, span: int) -> dict[str, Any]:
        """How many photos a span has, from when to when."""
        first, last = int(self.spans.firsts[span]), int(self.spans.lasts[span])
        size = int(self.spans.sizes[span])
        return {"first_at": EPOCH + first * US, "last_at": EPOCH + last * US, "photos": size}

    def known(self, span: int) -> dict[str, Any]:
        """What the event of a span says of the same."""
        row = self.events.get(self.owners.of_span[span], {})
        return {name: row.get(name) for name in ("first_at", "last_at", "photos")}

    def tell(self, changes: Changes, span: int, found: Told) -> None:
        """Note an event that is new or other than it was."""
        facts = {**vars(found), **self.measures(span)}
        row = {"event_id": self.owners.of_span[span], **facts, "changed_at": self.now}
        before = self.events.get(row["event_id"])
        if before is None:
            changes.new.append(row)
        elif any(before[name] != value for name, value in facts.items()):
            changes.changed.append(row)

    def quiet(self) -> Iterator[Row]:
        """How many photos events have that are not shown, where that changed, and when the most of them were taken."""
        for name in self.remembered():
            spans = np.flatnonzero(self.names == name)
            row, facts = self.events[name], {key: self.events[name][key] for key in ("first_at", "last_at")}
            if len(spans):
                facts = self.measures(int(spans[np.argmax(self.spans.sizes[spans])]))
            facts["photos"] = int(self.spans.sizes[spans].sum())
            if any(row[key] != value for key, value in facts.items()):
                yield {"event_id": name, **facts, "changed_at": self.now}

    def remembered(self) -> list[str]:
        """The events that are kept though they are not shown: deleted ones, and those that wait for their photos."""
        out, there = {*self.owners.heirs, *self.unburied()}, set(self.names)
        return [
            name
            for name, row in self.events.items()
            if name not in out and (row["deleted"] or (said(row) and name not in there))
        ]

    def unburied(self) -> list[str]:
        """The deleted events whose photos are all part of living ones now."""
        had = set(pc.unique(self.spans.photos["event_id"]).to_pylist())
        kept = set(self.names) | set(pc.unique(self.undated["event_id"]).to_pylist())
        return [name for name in self.events if self.deleted(name) and name in had - kept]

    def inherited(self) -> Iterator[Row]:
        """What somebody said of events that became part of another, where nobody said that of the other one."""
        for heir in dict.fromkeys(self.owners.heirs.values()):
            if heir not in self.events:  # nothing is known of the others either: those that are known come first
                continue
            line = [self.events[name] for name in (heir, *self.parents(heir)) if name in self.events]
            facts = {key: next((row[key] for row in line if row[key]), "") for key in ("own_title", "cover_photo_id")}
            if any(line[0][key] != value for key, value in facts.items()):
                yield {"event_id": heir, **facts}

    def parents(self, heir: str) -> list[str]:
        """The events that became part of one, oldest first."""
        return [name for name, other in self.owners.heirs.items() if other == heir]


def photos_of(library: Library) -> tuple[pa.Table, pa.Table]:
    """What tells which photos are together, of those with a date and of those without: two tables."""
    rows = library.photos.rows(None, ["photo_id", "taken_at", "taken_source", "event_id"])
    taken_us = pc.cast(rows["taken_at"], pa.int64())
    dated = pc.and_(pc.is_valid(taken_us), pc.not_equal(rows["taken_source"], "mtime"))
    table = rows.select(["photo_id", "event_id"]).append_column("taken_us", taken_us)
    return table.filter(dated), table.filter(pc.invert(dated))


def known(row: Mapping[str, Any]) -> Known:
    """A row of events as `spans.py` needs it."""
    first_us, last_us = ((row[name] - EPOCH) // US for name in ("first_at", "last_at"))
    return Known(row["deleted"], said(row), first_us, last_us)
