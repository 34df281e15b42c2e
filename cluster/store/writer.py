"""The one writer of a library: groups writes, keeps their order, tidies up. `cluster/writer.py` makes it an actor.

What it is not: a transaction over several tables. After a crash some tables have a commit and others do not; because
what says that work is done is written last - photos after what hangs on them, files after the photos that were made of
them - the work is then still to do, and doing it again is harmless.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col

from cluster.settings import StoreSettings
from cluster.store.commits import CommitCounts
from cluster.store.database import Library
from cluster.store.table import Table

# What says that work is done comes last; what people said, and what could be put back, first.
ORDER = ("acts", "trash", "people", "facts", "embeddings", "faces", "errors", "events", "photos", "files", "remotes")


@dataclass(frozen=True)
class Upsert:
    """Write full rows, replacing those of the same key."""

    table: str
    rows: pa.Table


@dataclass(frozen=True)
class Update:
    """Change some columns of rows that are there, but for those that have a value by now: (column, value)."""

    table: str
    rows: pa.Table
    sparing: tuple[str, str] | None = None


@dataclass(frozen=True)
class Replace:
    """Write full rows and delete the others whose `column` has one of the values."""

    table: str
    rows: pa.Table
    column: str
    values: Sequence[str]


@dataclass(frozen=True)
class Delete:
    """Delete the rows whose `column` has one of the values."""

    table: str
    column: str
    values: Sequence[str]


Write: TypeAlias = Upsert | Update | Replace | Delete


class Writer:
    """Commits to one library. Give it many writes at once: each run of like writes to a table becomes one commit."""

    def __init__(self, library: Library, settings: StoreSettings, counts: CommitCounts | None = None) -> None:
        """`counts` are counted on, where a former writer of this library left some."""
        self._library = library
        self._settings = settings
        self.counts = counts or CommitCounts()
        self._commits: dict[str, int] = {}  # by table, since it was last optimized

    def commit(self, writes: Iterable[Write]) -> int:
        """Make writes durable, in their order within a table; returns how many commits that took.

        Raises ValueError or KeyError for a table that is none of a library's, before anything is written.
        """
        by_table = sorted(writes, key=lambda write: place(write.table))
        tables = {write.table: self._library.table(write.table) for write in by_table}
        grouped = groupby(by_table, key=lambda write: write.table)
        with self.counts.commit():
            return sum(self._commit_table(tables[name], list(group)) for name, group in grouped)

    def optimize(self) -> None:
        """Compact all tables that were written to, and drop versions that are old enough."""
        for name in list(self._commits):
            self._optimize(self._library.table(name))

    def _commit_table(self, table: Table, writes: Sequence[Write]) -> int:
        runs = coalesced(writes)
        for write in runs:
            apply(table, write)
        # One flush for all of a table's commits, and before the next table's, which may say that this work is done.
        table.database.flush()
        self._commits[table.name] = self._commits.get(table.name, 0) + len(runs)
        if self._commits[table.name] >= self._settings.optimize_every:
            self._optimize(table)
        return len(runs)

    def _optimize(self, table: Table) -> None:
        with self.counts.compaction():
            table.optimize(timedelta(seconds=self._settings.keep_versions_s))
        self._commits[table.name] = 0


def place(table: str) -> tuple[int, str]:
    """Where a table comes in a commit; raises ValueError for one that no writes go to."""
    kind = "embeddings" if table.startswith("embeddings_") else table
    if kind not in ORDER:
        raise ValueError(f"{table} is no table of a library; there are {', '.join(ORDER)}")
    return ORDER.index(kind), table


def apply(table: Table, write: Write) -> None:
    """Commit one write, without flushing it."""
    match write:
        case Upsert(rows=rows):
            table.upsert(rows, durable=False)
        case Update(rows=rows, sparing=sparing):
            table.update(rows, durable=False, sparing=sparing)
        case Replace(rows=rows, column=column, values=values):
            table.replace(rows, column, values, durable=False)
        case Delete(column=column, values=values):
            table.delete(col(column).isin(list(values)), durable=False)


def coalesced(writes: Iterable[Write]) -> list[Write]:
    """Writes to one table with each run of like ones made into one, to the same effect."""
    runs: list[Write] = []
    for write in writes:
        if runs and (both := joined(runs[-1], write)):
            runs[-1] = both
        else:
            runs.append(write)
    return runs


def joined(first: Write, then: Write) -> Write | None:
    """One write with the effect of two, or None when they are too unlike. A later row of a key wins in the table."""
    match first, then:
        case Upsert(), Upsert():
            return Upsert(first.table, pa.concat_tables([first.rows, then.rows.select(first.rows.column_names)]))
        case Update(), Update() if alike(first, then):
            rows = pa.concat_tables([first.rows, then.rows.select(first.rows.column_names)])
            return Update(first.table, rows, first.sparing)
        case Replace(), Replace() if first.column == then.column and not undone(first, then):
            rows = pa.concat_tables([first.rows, then.rows.select(first.rows.column_names)])
            return Replace(first.table, rows, first.column, [*first.values, *then.values])
        case Delete(), Delete() if first.column == then.column:
            return Delete(first.table, first.column, [*first.values, *then.values])
    return None


def alike(first: Update, then: Update) -> bool:
    """Whether two updates change the same columns and spare the same rows."""
    return set(first.rows.column_names) == set(then.rows.column_names) and first.sparing == then.sparing


def undone(first: Replace, then: Replace) -> bool:
    """Whether the second of two replacements deletes rows that the first wrote."""
    gone = pc.is_in(first.rows[first.column], pa.array(list(then.values), pa.string()))
    return bool(pc.any(gone).as_py())
