"""The last hour of CPU, memory and GPUs of every node, in memory, and its newest point for whoever listens.

One task samples for everybody, whether anybody looks or not. It is gone with the process; Prometheus keeps more.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
from ray.exceptions import RayError

from api.feed import HEARTBEAT_S, happened
from cluster.errors import BrightroomError
from cluster.stats import ClusterStats
from cluster.store.clock import Clock, utc_now

log = logging.getLogger(__name__)

EVERY_S = 5.0  # between two points
KEPT = timedelta(hours=1)


class GpuPoint(msgspec.Struct, frozen=True):
    """A GPU at a moment."""

    index: int
    utilization: float | None  # 0..1
    memory_used: int  # bytes
    memory_total: int  # bytes


class NodePoint(msgspec.Struct, frozen=True):
    """A node at a moment."""

    node_id: str
    name: str
    cpu: float  # 0..1
    memory_used: int  # bytes
    memory_total: int  # bytes
    gpus: list[GpuPoint]


class Point(msgspec.Struct, frozen=True):
    """All nodes at a moment. A node that did not answer is not among them: there its lines have a gap."""

    at: datetime
    nodes: list[NodePoint]


class History:
    """Points of the last hour, oldest first."""

    def __init__(self, sample: Callable[[], ClusterStats], clock: Clock = utc_now, every_s: float = EVERY_S) -> None:
        """`sample` blocks."""
        self._sample, self._clock, self._every_s = sample, clock, every_s
        self._points: deque[Point] = deque(maxlen=int(KEPT.total_seconds() / every_s))
        self._news = asyncio.Event()
        self._closed = False
        self.listeners = 0

    def points(self) -> list[Point]:
        """The points that are not older than an hour."""
        return [point for point in self._points if point.at > self._clock() - KEPT]

    def close(self) -> None:
        """End all streams, and every later one at once."""
        self._closed = True
        self._wake()

    async def keep_sampling(self) -> None:
        """Add a point every few seconds, until cancelled; a sample that fails makes an empty one, and one log line."""
        failing = False
        while True:
            began = time.monotonic()
            try:
                self.add(await asyncio.to_thread(self._sample))
                failing = False
            except (BrightroomError, RayError, RuntimeError, OSError, ValueError) as error:
                log.log(logging.DEBUG if failing else logging.WARNING, "the cluster could not be measured: %s", error)
                self.add(None)
                failing = True
            await asyncio.sleep(max(0.0, self._every_s - (time.monotonic() - began)))

    def add(self, stats: ClusterStats | None) -> None:
        """Note how the cluster is now, or that nobody could tell, and tell the listeners."""
        self._points.append(Point(self._clock(), node_points(stats) if stats else []))
        self._wake()

    async def live(
        self, last_id: str, allowed: Callable[[], Awaitable[bool]], heartbeat_s: float = HEARTBEAT_S
    ) -> AsyncGenerator[tuple[str, Point] | None, None]:
        """Points with their event ids: those after the last one seen, else the newest, then each as it comes.

        None when it is time for a heartbeat. Ends when the history is closed or when `allowed` says no.
        """
        seen, written = self._position(last_id), time.monotonic()
        with self._listening():
            while not self._closed and await allowed():
                news = self._news  # before anything is told: what comes while telling is news too
                for point in [point for point in self.points() if point.at > seen]:
                    seen, written = point.at, time.monotonic()
                    yield point.at.isoformat(), point
                left_s = written + heartbeat_s - time.monotonic()
                if left_s <= 0 or not await happened(news, left_s):
                    written = time.monotonic()
                    yield None

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    def _position(self, last_id: str) -> datetime:
        """The moment of an event id of ours; for any other, the one before the newest point."""
        try:
            moment = datetime.fromisoformat(last_id)
        except ValueError:
            moment = datetime.min
        if moment.tzinfo is not None:
            return min(moment, self._clock())
        before = list(self._points)[-2:-1]
        return before[0].at if before else self._clock() - KEPT

    def _wake(self) -> None:
        """Let all who wait go on; whoever waits from now on waits for the next news."""
        self._news, news = asyncio.Event(), self._news
        news.set()


def node_points(stats: ClusterStats) -> list[NodePoint]:
    """The nodes that answered, as points."""
    points = []
    for node in stats.nodes:
        if figures := node.figures:
            gpus = [GpuPoint(gpu.index, gpu.utilization, gpu.memory_used, gpu.memory_total) for gpu in figures.gpus]
            memory = figures.memory
            points.append(NodePoint(node.node_id, node.name, figures.cpu.utilization, memory.used, memory.total, gpus))
    return points
