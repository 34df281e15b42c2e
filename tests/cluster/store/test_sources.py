"""Users' Nextclouds: one a user, the password sealed, and nothing of it left on disk when it goes."""

import os
import shutil
from pathlib import Path

import pytest

from cluster.errors import NotFound
from cluster.sealing import Lost, Sealer
from cluster.settings import Settings
from cluster.store.database import System, open_system
from cluster.store.sources import Source
from tests.canaries import Canaries
from tests.cluster.store.conftest import TurnedClock

OLD, NEW = b"o" * 32, b"n" * 32
SEALER = Sealer([NEW])
PASSWORD = "kFm3x-Qw9Zr-7LpTe-Xb4Ns-Yc2Vd"


def connected(system: System, user_id: str = "ann", password: str = PASSWORD, server: str = "https://cloud") -> Source:
    """A new connection."""
    return system.sources.connect(user_id, server, "ann@home", password, SEALER, True, "31.0.4", 100, 900)


def sealed(system: System, user_id: str = "ann") -> bytes:
    """What a row has of a password."""
    row = system.sources.table.get(user_id)
    assert row
    return bytes(row["sealed"])


def holding(settings: Settings, *pieces: bytes) -> list[Path]:
    """The files of the store in which any of some bytes stand."""
    files = [path for path in Path(settings.store_uri).rglob("*") if path.is_file()]
    return [path for path in files if any(piece in path.read_bytes() for piece in pieces)]


def test_a_connection_is_told_without_its_password(system: System, clock: TurnedClock) -> None:
    """Only who has the keys gets that."""
    source = connected(system)

    assert system.sources.get("ann") == source == system.sources.all()[0]
    assert (source.state, source.told, source.version, source.used, source.free) == (
        "connected", "", "31.0.4", 100, 900,
    )  # fmt: skip
    assert (source.connected_at, source.folders, source.excludes, source.keep_originals) == (clock(), [], [], None)
    assert sealed(system).hex() not in repr(source)
    assert not hasattr(source, "sealed")
    assert system.sources.password(source, SEALER) == PASSWORD


def test_nobody_has_a_connection_before_it_was_made(system: System) -> None:
    """Others' do not count."""
    connected(system, "ben")

    assert system.sources.find("ann") is None
    with pytest.raises(NotFound, match="connect first"):
        system.sources.get("ann")
    with pytest.raises(NotFound):
        system.sources.choose("ann", [], [], None)


def test_a_database_from_before_has_none(settings: Settings, system: System) -> None:
    """The table is made when somebody asks."""
    system.users.create("ann", "hash")
    shutil.rmtree(Path(settings.store_uri, "system.lance-db", "sources.lance"), ignore_errors=True)

    opened = open_system(settings)

    assert opened.sources.all() == []
    assert connected(opened) == open_system(settings).sources.get("ann")


def test_what_is_chosen_stays_with_a_new_password_and_goes_with_another_account(system: System) -> None:
    """Folders of another server are not the same ones."""
    connected(system)
    chosen = system.sources.choose("ann", ["Photos", "Söm'e \\ dir"], ["*.raw"], False)
    assert (chosen.folders, chosen.excludes, chosen.keep_originals) == (["Photos", "Söm'e \\ dir"], ["*.raw"], False)

    again = connected(system, password="another password")
    assert (again.folders, again.excludes, again.keep_originals) == (chosen.folders, ["*.raw"], False)
    assert system.sources.password(again, SEALER) == "another password"

    other = connected(system, server="https://elsewhere")
    assert (other.folders, other.excludes, other.keep_originals) == ([], [], None)


def test_how_it_goes_is_noted_unless_it_is_another_connection_by_then(system: System, clock: TurnedClock) -> None:
    """A check that was under way says nothing of what was entered meanwhile."""
    before = connected(system)
    clock.turn(seconds=1)
    assert system.sources.note(before, "unreachable", "it's away")
    found = system.sources.get("ann")
    assert (found.state, found.told, found.version, found.checked_at) == ("unreachable", "it's away", "31.0.4", clock())

    after = connected(system)
    assert not system.sources.note(before, "refused", "wrong")
    assert system.sources.get("ann") == after
    with pytest.raises(NotFound):
        system.sources.password(before, SEALER)


@pytest.mark.parametrize(
    ("state", "waits"),
    [("connected", False), ("unreachable", False), ("maintenance", False), ("refused", True), ("key_lost", False)],
)
def test_what_its_owner_must_mend_waits_for_them(system: System, state: str, waits: bool) -> None:
    """Nobody tries a wrong password again."""
    system.sources.note(connected(system), state, "")  # type: ignore[arg-type]

    assert system.sources.get("ann").waits is waits


