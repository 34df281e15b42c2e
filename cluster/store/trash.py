"""The trash: photos that were taken out of a library, with all their rows, to be put back or purged.

What is put there and when it goes is `batch/trash.py`'s business.
"""

from collections.abc import Sequence

import pyarrow as pa
from lancedb.expr import col, lit

from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, texts
from cluster.store.table import Table

SCHEMA = pa.schema(
    [
        key("photo_id"),
        *texts("action_id"),  # the job that took it out; what one job took out can be put back together
        *texts("name", "content_id"),
        column("bytes", pa.int64()),  # of its derived pictures
        column("deleted_at", TIME),
        *texts("deleted_by"),  # user_id
        column("rows", pa.binary()),  # what it had in each table: MessagePack of table -> Arrow IPC stream
    ]
)


class Trash(Table):
    """What was taken out of a library."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "trash", SCHEMA, "photo_id")

    def of_action(self, action_id: str, columns: Sequence[str] | None = None) -> pa.Table:
        """What one job took out."""
        return self.rows(col("action_id") == lit(action_id), columns)
