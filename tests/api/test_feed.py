"""Numbering changes of jobs for listeners, without HTTP: heartbeats, closing, failures, and what is kept."""

import asyncio
import itertools
import logging
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest

from api import feed as module
from api.feed import Feed
from api.job_view import JobView
from tests.api.world import NOON


def job(job_id: str, owner: str = "ann", **changed: Any) -> JobView:
    """A job as it might be."""
    made = JobView(job_id, owner, "scan", {}, "running", "run", 1, NOON, None, None, [], {}, "")
    return msgspec.structs.replace(made, **changed)


async def always() -> bool:
    """Nobody's session ends."""
    return True


def run(story: Coroutine[Any, Any, None]) -> None:
    """Play a story to its end, which must come."""
    asyncio.run(asyncio.wait_for(story, 20))


def test_a_job_that_did_not_change_is_told_once() -> None:
    """However often it is looked at."""

    async def story() -> None:
        looks = 0

        def look() -> list[JobView]:
            nonlocal looks
            looks += 1
            return [job("a"), job("b", state="done" if looks > 5 else "running")]

        changes = Feed(look, look_s=0.001).changes("ann", "", always)
        told = [await anext(changes) for _ in range(3)]
        await changes.aclose()

        assert [one[1].job_id for one in told if one] == ["a", "b", "b"]
        assert looks > 5

    run(story())


def test_a_silent_stream_has_a_heart_that_beats() -> None:
    """None comes when nothing else does."""

    async def story() -> None:
        changes = Feed(list, look_s=0.001).changes("ann", "", always, heartbeat_s=0.01)

        assert await anext(changes) is None
        assert await anext(changes) is None
        await changes.aclose()

    run(story())


def test_a_quiet_listener_has_a_heartbeat_while_others_are_busy() -> None:
    """News of another owner's job wakes every stream; one that hears none of it would look dead to a proxy."""

    async def story() -> None:
        looks = itertools.count()
        feed = Feed(lambda: [job("b", "ben", counts={"listed": next(looks)})], look_s=0.001)
        changes = feed.changes("ann", "", always, heartbeat_s=0.1)

        assert await anext(changes) is None
        assert await anext(changes) is None
        await changes.aclose()
        assert next(looks) > 10

    run(story())


def test_closing_ends_streams_that_wait_and_later_ones_at_once() -> None:
    """So that a server can stop."""

    async def story() -> None:
        feed = Feed(list, look_s=0.001)
        waiting = asyncio.create_task(collected(feed))
        await asyncio.sleep(0)

        feed.close()

        assert await waiting == []
        assert await collected(feed) == []
        assert feed.resting

    run(story())


async def collected(feed: Feed) -> list[Any]:
    """All a listener hears until the end."""
    return [change async for change in feed.changes("ann", "", always)]


def test_a_failed_look_ends_the_streams_and_the_next_one_looks_again(caplog: pytest.LogCaptureFixture) -> None:
    """The client comes back and is told everything; the log says why."""

    async def story() -> None:
        looks = 0

        def look() -> list[JobView]:
            nonlocal looks
            looks += 1
            if looks == 1:
                raise OSError("the disk is away")
            return [job("a")]

        feed = Feed(look, look_s=0.001)
        assert await collected(feed) == []

        changes = feed.changes("ann", "", always)
        told = await anext(changes)
        await changes.aclose()
        assert told
        assert told[1].job_id == "a"

    with caplog.at_level(logging.ERROR, "api.feed"):
        run(story())
    assert "the disk is away" in caplog.text


def test_a_listener_who_may_no_more_hears_no_more() -> None:
    """Asked before anything is told."""

    async def story() -> None:
        async def never() -> bool:
            return False

        feed = Feed(lambda: [job("a")], look_s=0.001)
        assert [change async for change in feed.changes("ann", "", never)] == []

    run(story())


@pytest.mark.parametrize(
    "last_id", ["", "x", "-", "-5", "other-5", "5", "{epoch}-", "{epoch}-x", "{epoch}--1", "{epoch}-²"]
)
def test_an_event_id_that_is_none_of_ours_starts_at_the_beginning(last_id: str) -> None:
    """Also one from before a restart."""
    feed = Feed(list)

    assert feed.position(last_id.format(epoch=feed._epoch)) == 0
    assert feed.position(f"{feed._epoch}-7") == 7


def test_only_so_many_jobs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest changes go first; memory stays bounded however many jobs there were."""
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    feed = Feed(list)

    feed.note([job(str(number)) for number in range(5)])

    assert [change.job.job_id for change in feed.since("ann", 0)] == ["2", "3", "4"]
    assert feed.since("ben", 0) == []
