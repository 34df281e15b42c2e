"""Who is logged in. The token itself is known to its holder only; what is stored is its SHA-256."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec
import pyarrow as pa
from lancedb.expr import Expr, col, lit

from cluster.errors import Unauthenticated
from cluster.store.clock import Clock, utc_now
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, rows_of, texts
from cluster.store.table import Table

SCHEMA = pa.schema(
    [
        key("session_id"),
        *texts("user_id", "label"),
        column("created_at", TIME),
        column("used_at", TIME),
        column("expires_at", TIME),
        column("revoked", pa.bool_()),
    ]
)
NOTED_EVERY = timedelta(minutes=5)  # a use within this time of the last noted one is not written down
RENEWED_EVERY = timedelta(days=1)


class Session(msgspec.Struct, frozen=True):
    """One login of a user."""

    session_id: str
    user_id: str
    label: str  # what the holder calls it: a browser, a script
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    revoked: bool

    @property
    def renewed_every(self) -> timedelta:
        """How often its holder is told that it lasts longer: daily, and well before a shorter one ends."""
        return min(RENEWED_EVERY, (self.expires_at - self.used_at) / 2)


Listing: TypeAlias = list[Session]  # in a class with a method `list`, that word is taken


def id_of(token: str) -> str:
    """The id of a token's session."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


class Sessions:
    """All logins. One ends when it is revoked, or when it was not used for its lifetime."""

    def __init__(self, database: Connection, lifetime: timedelta, clock: Clock = utc_now) -> None:
        self.table = Table(database, "sessions", SCHEMA, "session_id")
        self._lifetime = lifetime
        self._clock = clock

    def open(self, user_id: str, label: str = "") -> tuple[str, Session]:
        """A new session, and the token for its holder, which is told this once."""
        token, now = secrets.token_urlsafe(32), self._clock()
        session = Session(id_of(token), user_id, label, now, now, now + self._lifetime, False)
        self.table.insert_new(rows_of([msgspec.structs.asdict(session)], SCHEMA))
        return token, session

    def of_token(self, token: str) -> Session:
        """A token's session, which now lasts a lifetime more; raises Unauthenticated when it ended, or never was."""
        row, now = self.table.get(id_of(token)), self._clock()
        if row is None or row["revoked"] or row["expires_at"] <= now:
            raise Unauthenticated("This session has ended; log in again.")
        if row["used_at"] + NOTED_EVERY < now:
            row |= {"used_at": now, "expires_at": now + self._lifetime}
            used = {"used_at": row["used_at"], "expires_at": row["expires_at"]}
            self.table.change((col("session_id") == lit(row["session_id"])) & ~col("revoked"), used)
        return Session(**row)

    def list(self, user_id: str) -> Listing:
        """A user's sessions that have not ended, newest first."""
        mine = self._live() & (col("user_id") == lit(user_id))
        return [Session(**row) for row in self.table.rows(mine, order_by="created_at", descending=True).to_pylist()]

    def revoke(self, session_id: str, user_id: str) -> bool:
        """End one of a user's sessions at once; False when the user has no such session, or it had ended."""
        mine = (col("session_id") == lit(session_id)) & (col("user_id") == lit(user_id))
        return bool(self.table.change(mine & self._live(), {"revoked": True}))

    def revoke_all(self, user_id: str, but: str = "") -> int:
        """End all of a user's sessions at once, except one, and return how many."""
        others = (col("user_id") == lit(user_id)) & (col("session_id") != lit(but))
        return self.table.change(others & self._live(), {"revoked": True})

    def forget_ended(self) -> int:
        """Delete the sessions that have ended, and return how many."""
        return self.table.delete(~self._live())

    def _live(self) -> Expr:
        return ~col("revoked") & (col("expires_at") > lit(self._clock()))
