"""Connections as jobs and requests use them: opened, noted, and never tried again once they were refused."""

import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from batch.connections import Connections, means
from batch.nextcloud.addresses import Addresses
from batch.nextcloud.faults import (
    Busy,
    Changed,
    Forbidden,
    Foreign,
    Gone,
    Hostile,
    Locked,
    Maintenance,
    NoRoom,
    Refused,
    Short,
    Stopped,
    Throttled,
    Unkept,
    Unreachable,
    Withheld,
)  # fmt: skip
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport
from cluster.errors import Conflict, Invalid, NotFound, ServiceError
from cluster.sealing import KeyUnusable, Lost
from cluster.settings import NextcloudSettings, Settings
from cluster.store.database import System, open_system
from cluster.store.sources import State
from tests.nextcloud.server import StandIn

QUICK = Patience(connect_s=2, read_s=2, tries=1, first_wait_s=0.01, longest_wait_s=1, maintenance_s=0)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[StandIn]:
    """A server."""
    with StandIn(tmp_path / "cloud") as made:
        made.put("Photos/a.jpg", b"a")
        yield made


@pytest.fixture
def system(tmp_path: Path) -> System:
    """An empty store."""
    return open_system(Settings(root=tmp_path / "root"))


@pytest.fixture
def connections(tmp_path: Path, system: System, cloud: StandIn) -> Iterator[Connections]:
    """Connections that may reach the server."""
    yield from reaching(tmp_path, system, cloud.trust())


def reaching(tmp_path: Path, system: System, trust: ssl.SSLContext) -> Iterator[Connections]:
    """Connections that may reach this machine."""
    settings = Settings(root=tmp_path / "root", nextcloud=NextcloudSettings(allowed_networks=["127.0.0.1"]))
    with closing(Connections(settings, system, Transport(Addresses(["127.0.0.1"]), QUICK, trust))) as made:
        yield made


def test_a_job_opens_the_account_of_its_owner(connections: Connections, system: System, cloud: StandIn) -> None:
    """With the stored password, in a process that never was told it."""
    connections.connect("ann", cloud.url, "ann", cloud.app_password())

    listed = list(connections.account(system.sources.get("ann")).list("Photos"))

    assert [item.path for item in listed] == ["Photos", "Photos/a.jpg"]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Refused("no"), "refused"), (Lost("gone"), "key_lost"), (KeyUnusable("open"), "unreachable"),
        (Maintenance("wait"), "maintenance"), (Unreachable("away"), "unreachable"), (Throttled("wait"), "unreachable"),
        (Foreign("no cloud"), "unreachable"), (Forbidden("here"), "unreachable"), (Hostile("bomb"), "unreachable"),
        (Short("cut"), None), (Withheld("share"), None), (Gone("gone"), None), (Changed("new"), None),
        (Locked("busy"), None), (Busy("x"), None),
        (Stopped("x"), None), (NoRoom("full"), None), (Unkept("x"), None), (Invalid("x"), None), (Conflict("x"), None),
        (NotFound("x"), None),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_whole_connection_is_noted_and_what_is_about_one_file_is_not(
    connections: Connections, system: System, cloud: StandIn, fault: ServiceError, state: State | None
) -> None:
    """And it is raised all the same."""
    source = connections.connect("ann", cloud.url, "ann", cloud.app_password())

    with pytest.raises(type(fault)), connections.noting(source):
        raise fault

    assert means(fault) == state
    noted = system.sources.get("ann")
    assert (noted.state, noted.told) == ((state, str(fault)) if state else ("connected", ""))


def test_of_many_who_try_at_once_one_finds_the_password_taken_back(
    connections: Connections, system: System, cloud: StandIn
) -> None:
    """The others see what it found."""
    password = cloud.app_password()
    connections.connect("ann", cloud.url, "ann", password)
    cloud.revoke(password)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: connections.check("ann").state, range(8)))

    assert (set(found), cloud.bad_logins) == ({"refused"}, 1)
    with pytest.raises(Refused, match="app password"):
        connections.account(system.sources.get("ann"))
    assert cloud.bad_logins == 1


def test_of_many_who_use_an_account_at_once_one_finds_the_password_taken_back(
    connections: Connections, system: System, cloud: StandIn
) -> None:
    """Whatever they ask for, also those who found the connection well before: they share what was found."""
    password = cloud.app_password()
    source = connections.connect("ann", cloud.url, "ann", password)
    cloud.revoke(password)

    def refused(_: int) -> bool:
        with pytest.raises(Refused), connections.noting(source):
            list(connections.account(source).list("Photos"))
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(refused, range(8)))

    assert cloud.bad_logins == 1
    again = connections.connect("ann", cloud.url, "ann", cloud.app_password())
    assert list(connections.account(again).list("Photos"))


def test_a_password_that_does_not_work_leaves_the_one_that_does(
    connections: Connections, system: System, cloud: StandIn
) -> None:
    """A slip costs nothing."""
    before = connections.connect("ann", cloud.url, "ann", cloud.app_password())

    with pytest.raises(Refused):
        connections.connect("ann", cloud.url, "ann", "wrong")

    assert system.sources.get("ann") == before
    assert connections.check("ann").state == "connected"


@pytest.mark.parametrize(
    ("password", "app"),
    [
        (lambda cloud: cloud.app_password(), True), (lambda cloud: cloud.password, False),
    ],
)  # fmt: skip
def test_an_app_password_is_known_by_its_look(
    connections: Connections, cloud: StandIn, password: Callable[[StandIn], str], app: bool
) -> None:
    """Five groups of five, as Nextcloud shows them; what was granted in the browser is one anyway."""
    assert connections.connect("ann", cloud.url, "ann", password(cloud)).app_password is app
    assert connections.connect("ann", cloud.url, "ann", password(cloud), granted=True).app_password is True


def test_a_server_that_has_no_files_there_is_said_to_have_none(
    connections: Connections, system: System, cloud: StandIn
) -> None:
    """And not that a file is gone."""
    cloud.faults.always("missing")
    with pytest.raises(Unreachable, match="finds no files of this account"):
        connections.connect("ann", cloud.url, "ann", cloud.app_password())


def test_the_address_is_kept_in_one_form(connections: Connections, cloud: StandIn) -> None:
    """However it was typed."""
    typed = f" {cloud.url.replace('https', 'HTTPS')}/index.php/apps/files/?dir=/ "

    assert connections.connect("ann", typed, "ann", cloud.app_password()).server == cloud.url


def test_what_a_server_says_of_its_version_is_kept_only_if_it_looks_like_one(
    connections: Connections, cloud: StandIn
) -> None:
    """It may be anything."""
    assert connections.connect("ann", cloud.url, "ann", cloud.app_password()).version != ""

    from batch.connections import version
    from batch.nextcloud.client import Standing

    assert version(Standing("<script>alert(1)</script>", "Nextcloud", "ann", 0, 0)) == ""
    assert version(Standing("31.0.4 Hub 10", "Nextcloud", "ann", 0, 0)) == "31.0.4 Hub 10"
