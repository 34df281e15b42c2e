"""Where else than from their folder users' photos come: one Nextcloud a user, its password sealed.

How servers are talked to is `batch/nextcloud/`'s business, how passwords are sealed `cluster/sealing.py`'s.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec
import pyarrow as pa
from lancedb.expr import col, lit

from cluster.errors import NotFound
from cluster.sealing import Sealer
from cluster.store.clock import Clock, utc_now
from cluster.store.connection import Connection
from cluster.store.schema import TIME, changes_of, column, key, maybe, rows_of, texts
from cluster.store.table import Table

SCHEMA = pa.schema(
    [
        key("user_id"),
        *texts("server", "login"),
        column("sealed", pa.binary()),
        column("folders", pa.list_(pa.string())),
        column("excludes", pa.list_(pa.string())),
        maybe("keep_originals", pa.bool_()),
        column("app_password", pa.bool_()),
        column("granted", pa.bool_()),
        *texts("state", "told", "version"),
        column("used", pa.int64()),
        column("free", pa.int64()),
        column("connected_at", TIME),
        column("checked_at", TIME),
    ]
)
TOLD = [name for name in SCHEMA.names if name != "sealed"]
NONE = "You are not connected to a Nextcloud; connect first."

State: TypeAlias = Literal["connected", "refused", "unreachable", "maintenance", "key_lost"]


class Source(msgspec.Struct, frozen=True):
    """One user's connection to a Nextcloud, without its password."""

    user_id: str
    server: str  # https://cloud.example/nextcloud
    login: str
    folders: list[str]  # remote paths that are scanned, with all below them; "" is everything
    excludes: list[str]  # globs: what is left out
    keep_originals: bool | None  # None: as the settings say
    app_password: bool  # whether the password is one that Nextcloud made, and not the account's own
    granted: bool  # whether it made it for us, by consent in the browser: nobody else has it
    state: State  # how it was when it was last checked
    told: str  # a sentence for the owner, "" when all is well
    version: str  # of the server
    used: int  # bytes of the account, -1 when the server does not tell
    free: int  # bytes that the account may still take, -1 when not told or without a limit
    connected_at: datetime  # when its owner entered the password
    checked_at: datetime

    @property
    def waits(self) -> bool:
        """Whether only its owner can mend it, by entering something new: until then its server is not asked."""
        return self.state == "refused"


Listing: TypeAlias = list[Source]


class Sources:
    """All connections, one a user."""

    def __init__(self, database: Connection, clock: Clock = utc_now) -> None:
        self.table = Table(database, "sources", SCHEMA, "user_id")
        self._clock = clock

    def find(self, user_id: str) -> Source | None:
        """A user's connection, or None."""
        rows = self.table.rows(col("user_id") == lit(user_id), TOLD, limit=1).to_pylist()
        return Source(**rows[0]) if rows else None

    def get(self, user_id: str) -> Source:
        """A user's connection; raises NotFound."""
        if source := self.find(user_id):
            return source
        raise NotFound(NONE)

    def all(self) -> Listing:
        """All connections."""
        return [Source(**row) for row in self.table.rows(None, TOLD).to_pylist()]

    def password(self, source: Source, sealer: Sealer) -> str:
        """The password of a connection, sealed anew where an older key did it; raises Lost, and NotFound."""
        row = self.table.get(source.user_id)
        if row is None or row["connected_at"] != source.connected_at:
            raise NotFound(NONE)
        password = sealer.open(row["sealed"], *bound(source.user_id, source.server, source.login))
        if sealer.outdated(row["sealed"]):
            self._seal(source, password, sealer)
        return password

    def connect(
        self, user_id: str, server: str, login: str, password: str, sealer: Sealer, app_password: bool = True,
        version: str = "", used: int = -1, free: int = -1, granted: bool = False,
    ) -> Source:  # fmt: skip
        """Note a connection that works. Of the same account it keeps what was chosen; nothing is left of the former."""
        now, former = self._clock(), self.find(user_id)
        same = former if former and (former.server, former.login) == (server, login) else None
        source = Source(
            user_id=user_id, server=server, login=login, folders=same.folders if same else [],
            excludes=same.excludes if same else [], keep_originals=same.keep_originals if same else None,
            app_password=app_password, granted=granted, state="connected", told="", version=version, used=used,
            free=free, connected_at=now, checked_at=now,
        )  # fmt: skip
        sealed = sealer.seal(password, *bound(user_id, server, login))
        self.table.upsert(rows_of([{**msgspec.structs.asdict(source), "sealed": sealed}], SCHEMA))
        if former:
            self.table.purge()
        return source

    def choose(
        self, user_id: str, folders: Sequence[str], excludes: Sequence[str], keep_originals: bool | None
    ) -> Source:
        """Note what is to be scanned, and whether originals are kept; raises NotFound."""
        wanted = {"folders": list(folders), "excludes": list(excludes), "keep_originals": keep_originals}
        if not self.table.update(changes_of([{"user_id": user_id, **wanted}], SCHEMA)):
            raise NotFound(NONE)
        return self.get(user_id)

    def note(self, source: Source, state: State, told: str, version: str = "", used: int = -1, free: int = -1) -> bool:
        """Note how a connection is now; False when it is another one by then, or gone."""
        same = (col("user_id") == lit(source.user_id)) & (col("connected_at") == lit(source.connected_at))
        values = {"state": state, "told": told, "checked_at": self._clock()}
        if state == "connected":
            values |= {"version": version, "used": used, "free": free}
        return bool(self.table.change(same, values))

    def disconnect(self, user_id: str) -> bool:
        """Forget a user's connection and everything of it, the sealed password in former versions too."""
        gone = self.table.delete(col("user_id") == lit(user_id))
        if gone:
            self.table.purge()
        return bool(gone)

    def tidy(self) -> None:
        """Leave nothing of former passwords, where a kill came between a change and its purge."""
        if len(self.table.lance.list_versions()) > 1:
            self.table.purge()

    def _seal(self, source: Source, password: str, sealer: Sealer) -> None:
        sealed = sealer.seal(password, *bound(source.user_id, source.server, source.login))
        same = (col("user_id") == lit(source.user_id)) & (col("connected_at") == lit(source.connected_at))
        if self.table.change(same, {"sealed": sealed}):
            self.table.purge()


def bound(user_id: str, server: str, login: str) -> tuple[str, ...]:
    """What a sealed password belongs to: no other user's row, and no other server, can make use of it."""
    return "nextcloud", user_id, server, login
