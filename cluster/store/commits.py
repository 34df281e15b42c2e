"""How long a library's commits take, counted. Counts only grow; whom they are told is not known here."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # upper edges of commits' times


class CommitCounts(msgspec.Struct):
    """How many commits there were and how long they took; one is all that waited, in all its tables, until on disk."""

    commits: int = 0
    failures: int = 0
    seconds: float = 0  # of all commits, compactions among them
    by_seconds: list[int] = msgspec.field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    compactions: int = 0  # of tables
    compaction_seconds: float = 0

    def plus(self, other: "CommitCounts") -> "CommitCounts":
        """The counts of both."""
        return CommitCounts(
            self.commits + other.commits, self.failures + other.failures, self.seconds + other.seconds,
            [a + b for a, b in zip(self.by_seconds, other.by_seconds, strict=True)],
            self.compactions + other.compactions, self.compaction_seconds + other.compaction_seconds,
        )  # fmt: skip

    @contextmanager
    def commit(self) -> Iterator[None]:
        """One commit, from its begin to its end; one that ends with an error is a failure too."""
        began, failed = time.perf_counter(), True
        try:
            yield
            failed = False
        finally:
            spent_s = time.perf_counter() - began
            self.commits += 1
            self.failures += failed
            self.seconds += spent_s
            self.by_seconds[bisect_left(SECONDS, spent_s)] += 1

    @contextmanager
    def compaction(self) -> Iterator[None]:
        """One table being compacted."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.compactions += 1
            self.compaction_seconds += time.perf_counter() - began
