"""Guessing passwords takes forever: per account, per address, across restarts, and however many guess at once."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.limits import network_of
from tests.api.test_auth import login
from tests.api.world import PASSWORD, World, answering, build


def guess(world: World, name: str, address: str, password: str = "not this one") -> httpx.Response:
    """One login from an address."""
    return login(world.client(**{"X-Forwarded-For": address}), name, password)


def test_an_account_waits_after_five_failures_from_anywhere(fresh: World) -> None:
    """Five addresses with one guess each use an account's guesses up; the right password has to wait too."""
    failures = [guess(fresh, "ann", f"203.0.113.{n}").status_code for n in range(5)]

    blocked = guess(fresh, "ann", "203.0.113.77", PASSWORD)

    assert failures == [401] * 5
    assert blocked.status_code == 429
    assert int(blocked.headers["retry-after"]) > 0
    assert "seconds" in blocked.json()["detail"]
    assert guess(fresh, "root", "203.0.113.78", PASSWORD).status_code == 200


def test_an_address_waits_after_five_failures_at_any_accounts(fresh: World) -> None:
    """One guess at each of five accounts, known or not, blocks the address, and only that one."""
    failures = [guess(fresh, f"nobody {n}", "203.0.113.1").status_code for n in range(5)]

    assert failures == [401] * 5
    assert guess(fresh, "ann", "203.0.113.1", PASSWORD).status_code == 429
    assert guess(fresh, "ann", "203.0.113.2", PASSWORD).status_code == 200


def test_a_port_that_a_proxy_adds_makes_no_other_address(fresh: World) -> None:
    """Each connection has another one."""
    failures = [guess(fresh, f"nobody {n}", f"203.0.113.1:{5000 + n}").status_code for n in range(5)]

    assert failures == [401] * 5
    assert guess(fresh, "ann", "203.0.113.1:6000", PASSWORD).status_code == 429


def test_waits_grow_and_pass(fresh: World) -> None:
    """Each further failure doubles the wait; when it has passed, the right password works and clears the account."""
    for _ in range(5):
        guess(fresh, "ann", "203.0.113.1")
    first = int(guess(fresh, "ann", "203.0.113.1").headers["retry-after"])
    fresh.clock.advance(seconds=first)
    assert guess(fresh, "ann", "203.0.113.1").status_code == 401
    second = int(guess(fresh, "ann", "203.0.113.1").headers["retry-after"])

    fresh.clock.advance(seconds=second)

    assert second == 2 * first
    assert guess(fresh, "ann", "203.0.113.1", PASSWORD).status_code == 200
    assert [guess(fresh, "ann", "203.0.113.1").status_code for _ in range(4)] == [401] * 4


def test_a_thousand_guesses_in_a_quarter_of_an_hour_are_ten_at_most(fresh: World) -> None:
    """Trying again whenever the wait is over, an account gives away no more than ten evaluations in 15 minutes."""
    evaluated, left = 0, 15 * 60
    while left > 0:
        answer = guess(fresh, "ann", f"203.0.113.{evaluated}")
        evaluated += answer.status_code == 401
        wait = int(answer.headers.get("retry-after", 0))
        fresh.clock.advance(seconds=wait)
        left -= wait

    assert evaluated <= 10


def test_guessing_at_once_is_no_way_round(fresh: World) -> None:
    """Twenty guesses in parallel are five evaluations and fifteen refusals, exactly."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: guess(fresh, "ann", f"203.0.113.{n}").status_code, range(20)))

    assert sorted(answers) == [401] * 5 + [429] * 15


def test_a_restart_forgets_no_failure(fresh: World) -> None:
    """The counters are in the store: another process, with the same store, has them."""
    for _ in range(5):
        guess(fresh, "ann", "203.0.113.1")

    restarted = build(fresh.root, fresh.clock)
    with answering(restarted):
        assert guess(restarted, "ann", "203.0.113.9", PASSWORD).status_code == 429


def test_a_right_password_forgives_only_its_own_accounts_failures(fresh: World) -> None:
    """Logging in to an account of one's own between two guesses does not reset an address."""
    for _ in range(4):
        guess(fresh, "ann", "203.0.113.1")

    assert guess(fresh, "root", "203.0.113.1", PASSWORD).status_code == 200
    assert guess(fresh, "nobody", "203.0.113.1").status_code == 401
    assert guess(fresh, "nobody else", "203.0.113.1").status_code == 429


def test_typing_errors_are_forgiven_by_the_right_password(fresh: World) -> None:
    """Four slips and the right password leave the address as it was."""
    for _ in range(4):
        guess(fresh, "ann", "203.0.113.1")
    assert guess(fresh, "ann", "203.0.113.1", PASSWORD).status_code == 200

    assert [guess(fresh, "root", "203.0.113.1").status_code for _ in range(5)] == [401] * 5


def test_an_unknown_name_is_counted_like_a_known_one(fresh: World) -> None:
    """Whether it waits does not tell whether an account exists."""
    answers = [guess(fresh, "nobody", f"203.0.113.{n}").status_code for n in range(6)]

    assert answers == [401] * 5 + [429]


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_client_is_its_whole_network(client: str, network: str) -> None:
    """Somebody with a /64 has 2**64 addresses to guess from, and they count as one."""
    assert network_of(client) == network
