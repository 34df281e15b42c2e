"""Sessions: opened, used, ended."""

import pytest

from cluster.errors import Unauthenticated
from cluster.settings import Settings
from cluster.store.database import System, open_system
from cluster.store.sessions import id_of
from tests.cluster.store.conftest import TurnedClock


def test_a_token_leads_to_its_session(system: System) -> None:
    """What is stored does not contain the token."""
    token, opened = system.sessions.open("user", "Firefox")
    assert system.sessions.of_token(token) == opened
    assert (opened.user_id, opened.label, opened.session_id) == ("user", "Firefox", id_of(token))
    assert token not in str(system.sessions.table.rows().to_pylist())


def test_an_unknown_token_leads_nowhere(system: System) -> None:
    """Also when it is no text that could be stored."""
    for token in ("", "guess", "\ud800"):
        with pytest.raises(Unauthenticated, match="log in again"):
            system.sessions.of_token(token)


def test_a_session_ends_when_it_is_revoked(system: System, settings: Settings, clock: TurnedClock) -> None:
    """At once, also for another process that has used it."""
    other = open_system(settings, clock)
    token, opened = system.sessions.open("user")
    assert other.sessions.of_token(token)
    assert system.sessions.revoke(opened.session_id, "user")
    for where in (system, other):
        with pytest.raises(Unauthenticated):
            where.sessions.of_token(token)
    assert not system.sessions.revoke(opened.session_id, "user")


def test_nobody_ends_the_session_of_another(system: System) -> None:
    """A session id alone is not enough."""
    token, opened = system.sessions.open("user")
    assert not system.sessions.revoke(opened.session_id, "other")
    assert system.sessions.of_token(token)


def test_a_session_lasts_as_long_as_it_is_used(system: System, clock: TurnedClock) -> None:
    """Thirty days after its last use it has ended."""
    token, opened = system.sessions.open("user")
    for _ in range(3):
        clock.turn(days=29)
        assert system.sessions.of_token(token).expires_at == clock.time + (opened.expires_at - opened.created_at)
    clock.turn(days=31)
    with pytest.raises(Unauthenticated):
        system.sessions.of_token(token)


def test_uses_within_minutes_are_not_written_down(system: System, clock: TurnedClock) -> None:
    """A page of a hundred thumbnails makes no hundred commits."""
    token, opened = system.sessions.open("user")
    before = system.sessions.table.version
    for _ in range(4):
        clock.turn(minutes=1)
        assert system.sessions.of_token(token) == opened
    assert system.sessions.table.version == before
    clock.turn(minutes=2)
    assert system.sessions.of_token(token).used_at == clock.time


def test_a_user_lists_and_ends_their_own_sessions(system: System, clock: TurnedClock) -> None:
    """Newest first; ended ones are not shown; the others' stay."""
    opened = []
    for label in ("first", "second", "third"):
        opened.append(system.sessions.open("user", label)[1])
        clock.turn(seconds=1)
    theirs, _ = system.sessions.open("other")
    system.sessions.revoke(opened[1].session_id, "user")
    assert [session.label for session in system.sessions.list("user")] == ["third", "first"]
    assert system.sessions.revoke_all("user", but=opened[2].session_id) == 1
    assert [session.label for session in system.sessions.list("user")] == ["third"]
    assert system.sessions.of_token(theirs)


def test_ended_sessions_are_forgotten(system: System, clock: TurnedClock) -> None:
    """Revoked and expired ones go, live ones stay."""
    _, revoked = system.sessions.open("user")
    system.sessions.open("user", "expired")
    system.sessions.revoke(revoked.session_id, "user")
    clock.turn(days=31)
    token, _ = system.sessions.open("user", "live")
    assert system.sessions.forget_ended() == 2
    assert system.sessions.of_token(token).label == "live"
