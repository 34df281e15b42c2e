"""Connections are checked now and then, by themselves: each apart from the others, no wrong password twice."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.checking import AT_ONCE, Checking
from cluster.errors import StoreError
from cluster.store.sources import Source
from tests.api.clouds import account, connect, told
from tests.api.world import World
from tests.nextcloud.server import StandIn


class Turned:
    """A clock of seconds that tests turn."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Turned:
    """What paces looks."""
    return Turned()


@pytest.fixture
def checking(home: World, seconds: Turned) -> Iterator[Checking]:
    """What checks everybody's connections, in a process that stays."""
    assert home.deps.connections
    made = Checking(home.system, home.deps.connections, clock=seconds)
    made.stays = True
    yield made
    made.end()


def later(home: World, checking: Checking, seconds: Turned, **passed: float) -> None:
    """Let time pass, look, and wait for the checks that began."""
    home.clock.advance(**passed)
    seconds.now += 1000
    checking.look()
    for thread in checking.under_way.values():
        thread.join(20)


def state(client: httpx.Client) -> Any:
    """What one sees of a connection."""
    return told(client.get("/api/nextcloud"))["state"]


def test_a_connection_is_checked_every_five_minutes(
    ann: httpx.Client, cloud: StandIn, home: World, checking: Checking, seconds: Turned
) -> None:
    """Also when it was away, and then it shows."""
    connect(ann, cloud)
    cloud.forget()
    later(home, checking, seconds, minutes=4)
    assert cloud.log == []

    cloud.maintain()
    later(home, checking, seconds, minutes=1)
    assert state(ann) == "maintenance"
    cloud.maintain(False)
    later(home, checking, seconds, minutes=5)
    assert state(ann) == "connected"


def test_a_refused_connection_is_left_alone_until_its_owner_enters_something_new(
    ann: httpx.Client, cloud: StandIn, home: World, checking: Checking, seconds: Turned
) -> None:
    """Its server counts bad logins, and locks people out."""
    entered = account(cloud)
    told(ann.put("/api/nextcloud", json=entered))
    cloud.revoke(entered["password"])
    for _ in range(5):
        later(home, checking, seconds, minutes=6)
    assert (state(ann), cloud.bad_logins) == ("refused", 1)

    connect(ann, cloud)
    cloud.maintain()
    later(home, checking, seconds, minutes=6)
    assert (state(ann), cloud.bad_logins) == ("maintenance", 1)


def test_nobody_is_checked_who_is_locked_out_nor_by_a_command_that_ends_soon(
    ann: httpx.Client, cloud: StandIn, home: World, checking: Checking, seconds: Turned
) -> None:
    """Nor more often than looks are paced."""
    connect(ann, cloud)
    cloud.forget()
    home.system.users.set_disabled(home.users["ann"].user_id, True)
    later(home, checking, seconds, minutes=6)
    home.system.users.set_disabled(home.users["ann"].user_id, False)
    checking.look()
    checking.stays = False
    later(home, checking, seconds, minutes=6)
    assert cloud.log == []


class Hanging:
    """Connections of which one hangs, one cannot be noted, and the others are checked at once."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.goes_on = threading.Event()

    def check(self, user_id: str) -> None:
        """Check a user's."""
        self.checked.append(user_id)
        if user_id == "slow":
            self.goes_on.wait(20)
        if user_id == "broken":
            raise StoreError("the store is away")

    def close(self) -> None:
        """There is nothing to let go of."""


def sources(home: World, *names: str) -> list[Source]:
    """Connections of some users."""
    from cluster.sealing import Sealer

    sealer = Sealer([b"k" * 32])
    return [home.system.sources.connect(name, "https://cloud", name, "password", sealer) for name in names]


def test_a_server_that_hangs_holds_up_nobody_elses(home: World, seconds: Turned) -> None:
    """It is not asked again meanwhile; one that could not be noted is asked after five minutes, not at every look."""
    hanging: Any = Hanging()
    one = Checking(home.system, hanging, clock=seconds)
    one.stays = True
    sources(home, "slow", "broken", "quick")
    home.clock.advance(minutes=6)
    for _ in range(3):
        seconds.now += 1000
        one.look()
        for name, thread in one.under_way.items():
            thread.join(0 if name == "slow" else 20)
    assert sorted(hanging.checked) == ["broken", "quick", "slow"]

    home.clock.advance(minutes=6)
    seconds.now += 1000
    one.look()
    hanging.goes_on.set()
    one.end()
    assert sorted(hanging.checked) == ["broken", "broken", "quick", "quick", "slow"]


def test_of_many_that_are_due_the_longest_unchecked_come_first(home: World, seconds: Turned) -> None:
    """A few at a time."""
    hanging: Any = Hanging()
    one = Checking(home.system, hanging, clock=seconds)
    one.stays = True
    names = [f"user-{number:02d}" for number in range(AT_ONCE + 4)]
    for name in names:
        sources(home, name)
        home.clock.advance(seconds=1)
    home.clock.advance(minutes=6)
    for _ in range(2):
        seconds.now += 1000
        one.look()
        for thread in one.under_way.values():
            thread.join(20)

    assert sorted(hanging.checked[:AT_ONCE]) == names[:AT_ONCE]
    assert sorted(hanging.checked) == names
    one.end()
