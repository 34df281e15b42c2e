"""What a job could not do, file by file, in words for people."""

import hashlib
from collections.abc import Sequence

import pyarrow as pa
from lancedb.expr import col, lit

from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, texts
from cluster.store.table import Table

SCHEMA = pa.schema(
    [key("error_id"), *texts("job_id", "file_id", "photo_id", "name", "stage", "reason"), column("at", TIME)]
)


def error_id(job_id: str, file_id: str, stage: str) -> str:
    """The id of a job's error at one stage of one file: saying it twice stores it once."""
    return hashlib.sha256("\0".join((job_id, file_id, stage)).encode()).hexdigest()[:32]


class Failures(Table):
    """The table `errors` of a library."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "errors", SCHEMA, "error_id")

    def of_job(
        self, job_id: str, limit: int | None = None, after: str = "", columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Errors of a job, ordered by id, from the one after the id `after`."""
        mine = (col("job_id") == lit(job_id)) & (col("error_id") > lit(after))
        return self.rows(mine, columns, limit, order_by="error_id")

    def forget(self, job_id: str) -> int:
        """Delete a job's errors, before it tries again, and return how many there were."""
        return self.delete(col("job_id") == lit(job_id))
