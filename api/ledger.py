"""Sums of counts that others keep and may lose: whoever counts can begin anew, the board can forget, a sum never falls.

It lives as long as this process does; after that Prometheus sees a counter begin anew, which it understands.
"""

from collections.abc import Callable
from typing import Generic, Protocol, Self, TypeVar


class Summable(Protocol):
    """Counts that can be added."""

    def plus(self, other: Self) -> Self:
        """The counts of both."""
        ...


T = TypeVar("T", bound=Summable)
MOST = 5000  # who count; of more, those longest unheard of are kept as a sum


class Ledger(Generic[T]):
    """The sums of some groups of counters, by what each was last heard to have counted."""

    def __init__(self, nothing: Callable[[], T], size: Callable[[T], float], most: int = MOST) -> None:
        """`size` of counts grows with every event: where it is smaller than before, somebody began anew."""
        self._nothing, self._size, self._most = nothing, size, most
        self._last: dict[str, tuple[str, T]] = {}  # by who counts
        self._gone: dict[str, T] = {}  # by group

    def hear(self, group: str, who: str, counts: T) -> None:
        """Take note of what a counter of a group says."""
        _, before = self._last.pop(who, (group, None))
        if before is not None and self._size(counts) < self._size(before):
            self._keep(group, before)
        self._last[who] = group, counts
        if len(self._last) > self._most:
            self._keep(*self._last.pop(next(iter(self._last))))

    def sums(self) -> dict[str, T]:
        """What was counted in each group, by its name."""
        sums = dict(self._gone)
        for group, counts in self._last.values():
            sums[group] = sums.get(group, self._nothing()).plus(counts)
        return dict(sorted(sums.items()))

    def _keep(self, group: str, counts: T) -> None:
        self._gone[group] = self._gone.get(group, self._nothing()).plus(counts)
