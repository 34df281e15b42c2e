"""One login after the other: attempts at one account, or from one address, wait for each other, so that a thousand at
once are no way round the waits that the store's counters impose.

A right password takes its account's failures back from the address it came from; those at others' accounts stay there.
Logins to other servers, on behalf of users, wait for each other like that too.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, ip_network
from weakref import WeakValueDictionary

from lancedb.expr import col, lit

from api.gate import parsed_address
from cluster.errors import ServiceError
from cluster.store import attempts
from cluster.store.attempts import Attempts

READING = 16  # answers of other servers that are waited for, piece by piece, at once


class LoginLimit:
    """Lets logins be tried, in turn, as long as neither their account nor their address has to wait."""

    def __init__(self, counters: Attempts) -> None:
        self._counters = counters
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def attempt(self, name_key: str, client: str) -> AsyncIterator["Attempt"]:
        """A login in its turn; raises TooMany when it has to wait. It counts as failed unless it is told otherwise."""
        login = Attempt(attempts.account(name_key), attempts.address(network_of(client)))
        # Always the account first, so that two logins never wait for each other's second lock.
        async with self._turn(login.account), self._turn(login.address):
            await asyncio.to_thread(self._counters.check, login.account, login.address)
            yield login
            await asyncio.to_thread(self._forgive if login.right else self._count, login)

    def _turn(self, key: str) -> asyncio.Lock:
        return self._turns.setdefault(key, asyncio.Lock())

    def _count(self, login: "Attempt") -> None:
        self._counters.failed(login.account, login.address)

    def _forgive(self, login: "Attempt") -> None:
        own = self._counters.table.get(login.account)
        if own is None:
            return
        at_least = (col("key") == lit(login.address)) & (col("failures") >= lit(own["failures"]))
        fewer = col("failures") - lit(own["failures"])
        self._counters.table.change(at_least, {"failures": fewer, "blocked_until": None})
        self._counters.succeeded(login.account)


class Attempt:
    """One login: what it counts against, and whether the password was right."""

    def __init__(self, account: str, address: str) -> None:
        self.account, self.address = account, address
        self.right = False


class AskingLimit:
    """Lets users' other servers be asked: one question of a user at a time, and few of all users at once.

    Who waits holds no thread, so that servers which answer slowly, or never, keep nobody else from being answered.
    """

    def __init__(self, counters: Attempts, at_once: int = 8) -> None:
        self._counters = counters
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._all = asyncio.Semaphore(at_once)
        self.threads = ThreadPoolExecutor(READING, thread_name_prefix="asking")  # for what comes of them, bit by bit

    @contextlib.asynccontextmanager
    async def question(self, user_id: str) -> AsyncIterator[None]:
        """A question to a server that a user is connected to, in its turn."""
        async with self._turns.setdefault(user_id, asyncio.Lock()), self._all:
            yield

    @contextlib.asynccontextmanager
    async def trial(self, user_id: str) -> AsyncIterator[None]:
        """A question to a server that a user names; raises TooMany after some that failed.

        Otherwise users could look for machines and passwords through us; so no success takes failures back.
        """
        key = f"nextcloud:{user_id}"
        async with self.question(user_id):
            await asyncio.to_thread(self._counters.check, key)
            try:
                yield
            except ServiceError:
                await asyncio.to_thread(self._counters.failed, key)
                raise


def network_of(client: str) -> str:
    """What is one client: an IPv4 address, or the /64 that an IPv6 client has to itself."""
    parsed = parsed_address(client)
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed or client)
