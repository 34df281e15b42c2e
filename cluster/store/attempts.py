"""Failed logins, counted by account and by address, so that guessing passwords takes forever."""

from datetime import datetime, timedelta
from math import ceil

import pyarrow as pa
from lancedb.expr import col, lit

from cluster.errors import TooMany
from cluster.store.clock import Clock, utc_now
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, maybe, rows_of
from cluster.store.table import Table

SCHEMA = pa.schema([key("key"), column("failures", pa.int32()), column("last_at", TIME), maybe("blocked_until", TIME)])
FIRST_WAIT = timedelta(seconds=15)  # doubles with each further failure
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=24)  # without a failure


def account(name_key: str) -> str:
    """The key that failures of an account are counted under."""
    return f"account:{name_key}"


def address(ip: str) -> str:
    """The key that failures from an address are counted under."""
    return f"address:{ip}"


class Attempts:
    """Counters of failed logins; a key with `allowed` failures or more must wait, longer after each further one."""

    def __init__(self, database: Connection, allowed: int, clock: Clock = utc_now) -> None:
        self.table = Table(database, "attempts", SCHEMA, "key")
        self._allowed = allowed
        self._clock = clock

    def check(self, *keys: str) -> None:
        """Raise TooMany, with the seconds to wait, when one of the keys is blocked."""
        now = self._clock()
        ends = [row["blocked_until"] for row in self.table.by_keys(keys).to_pylist()]
        if blocked := [end for end in ends if end and end > now]:
            wait = ceil((max(blocked) - now).total_seconds())
            raise TooMany(f"There were too many failed logins; try again in {wait} seconds.", wait)

    def failed(self, *keys: str) -> None:
        """Count a failure under each of the keys."""
        for key_ in keys:
            self._count(key_)

    def succeeded(self, *keys: str) -> None:
        """Forget the failures counted under the keys."""
        self.table.delete(col("key").isin(list(keys)))

    def forget_old(self) -> int:
        """Delete the counters nothing was added to for a day, and return how many."""
        return self.table.delete(col("last_at") < lit(self._clock() - FORGOTTEN_AFTER))

    def _count(self, key_: str) -> None:
        """Add one failure; two at the same moment count as two."""
        now = self._clock()
        row = {"key": key_, "failures": 1, "last_at": now, "blocked_until": self._end_of_wait(1, now)}
        if self.table.insert_new(rows_of([row], SCHEMA)):
            return
        while (seen := self.table.get(key_)) is not None:
            failures = 1 if seen["last_at"] < now - FORGOTTEN_AFTER else seen["failures"] + 1
            values = {"failures": failures, "last_at": now, "blocked_until": self._end_of_wait(failures, now)}
            if self.table.change((col("key") == lit(key_)) & (col("failures") == lit(seen["failures"])), values):
                return

    def _end_of_wait(self, failures: int, now: datetime) -> datetime | None:
        if failures < self._allowed:
            return None
        doublings = min(failures - self._allowed, 10)
        return now + min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
