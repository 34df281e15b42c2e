"""Passwords as argon2id hashes: m = 64 MiB, t = 3, p = 1. At most two are worked out at once, so that a flood of logins
cannot take the machine's memory.
"""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cluster.errors import Invalid

SHORTEST, LONGEST = 8, 1024  # characters
AT_ONCE = 2
STRONG = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


class Passwords:
    """Makes and checks password hashes; an account that is not there takes as long as one that is."""

    def __init__(self, hasher: PasswordHasher = STRONG) -> None:
        self._hasher = hasher
        self._nobody = hasher.hash("a password that nobody has")
        self._slots = asyncio.Semaphore(AT_ONCE)

    def hash(self, password: str) -> str:
        """The hash to store; blocks for its time. Raises Invalid for a password that is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise Invalid(f"A password has {SHORTEST} to {LONGEST:,} characters. Choose another one.")
        return self._hasher.hash(password)

    async def hashed(self, password: str) -> str:
        """`hash`, off the event loop and in turn."""
        async with self._slots:
            return await asyncio.to_thread(self.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether this is the password of the stored hash; without one the answer is no, after the same work."""
        async with self._slots:
            return await asyncio.to_thread(self._verified, password, stored or self._nobody) and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than these."""
        return self._hasher.check_needs_rehash(stored)

    def _verified(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
