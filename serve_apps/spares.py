"""Things that only one caller at a time may use: lent out, and made when a caller comes while all are in use.

Leaves out a limit: as many are made as there are callers at once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Spares(Generic[Thing]):
    """Things of one kind, kept for the next caller; may be asked from several threads at once."""

    def __init__(self, make: Callable[[], Thing]) -> None:
        self._make = make
        self._idle: SimpleQueue[Thing] = SimpleQueue()

    @contextmanager
    def lent(self) -> Iterator[Thing]:
        """One of them, for this caller alone while the block runs."""
        try:
            thing = next(self.taken())
        except StopIteration:
            thing = self._make()
        try:
            yield thing
        finally:
            self._idle.put(thing)

    def taken(self) -> Iterator[Thing]:
        """Those that nobody uses now, taken out one by one."""
        while True:
            try:
                yield self._idle.get_nowait()
            except Empty:
                return
