"""Counters of failed logins."""

import threading

import pytest

from cluster.errors import TooMany
from cluster.settings import Settings
from cluster.store.attempts import account, address
from cluster.store.database import System, open_system
from tests.cluster.store.conftest import TurnedClock


def wait_of(system: System, *keys: str) -> int:
    """The seconds that keys must wait, 0 for none."""
    try:
        system.attempts.check(*keys)
    except TooMany as error:
        return error.retry_after_s
    return 0


def test_who_must_wait_is_told_how_long(system: System) -> None:
    """In the sentence, and as a number for programs."""
    for _ in range(5):
        system.attempts.failed(account("ann"))
    with pytest.raises(TooMany, match="15 seconds") as told:
        system.attempts.check(account("ann"))
    assert told.value.retry_after_s == 15


def test_failures_within_the_allowance_cost_nothing(system: System) -> None:
    """The settings allow five; the fifth is the first to make wait."""
    waits = []
    for _ in range(5):
        system.attempts.failed(account("ann"))
        waits.append(wait_of(system, account("ann")))
    assert waits == [0, 0, 0, 0, 15]


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(system: System) -> None:
    """However many there are."""
    waits = []
    for _ in range(20):
        system.attempts.failed(account("ann"))
        waits.append(wait_of(system, account("ann")))
    assert waits[4:12] == [15, 30, 60, 120, 240, 480, 900, 900]
    assert waits[-1] == 900


def test_a_wait_passes(system: System, clock: TurnedClock) -> None:
    """Then one more failure makes it longer."""
    for _ in range(5):
        system.attempts.failed(account("ann"))
    clock.turn(seconds=14.5)
    assert wait_of(system, account("ann")) == 1
    clock.turn(seconds=1)
    assert wait_of(system, account("ann")) == 0
    system.attempts.failed(account("ann"))
    assert wait_of(system, account("ann")) == 30


def test_accounts_and_addresses_are_counted_apart(system: System) -> None:
    """One blocked key is enough, and the longest wait is told."""
    for number in range(6):
        system.attempts.failed(account(f"user{number}"), address("192.0.2.1"))
    assert wait_of(system, account("user0")) == 0
    assert wait_of(system, account("user0"), address("192.0.2.1")) == 30
    assert wait_of(system, account("user0"), address("192.0.2.2")) == 0


def test_success_forgets(system: System) -> None:
    """Only for the keys that are named."""
    for _ in range(5):
        system.attempts.failed(account("ann"), address("192.0.2.1"))
    system.attempts.succeeded(account("ann"))
    assert wait_of(system, account("ann")) == 0
    assert wait_of(system, address("192.0.2.1")) == 15


def test_a_day_forgets(system: System, clock: TurnedClock) -> None:
    """The next failure counts as the first, and the row can go."""
    for _ in range(7):
        system.attempts.failed(account("ann"), account("bob"))
    clock.turn(hours=25)
    system.attempts.failed(account("ann"))
    assert wait_of(system, account("ann")) == 0
    assert system.attempts.forget_old() == 1
    assert system.attempts.table.get(account("bob")) is None


def test_failures_at_the_same_moment_all_count(settings: Settings, clock: TurnedClock) -> None:
    """A guesser gains nothing by asking eight times at once."""
    start = threading.Barrier(8)

    def fail() -> None:
        attempts = open_system(settings, clock).attempts
        start.wait()
        attempts.failed(account("it's ann"))

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = open_system(settings, clock).attempts.table.get(account("it's ann"))
    assert row
    assert row["failures"] == 8
