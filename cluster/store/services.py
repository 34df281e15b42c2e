"""Which services an administrator wants running. Making it so is `serve_apps/fleet.py`'s business."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec
import pyarrow as pa

from cluster.store.clock import Clock, utc_now
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, rows_of, texts
from cluster.store.table import Table

SCHEMA = pa.schema([key("name"), *texts("wanted"), column("changed_at", TIME), *texts("changed_by")])

Wanted: TypeAlias = Literal["running", "stopped"]


class Wish(msgspec.Struct, frozen=True):
    """What somebody last wanted of a service."""

    name: str
    wanted: Wanted
    changed_at: datetime
    changed_by: str


class Services:
    """The desired state of services; one nobody ever touched is wanted running."""

    def __init__(self, database: Connection, clock: Clock = utc_now) -> None:
        self.table = Table(database, "services", SCHEMA, "name")
        self._clock = clock

    def want(self, name: str, wanted: Wanted, changed_by: str) -> Wish:
        """Note that somebody wants a service running or stopped."""
        wish = Wish(name, wanted, self._clock(), changed_by)
        self.table.upsert(rows_of([msgspec.structs.asdict(wish)], SCHEMA))
        return wish

    def wishes(self) -> dict[str, Wish]:
        """All noted wishes, by service."""
        return {row["name"]: Wish(**row) for row in self.table.rows().to_pylist()}

    def wanted(self, name: str) -> Wanted:
        """The desired state of a service."""
        row = self.table.get(name)
        return Wish(**row).wanted if row else "running"
