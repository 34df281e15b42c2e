"""Sources of figures, each read when figures are asked for: side by side, within a time, one question at a time.

A source that is away has no figures, and that is a figure too. What can be asked of which is `figures.py`'s.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
from prometheus_client.metrics_core import Metric
from ray.exceptions import RayError

from api.families import gauge
from cluster.errors import BrightroomError

log = logging.getLogger(__name__)

AWAY = (BrightroomError, RayError, RuntimeError, OSError, ValueError, msgspec.MsgspecError)  # what a source may raise
WITHIN_S = 3.0  # Prometheus itself waits ten seconds
REST = 20  # times as long as it took to read a source whose answers are kept, it is not read again
Read = Callable[[], Awaitable[Iterable[Metric]]]


@dataclass(frozen=True)
class Told:
    """What a source told, and how long it took to; no families when it was away."""

    families: Sequence[Metric] = ()
    up: bool = False
    seconds: float = 0


class Reading:
    """One source of figures. Who asks while it is being read shares the answer."""

    def __init__(self, source: str, read: Read, keep_s: float = 0, within_s: float = WITHIN_S) -> None:
        """An answer is kept for `keep_s`; longer after one that took long, and while the next one does.

        So what takes minutes at a thousand libraries is not read all the time.
        """
        self.source = source
        self._read, self._keep_s, self._within_s = read, keep_s, within_s
        self._kept, self._kept_until = Told(), 0.0
        self._asking: asyncio.Task[Told] | None = None
        self._failing = False

    async def told(self) -> Told:
        """What the source tells."""
        if self._kept.up and time.monotonic() < self._kept_until:
            return self._kept
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        done, _ = await asyncio.wait({self._asking}, timeout=self._within_s)
        return done.pop().result() if done else self._kept

    async def _ask(self) -> Told:
        """Read the source; that it cannot be read is logged once."""
        began = time.monotonic()
        try:
            told = Told(list(await self._read()), True, time.monotonic() - began)
        except AWAY as error:
            log.log(logging.DEBUG if self._failing else logging.WARNING, "no figures of %s: %s", self.source, error)
            told = Told(seconds=time.monotonic() - began)
        finally:
            self._asking = None
        self._failing = not told.up
        if self._keep_s:
            self._kept, self._kept_until = told, time.monotonic() + max(self._keep_s, REST * told.seconds)
        return told


async def read_all(readings: Sequence[Reading]) -> list[Metric]:
    """The figures of all sources, and which of them were there."""
    told = await asyncio.gather(*[reading.told() for reading in readings])
    names = [reading.source for reading in readings]
    return [
        *[family for one in told for family in one.families],
        gauge(
            "brightroom_source_up", "Whether the figures of a source could be read: 1, or 0 and they are absent.",
            ["source"], [([name], one.up) for name, one in zip(names, told, strict=True)],
        ),
        gauge(
            "brightroom_source_read_seconds", "How long the figures of a source took to be read the last time.",
            ["source"], [([name], one.seconds) for name, one in zip(names, told, strict=True)],
        ),
    ]  # fmt: skip


def in_thread(read: Callable[[], Iterable[Metric]]) -> Read:
    """A reading that blocks, made one that does not."""

    async def reading() -> list[Metric]:
        return await asyncio.to_thread(lambda: list(read()))

    return reading
