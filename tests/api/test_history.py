"""The cluster's last hour in memory, sampled by one task, and those who listen to it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from api.history import History, Point
from cluster.errors import Unavailable
from cluster.stats import ClusterStats
from tests.api.standins import Clock, two_nodes


class Cluster:
    """A cluster that answers, or does not, as a test wishes."""

    def __init__(self) -> None:
        self.asked = 0
        self.failing = False

    def __call__(self) -> ClusterStats:
        self.asked += 1
        if self.failing:
            raise Unavailable("Brightroom is not running here; start it with `brightroom up`")
        return two_nodes()


async def yes() -> bool:
    """Everybody may listen."""
    return True


@asynccontextmanager
async def sampled(history: History) -> AsyncIterator[None]:
    """The history's task, running for as long as the block does."""
    task = asyncio.create_task(history.keep_sampling())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def filled(clock: Clock, count: int, every_s: float = 5) -> History:
    """A history with so many points, the last of them now."""
    history = History(two_nodes, clock)
    for number in range(count):
        clock.advance(seconds=every_s if number else 0)
        history.add(two_nodes())
    return history


async def following(history: History, last_id: str, count: int) -> list[tuple[str, Point]]:
    """So many points that a listener is told."""
    told: list[tuple[str, Point]] = []
    async for point in history.live(last_id, yes):
        if point:
            told.append(point)
        if len(told) == count:
            break
    return told


def test_a_point_tells_each_node_that_answered_and_each_of_its_gpus() -> None:
    """As measured; a node that did not answer has a gap there."""
    (point,) = filled(Clock(), 1).points()

    (node,) = point.nodes
    assert (node.node_id, node.cpu, node.memory_used, node.memory_total) == ("node1", 0.5, 2**29, 2**30)
    assert [(gpu.index, gpu.utilization, gpu.memory_used) for gpu in node.gpus] == [(0, 0.25, 2**30)]


def test_an_hour_is_kept_and_no_more() -> None:
    """However long it runs, and however slow points came."""
    clock = Clock()
    quick = filled(clock, 800)
    assert len(quick.points()) == 720
    assert quick.points()[0].at > clock.now - timedelta(hours=1)
    assert quick.points()[-1].at == clock.now

    slow = filled(clock, 200, every_s=60)
    assert len(slow.points()) == 60
    clock.advance(minutes=59, seconds=30)
    assert len(slow.points()) == 1


async def sampling_through_a_failure(cluster: Cluster, history: History) -> None:
    """Sample until there are points from before, from during and from after a failure."""
    async with asyncio.timeout(20), sampled(history):
        for failing in (False, True, False):
            cluster.failing, seen = failing, cluster.asked
            while cluster.asked < seen + 2:
                await asyncio.sleep(0.005)


def test_a_sample_that_fails_is_a_gap_and_the_next_one_is_not() -> None:
    """The task goes on, and says so once."""
    cluster = Cluster()
    history = History(cluster, every_s=0.01)

    asyncio.run(sampling_through_a_failure(cluster, history))

    measured = [bool(point.nodes) for point in history.points()]
    assert measured[0]
    assert False in measured
    assert measured[-1] or measured[-2]


def test_a_listener_is_told_the_newest_point_and_then_each_that_comes() -> None:
    """Not the whole hour again: that is what the history's own route is for."""

    async def listen() -> None:
        clock = Clock()
        history = filled(clock, 10)
        listener = asyncio.create_task(following(history, "", 3))
        for _ in range(2):
            await asyncio.sleep(0.02)
            clock.advance(seconds=5)
            history.add(two_nodes())
        assert [point for _, point in await listener] == history.points()[-3:]

    asyncio.run(listen())


def test_a_listener_that_was_away_is_told_what_it_missed() -> None:
    """After the last event it saw; an id that makes no sense, or of the future, is like none."""

    async def listen() -> None:
        history = filled(Clock(), 10)
        points = history.points()
        assert [point for _, point in await following(history, points[5].at.isoformat(), 4)] == points[6:]
        for odd in ("of another server-7", "2024-01-01", "-5", "9" * 60):
            assert [point for _, point in await following(history, odd, 1)] == points[-1:]

    asyncio.run(listen())


def test_streams_have_a_heartbeat_and_end_with_the_session_and_the_server() -> None:
    """None is a heartbeat: while nothing comes, and never more often than asked."""

    async def listen() -> None:
        history, may = filled(Clock(), 1), [True, True, True, False]

        async def allowed() -> bool:
            return may.pop(0)

        told = [point async for point in history.live("", allowed, heartbeat_s=0.01)]
        assert [point is None for point in told] == [False, True, True, True]

        endless = asyncio.create_task(following(history, "", 100))
        await asyncio.sleep(0.02)
        assert history.listeners == 1
        history.close()
        assert len(await endless) == 1
        assert history.listeners == 0
        assert await following(history, "", 1) == []

    asyncio.run(listen())


def test_a_cluster_that_hangs_holds_up_no_listener() -> None:
    """Heartbeats come while the sample waits."""
    waiting, released = threading.Event(), threading.Event()

    def hanging() -> ClusterStats:
        waiting.set()
        assert released.wait(20)
        return two_nodes()

    async def listen() -> None:
        history = History(hanging)
        async with sampled(history):
            assert await asyncio.to_thread(waiting.wait, 20)
            stream = history.live("", yes, heartbeat_s=0.01)
            assert await anext(stream) is None
            assert await anext(stream) is None
            released.set()
            while (told := await anext(stream)) is None:
                continue
            assert told[1].nodes

    asyncio.run(listen())
