"""Password hashes: their parameters, their limits, and that an unknown account costs what a known one does."""

import asyncio
import statistics
import threading
import time
from typing import Literal

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from api.passwords import AT_ONCE, Passwords
from cluster.errors import Invalid
from tests.api.world import CHEAP, PASSWORD


class Counting(PasswordHasher):
    """A hasher that notes how many hashes are being worked out at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.now, self.most, self._lock = 0, 0, threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        """As always, but slowly enough that others come in."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(0.02)
        with self._lock:
            self.now -= 1
        return super().verify(hash, password)


def test_hashes_are_argon2id_with_64_mib_and_three_passes() -> None:
    """What RFC 9106 recommends where memory is low, and more than OWASP's minimum."""
    parameters = extract_parameters(Passwords().hash(PASSWORD))

    assert parameters.type is Type.ID
    assert parameters.memory_cost == 64 * 1024  # KiB
    assert parameters.time_cost == 3
    assert parameters.salt_len >= 16


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_passwords_too_short_or_too_long_are_refused(password: str) -> None:
    """The sentence says what is allowed."""
    with pytest.raises(Invalid, match="8 to 1,024"):
        CHEAP.hash(password)


def test_a_password_matches_its_own_hash_only() -> None:
    """Also nothing at all, and no hash that is none."""
    stored = CHEAP.hash(PASSWORD)

    async def answers() -> list[bool]:
        return [
            await CHEAP.matches(PASSWORD, stored),
            await CHEAP.matches(PASSWORD + " ", stored),
            await CHEAP.matches(PASSWORD, None),
            await CHEAP.matches("a password that nobody has", None),
            await CHEAP.matches(PASSWORD, "not a hash"),
        ]

    assert asyncio.run(answers()) == [True, False, False, False, False]


def test_no_more_than_two_hashes_are_worked_out_at_once() -> None:
    """A flood of logins waits instead of taking 64 MiB each."""
    hasher = Counting()
    passwords = Passwords(hasher)
    stored = hasher.hash(PASSWORD)

    async def flood() -> list[bool]:
        return await asyncio.gather(*(passwords.matches(PASSWORD, stored) for _ in range(10)))

    assert all(asyncio.run(flood()))
    assert hasher.most == AT_ONCE == 2


def test_an_unknown_account_costs_the_time_of_a_known_one() -> None:
    """The median of both, measured in turns, differs by less than a third."""
    passwords = Passwords(PasswordHasher(time_cost=2, memory_cost=4 * 1024, parallelism=1))
    stored = passwords.hash(PASSWORD)
    spent: dict[bool, list[float]] = {True: [], False: []}

    async def measure() -> None:
        for turn in range(30):
            known = bool(turn % 2)
            began = time.process_time()
            await passwords.matches("not the password", stored if known else None)
            spent[known].append(time.process_time() - began)

    asyncio.run(measure())

    known, unknown = statistics.median(spent[True]), statistics.median(spent[False])
    assert abs(known - unknown) < max(known, unknown) / 3
