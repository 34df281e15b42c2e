"""What a replica counts of itself, from several threads, and when it tells."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from serve_apps.meter import RECENT, Meter
from serve_apps.vitals import SECONDS, SIZES, Vitals
from tests.serve_apps.test_vitals import replica


@pytest.fixture
def told() -> list[Vitals]:
    """What was told."""
    return []


@pytest.fixture
def meter(told: list[Vitals]) -> Meter:
    """The meter of a replica."""
    return Meter(replica("a"), told.append)


def test_calls_are_counted_by_how_long_they_took_and_batches_by_how_large_they_were(meter: Meter):
    """What nobody asked for counts nowhere; the largest have a place too."""
    for items in (1, 2, 3, 200):
        with meter.call(items), meter.computing(items):
            pass

    counts = meter.vitals().counts
    assert (counts.calls, counts.items, counts.computed, counts.failures) == (4, 206, 206, 0)
    assert sum(counts.by_seconds) == 4
    assert counts.by_size == [1, 1, 1, *[0] * (len(SIZES) - 3), 1]
    assert len(counts.by_seconds) == len(SECONDS) + 1


def test_the_time_of_a_call_counts_under_the_edge_above_it(meter: Meter):
    """From its arrival to its answer."""
    with meter.call(1):
        time.sleep(0.06)

    vitals = meter.vitals()
    (spent,) = vitals.recent_s
    place = next(at for at, edge in enumerate(SECONDS) if spent <= edge)
    assert spent >= 0.06
    assert vitals.counts.by_seconds[place] == 1
    assert vitals.counts.seconds == pytest.approx(spent, abs=1e-4)


def test_a_call_that_fails_is_a_failure_with_its_error_and_later_ones_are_not(meter: Meter):
    """The last error stays; the error goes on to the caller; a word of any length is cut."""
    with pytest.raises(ValueError, match="no picture"), meter.call(2):
        raise ValueError("no picture " + "x" * 1000)
    with meter.call(1):
        pass

    vitals = meter.vitals()
    assert (vitals.counts.calls, vitals.counts.items, vitals.counts.failures) == (2, 3, 1)
    assert vitals.last_error.startswith("ValueError: no picture")
    assert len(vitals.last_error) == 500
    assert abs(vitals.last_error_at - time.time()) < 60


def test_a_call_that_succeeds_while_another_error_is_handled_is_no_failure(meter: Meter):
    """A model that falls back on itself."""
    try:
        raise KeyError("elsewhere")
    except KeyError:
        with meter.call(1):
            pass

    assert (meter.vitals().counts.failures, meter.vitals().last_error) == (0, "")


def test_calls_wait_until_the_model_begins_with_them(meter: Meter):
    """Those inside, without those it computes."""
    with meter.call(1), meter.call(1), meter.call(1):
        with meter.computing(2):
            now = meter.vitals()
        after = meter.vitals()

    assert (now.waiting, now.computing) == (2, 1)
    assert (after.waiting, after.computing) == (3, 0)
    assert (meter.vitals().waiting, meter.vitals().computing) == (0, 0)


def test_only_the_last_calls_times_are_kept(meter: Meter):
    """A service that ran for a year tells how it is now, in few words."""
    for _ in range(RECENT + 10):
        with meter.call(1):
            pass

    assert len(meter.vitals().recent_s) == RECENT
    assert meter.vitals().counts.calls == RECENT + 10


def test_no_call_is_lost_between_threads(meter: Meter):
    """Eight at once."""

    def ask(_: int) -> None:
        for _ in range(200):
            with meter.call(1), meter.computing(1):
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))

    counts = meter.vitals().counts
    assert (counts.calls, sum(counts.by_seconds), sum(counts.by_size), counts.computed) == (1600, 1600, 1600, 1600)
    assert meter.vitals().waiting == 0


def test_what_was_told_does_not_change_with_what_is_counted_later(meter: Meter):
    """A word is a copy."""
    before = meter.vitals()
    with meter.call(1), meter.computing(1):
        pass

    assert (before.counts.calls, sum(before.counts.by_size)) == (0, 0)


def test_it_tells_when_it_starts_and_says_goodbye_when_it_leaves(meter: Meter, told: list[Vitals]):
    """After which it tells no more: the thread has ended."""
    (thread,) = threads(meter.start)
    happens(lambda: told)

    meter.leave()
    thread.join(30)

    assert not thread.is_alive()
    assert [one.left for one in told] == [*[False] * (len(told) - 1), True]
    assert len(told) >= 2
    assert told[0].memory > 10_000_000


def test_the_word_of_one_that_leaves_is_the_last_though_another_is_on_its_way(told: list[Vitals]):
    """Otherwise a replica that was asked to go would count as lost."""
    leaving: list[threading.Thread] = []

    def slow(vitals: Vitals) -> None:
        if not leaving:
            leaving.append(threading.Thread(target=meter.leave))
            leaving[0].start()
            time.sleep(0.3)
        told.append(vitals)

    meter = Meter(replica("a"), slow)
    (thread,) = threads(meter.start)
    thread.join(30)
    leaving[0].join(30)

    assert [one.left for one in told] == [False, True]


def threads(start: Callable[[], None]) -> set[threading.Thread]:
    """The threads of meters that something starts; others may start theirs meanwhile."""
    before = set(threading.enumerate())
    start()
    return {thread for thread in set(threading.enumerate()) - before if thread.name == "meter"}


def happens(wanted: Callable[[], object]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + 30
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.01)
