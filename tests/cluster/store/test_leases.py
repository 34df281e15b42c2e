"""Leases: one holder at a time, and a fence that grows."""

import threading
from datetime import datetime, timedelta

from cluster.settings import Settings
from cluster.store.database import System, open_system
from cluster.store.leases import Lease
from tests.cluster.store.conftest import TurnedClock

TTL = timedelta(seconds=15)


def taken(lease: Lease | None) -> Lease:
    """A lease that was got."""
    assert lease
    return lease


def test_one_holder_at_a_time(system: System) -> None:
    """A second gets none, under other names everybody gets theirs."""
    first = taken(system.leases.acquire("scan:ann", "job1", TTL))
    assert (first.holder, first.fence) == ("job1", 1)
    assert system.leases.acquire("scan:ann", "job2", TTL) is None
    assert taken(system.leases.acquire("scan:bob", "job2", TTL)).fence == 1


def test_a_lease_given_back_is_free(system: System) -> None:
    """The next holder has a higher fence, and the former can neither renew nor give back again."""
    first = taken(system.leases.acquire("scan", "job1", TTL))
    assert system.leases.release(first)
    second = taken(system.leases.acquire("scan", "job2", TTL))
    assert second.fence == 2
    assert not system.leases.renew(first)
    assert not system.leases.release(first)
    assert system.leases.renew(second)


def test_a_silent_holder_is_replaced_and_fenced_out(system: System, clock: TurnedClock) -> None:
    """After the time to live without a beat; beating keeps a lease."""
    first = taken(system.leases.acquire("scan", "job1", TTL))
    clock.turn(seconds=14)
    assert system.leases.renew(first)
    clock.turn(seconds=14)
    assert system.leases.acquire("scan", "job2", TTL) is None
    clock.turn(seconds=2)
    second = taken(system.leases.acquire("scan", "job2", TTL))
    assert (second.holder, second.fence) == ("job2", 2)
    assert not system.leases.renew(first)
    assert not system.leases.release(first)
    assert taken(system.leases.held("scan")).holder == "job2"


def test_the_same_holder_shuts_out_its_former_self(system: System) -> None:
    """A job that is resumed at once does not wait for its own dead process, and that process cannot come back."""
    zombie = taken(system.leases.acquire("scan", "job1", TTL))
    resumed = taken(system.leases.acquire("scan", "job1", TTL))
    assert resumed.fence == zombie.fence + 1
    assert not system.leases.renew(zombie)
    assert system.leases.renew(resumed)


def test_of_eight_who_want_a_lease_one_gets_it(settings: Settings, clock: TurnedClock) -> None:
    """A new one, one that was given back, and one whose holder is silent; the fence grows by one each time."""
    system = open_system(settings, clock)
    for round_ in range(1, 4):
        got = race(settings, clock)
        assert len(got) == 1
        assert got[0].fence == round_
        if round_ == 1:
            assert system.leases.release(got[0])
        clock.turn(seconds=16 if round_ == 2 else 0)


def race(settings: Settings, clock: TurnedClock) -> list[Lease]:
    """The leases that eight holders got who asked at the same moment."""
    start, got = threading.Barrier(8), []

    def acquire(holder: str) -> None:
        leases = open_system(settings, clock).leases
        start.wait()
        if lease := leases.acquire("scan", holder, TTL):
            got.append(lease)

    threads = [threading.Thread(target=acquire, args=(f"job{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_nobody_held_what_nobody_asked_for(system: System) -> None:
    """There is no such lease."""
    assert system.leases.held("scan") is None


def test_a_beat_at_the_last_moment_keeps_a_lease(settings: Settings, clock: TurnedClock) -> None:
    """A holder that beats after it was seen silent, and before it is replaced, is not replaced."""
    holder = open_system(settings, clock).leases
    lease = taken(holder.acquire("scan", "job1", TTL))
    clock.turn(seconds=16)
    asked = []

    def interrupting() -> datetime:
        asked.append(clock())
        if len(asked) == 3:  # the other has seen the old beat, and now takes the time for its own
            assert holder.renew(lease)
        return clock()

    assert open_system(settings, interrupting).leases.acquire("scan", "job2", TTL) is None
    assert len(asked) > 3
    assert holder.renew(lease)
