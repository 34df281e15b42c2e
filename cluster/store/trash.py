"""The trash: photos that were taken out of a library, with all their rows, to be put back or purged.

What is put there and when it goes is `batch/trash.py`'s business.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
from lancedb.expr import Expr, col, lit

from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, texts
from cluster.store.table import Table

SCHEMA = pa.schema(
    [
        key("photo_id"),
        *texts("record_id"),  # another one each time that the photo is put here
        *texts("action_id"),  # the job that took it out; what one job took out can be put back together
        *texts("name", "content_id"),
        column("bytes", pa.int64()),  # of its derived pictures
        column("deleted_at", TIME),
        *texts("deleted_by"),  # user_id
        column("rows", pa.binary()),  # what it had in each table, packed
    ]
)
TOLD = ("photo_id", "action_id", "name", "content_id", "bytes", "deleted_at", "deleted_by")


class Action(msgspec.Struct, frozen=True):
    """What one job took out and is still in the trash."""

    action_id: str
    photos: int
    bytes: int  # of their derived pictures
    deleted_at: datetime  # the last of them
    deleted_by: str  # user_id


class Trash(Table):
    """What was taken out of a library."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "trash", SCHEMA, "photo_id")

    def of_action(self, action_id: str, columns: Sequence[str] | None = None) -> pa.Table:
        """What one job took out."""
        return self.rows(col("action_id") == lit(action_id), columns)

    def of_contents(self, content_ids: Sequence[str]) -> list[str]:
        """The photos in the trash that show some contents."""
        found = self.rows(col("content_id").isin(list(content_ids)), ["photo_id"]) if content_ids else None
        return [str(photo_id) for photo_id in found["photo_id"].to_pylist()] if found else []

    def older(self, than: datetime, columns: Sequence[str] | None = None) -> pa.Table:
        """What was taken out before a moment."""
        return self.rows(col("deleted_at") < lit(than), columns)

    def newest(self, limit: int, after: tuple[datetime, str] | None = None) -> list[dict[str, Any]]:
        """What was taken out, last first, without the rows; `after` is the time and the photo that were shown last."""
        found = self.rows(beyond(after), list(TOLD), limit, "deleted_at", descending=True)
        return [dict(row) for row in found.to_pylist()]

    def actions(self) -> list[Action]:
        """What jobs took out, by job, the last one first."""
        rows = self.rows(None, ["action_id", "bytes", "deleted_at", "deleted_by"])
        sums = [("action_id", "count"), ("bytes", "sum"), ("deleted_at", "max"), ("deleted_by", "max")]
        found = rows.group_by("action_id").aggregate(sums).to_pylist()
        made = [Action(row["action_id"], *(row[f"{name}_{what}"] for name, what in sums)) for row in found]
        return sorted(made, key=lambda one: (one.deleted_at, one.action_id), reverse=True)


def beyond(after: tuple[datetime, str] | None) -> Expr:
    """Lets through what comes after a place in the list, last first."""
    if after is None:
        return lit(True)
    same = (col("deleted_at") == lit(after[0])) & (col("photo_id") < lit(after[1]))
    return (col("deleted_at") < lit(after[0])) | same