def test_rows_cannot_be_swapped(system: System) -> None:
    """Neither among users, nor to another server."""
    mine, hers = connected(system, "mallory", "mallory's own"), connected(system, "ann")
    system.sources.table.change(lit_user("mallory"), {"sealed": sealed(system, "ann")})
    with pytest.raises(Lost, match="enter the password again"):
        system.sources.password(mine, SEALER)

    system.sources.table.change(lit_user("ann"), {"server": "https://mallory"})
    with pytest.raises(Lost):
        system.sources.password(system.sources.get("ann"), SEALER)
    assert hers.server != system.sources.get("ann").server


def lit_user(user_id: str) -> object:
    """The filter for one user."""
    from lancedb.expr import col, lit

    return col("user_id") == lit(user_id)


def test_a_password_is_sealed_anew_when_it_is_used_after_a_rotation(settings: Settings, system: System) -> None:
    """Then the older key can go; nothing that it sealed is left."""
    source = system.sources.connect("ann", "https://cloud", "ann", PASSWORD, Sealer([OLD]))
    before = sealed(system)

    assert system.sources.password(source, Sealer([NEW, OLD])) == PASSWORD

    assert not SEALER.outdated(sealed(system))
    assert system.sources.password(source, SEALER) == PASSWORD
    assert holding(settings, before, before[21:]) == []


@pytest.mark.parametrize("others", [0, 40])
def test_of_a_connection_that_ends_no_byte_stays_on_disk(settings: Settings, system: System, others: int) -> None:
    """Not in older versions of the table either, however few of its rows go."""
    for number in range(others):
        connected(system, f"user-{number}", f"password of {number}")
    source = connected(system)
    first = sealed(system)
    system.sources.note(source, "unreachable", "away")
    system.sources.choose("ann", ["Photos"], [], None)
    connected(system, password="the second one")
    second = sealed(system)
    assert holding(settings, first, first[21:]) == []
    assert holding(settings, second) != []

    assert system.sources.disconnect("ann")

    assert holding(settings, first, first[21:], second, second[21:]) == []
    assert len(open_system(settings).sources.all()) == others
    assert not system.sources.disconnect("ann")
    connected(system)
    assert len(open_system(settings).sources.all()) == others + 1


def test_what_a_killed_command_left_goes_at_the_next_tidying(settings: Settings, system: System) -> None:
    """A version without its purge, and a data file that no version names."""
    connected(system)
    secret = sealed(system)
    data = next(Path(settings.store_uri, "system.lance-db", "sources.lance", "data").iterdir())
    shutil.copy(data, data.with_name(f"{'01' * 25}.lance"))
    system.sources.table.delete(lit_user("ann"))  # type: ignore[arg-type]
    assert len(holding(settings, secret)) == 2

    system.tidy()

    assert holding(settings, secret, secret[21:]) == []


def test_readers_of_other_processes_are_not_disturbed(settings: Settings, system: System) -> None:
    """Files go only when the version without them is there."""
    import threading

    connected(system, "ben")
    over, seen = threading.Event(), []

    def read() -> None:
        other = open_system(settings).sources
        while not over.is_set():
            seen.append(other.get("ben").login)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        connected(system)
        system.sources.disconnect("ann")
    over.set()
    reader.join()

    assert set(seen) == {"ann@home"}


def test_of_many_who_connect_and_disconnect_at_once_nobody_loses_a_row(settings: Settings, system: System) -> None:
    """Writing the table anew is one turn of a writer like any other."""
    from concurrent.futures import ThreadPoolExecutor

    def live(number: int) -> None:
        own = open_system(settings)
        for round_ in range(4):
            connected(own, f"stays-{number}-{round_}")
            connected(own, f"goes-{number}")
            own.sources.disconnect(f"goes-{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(live, range(4)))

    assert {one.user_id for one in system.sources.all()} == {f"stays-{a}-{b}" for a in range(4) for b in range(4)}
    assert all(system.sources.password(one, SEALER) == PASSWORD for one in system.sources.all())


def test_no_password_stands_in_the_store_in_clear(settings: Settings, system: System) -> None:
    """In whatever form, before and after."""
    password = "Zw8-" + os.urandom(12).hex()
    system.sources.password(connected(system, password=password), SEALER)

    assert Canaries({"it": password}).in_files(settings.root) == {}
