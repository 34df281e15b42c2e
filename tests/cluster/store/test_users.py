"""Users: unique names, derived ids, changes."""

import threading

import pytest

from cluster.errors import Conflict, Invalid, NotFound
from cluster.settings import Settings
from cluster.store.database import System, open_system
from cluster.store.users import User


def test_a_user_is_found_by_id_and_by_name_in_any_case(system: System) -> None:
    """The name is kept as it was given."""
    made = system.users.create("  Zoë ", "hash", admin=True, scan_directory="/photos")
    assert (made.name, made.admin, made.scan_directory, made.disabled) == ("Zoë", True, "/photos", False)
    assert len(made.user_id) == 32
    assert system.users.get(made.user_id) == made
    assert system.users.by_name("ZOË") == system.users.by_name("zoë ") == made
    assert system.users.by_name("zoe") is None


@pytest.mark.parametrize("again", ["Straße", "STRASSE", "strasse", " straße", "Ｓtraße"])
def test_a_name_is_taken_whatever_its_spelling(system: System, again: str) -> None:
    """Case, width and composition do not make another name."""
    system.users.create("Straße", "hash")
    with pytest.raises(Conflict, match="already"):
        system.users.create(again, "other")
    assert [user.password_hash for user in system.users.list()] == ["hash"]


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "a\nb", "\u202eadmin", "ad\u200bmin", "\ud800", "x" * 65])
def test_what_people_cannot_read_is_no_name(system: System, name: str) -> None:
    """Empty, too long, with control or invisible characters."""
    with pytest.raises(Invalid, match="visible"):
        system.users.create(name, "hash")


def test_of_racing_creators_one_gets_the_name(settings: Settings) -> None:
    """Each spelling counts as the same name; the others are told that it is taken."""
    start, outcomes = threading.Barrier(6), []

    def create(name: str) -> None:
        users = open_system(settings).users
        start.wait()
        try:
            outcomes.append(users.create(name, name).name)
        except Conflict:
            outcomes.append("taken")

    threads = [threading.Thread(target=create, args=(name,)) for name in ("Ann", "ann", "ANN", "aNN", "anN", "Ann")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [user] = open_system(settings).users.list()
    assert sorted(outcomes) == sorted(["taken"] * 5 + [user.name])


def test_users_are_listed_by_name(system: System) -> None:
    """Without regard to case."""
    for name in ("bob", "Alice", "Ñandú", "carol"):
        system.users.create(name, "hash")
    assert [user.name for user in system.users.list()] == ["Alice", "bob", "carol", "Ñandú"]


def test_changes_touch_one_user(system: System) -> None:
    """Password, folder, rights and lock-out, each alone."""
    ann, bob = system.users.create("ann", "a"), system.users.create("bob", "b")
    system.users.set_password(ann.user_id, "it's new")
    system.users.set_scan_directory(ann.user_id, "/new")
    system.users.set_admin(ann.user_id, True)
    system.users.set_disabled(ann.user_id, True)
    expected = User(ann.user_id, "ann", "ann", "it's new", "/new", True, True, ann.created_at)
    assert system.users.get(ann.user_id) == expected
    assert system.users.get(bob.user_id) == bob


def test_an_unknown_user_is_not_found(system: System) -> None:
    """Reading and changing both say so."""
    with pytest.raises(NotFound):
        system.users.get("nobody")
    with pytest.raises(NotFound):
        system.users.set_admin("nobody", True)
