"""Who may work on what: one holder at a time, and a number that tells a holder of today from one of yesterday.

A lease ends when its holder gives it back, or when it stops beating and somebody else takes it over. Nothing here ever
stops the former holder: it must ask, by `renew`, and every acquisition raises the fence so that its answer is no.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
import pyarrow as pa
from lancedb.expr import Expr, col, lit

from cluster.store.clock import Clock, utc_now
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, rows_of, texts
from cluster.store.table import Table

PASSED_OVER = timedelta(seconds=10)  # who does something alone and does not end it
SCHEMA = pa.schema([key("name"), *texts("holder"), column("fence", pa.int64()), column("beat_at", TIME)])


class Lease(msgspec.Struct, frozen=True):
    """A lease as it was acquired."""

    name: str
    holder: str  # "" when nobody holds it
    fence: int  # grows with every acquisition
    beat_at: datetime


class Leases:
    """All leases, by name."""

    def __init__(self, database: Connection, clock: Clock = utc_now) -> None:
        self.table = Table(database, "leases", SCHEMA, "name")
        self._clock = clock

    def acquire(self, name: str, holder: str, ttl: timedelta) -> Lease | None:
        """The lease for a holder, or None when another holds it and has beaten within `ttl`.

        The same holder asking again gets a new fence, so that what ran under its old one is shut out.
        """
        first = Lease(name, holder, 1, self._clock())
        if self.table.insert_new(rows_of([msgspec.structs.asdict(first)], SCHEMA)):
            return first
        while True:
            seen = self.held(name)
            if seen and seen.holder not in ("", holder) and seen.beat_at > self._clock() - ttl:
                return None
            if seen and (lease := self._take(seen, holder)):
                return lease

    def renew(self, lease: Lease) -> bool:
        """Beat; False when somebody has taken the lease over, and its work must stop."""
        return bool(self.table.change(same(lease), {"beat_at": self._clock()}))

    def release(self, lease: Lease) -> bool:
        """Give a lease back; False when it was somebody else's by then."""
        return bool(self.table.change(same(lease), {"holder": ""}))

    def held(self, name: str) -> Lease | None:
        """A lease as it is now, held or given back; None when nobody ever held it."""
        row = self.table.get(name)
        return Lease(**row) if row else None

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """One caller at a time, in all processes; a caller that died in here is passed over after ten seconds."""
        me = secrets.token_hex(8)
        while (lease := self.acquire(name, me, PASSED_OVER)) is None:
            time.sleep(0.05)
        try:
            yield
        finally:
            self.release(lease)

    def _take(self, seen: Lease, holder: str) -> Lease | None:
        lease = Lease(seen.name, holder, seen.fence + 1, self._clock())
        # A beat since it was seen means that its holder lives.
        unchanged = same(seen) & (col("beat_at") == lit(seen.beat_at))
        values = {"holder": lease.holder, "fence": lease.fence, "beat_at": lease.beat_at}
        return lease if self.table.change(unchanged, values) else None


def same(lease: Lease) -> Expr:
    """Lets the lease's row through as long as nobody else acquired it."""
    return (col("name") == lit(lease.name)) & (col("holder") == lit(lease.holder)) & (col("fence") == lit(lease.fence))
