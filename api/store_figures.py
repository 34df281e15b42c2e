"""Figures of the store: how far its tables have grown, and how long its writers' commits take."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from prometheus_client.metrics_core import Metric

from api.families import counter, gauge, histogram
from api.ledger import Ledger
from cluster.settings import Settings
from cluster.store.commits import SECONDS, CommitCounts
from cluster.store.database import Library, System
from cluster.store.extent import Extent, extents
from cluster.store.storage import begun
from cluster.writer import TOPIC

TABLE = ("database", "table")
NUMBERS: tuple[tuple[str, str, Callable[[Extent], int | None]], ...] = (
    ("rows", "Rows of a table, in all libraries together.", lambda extent: extent.rows),
    ("versions", "Versions of a table that are kept, in all libraries together.", lambda extent: extent.versions),
    ("bytes", "What a table takes of the disk, in all libraries together.", lambda extent: extent.bytes),
)


class StoreFigures:
    """Looks at the files of every table; to be asked now and then, not all the time."""

    def __init__(self, settings: Settings, system: System, library: Callable[[str], Library]) -> None:
        self._settings, self._system, self._library = settings, system, library

    def families(self) -> Iterator[Metric]:
        """Rows, versions and bytes of each table, summed over libraries; blocks."""
        grown = {("system", name): [extent] for name, extent in extents(self._system).items()}
        libraries: dict[tuple[str, str], list[Extent]] = defaultdict(list)
        for user in self._system.users.list():
            if begun(self._settings, user.user_id):
                for name, extent in extents(self._library(user.user_id)).items():
                    libraries["library", name].append(extent)
        for name, sentence, number in NUMBERS:
            sums = summed({**grown, **libraries}, number)
            yield gauge(f"brightroom_store_table_{name}", sentence, TABLE, sums)


class CommitFigures:
    """How long commits took, by what the libraries' writers tell the board."""

    def __init__(self, board: Callable[[str], Mapping[str, Any]]) -> None:
        self._board = board
        self._ledger = Ledger(CommitCounts, lambda counts: counts.commits)

    def families(self) -> Iterator[Metric]:
        """CommitCounts and compactions of all writers together; blocks."""
        for owner, word in self._board(TOPIC).items():
            self._ledger.hear("", owner, msgspec.convert(word, CommitCounts))
        told = self._ledger.sums().get("", CommitCounts())
        yield histogram(
            "brightroom_store_commit_seconds",
            "Time that a commit to a library took until it was on disk, in all its tables.",
            [], SECONDS, [([], told.by_seconds, told.seconds)],
        )  # fmt: skip
        for name, sentence, number in (
            ("commit_failures", "Commits to a library that failed.", told.failures),
            ("compactions", "Tables that were compacted.", told.compactions),
            ("compaction_seconds", "Time that was spent on compacting tables.", told.compaction_seconds),
        ):
            yield counter(f"brightroom_store_{name}", sentence, [], [([], number)])


def summed(
    grown: Mapping[tuple[str, str], Iterable[Extent]], number: Callable[[Extent], int | None]
) -> Iterator[tuple[tuple[str, str], int]]:
    """The sums of a number by database and table; a table that has none is left out."""
    for labels, all_ in sorted(grown.items()):
        known = [value for one in all_ if (value := number(one)) is not None]
        if known:
            yield labels, sum(known)
