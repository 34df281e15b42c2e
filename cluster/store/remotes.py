"""What is on users' Nextclouds, as their servers listed it last: one row for each folder and each photo's file.

A folder's row holds its etag once all below it is listed, so that a later listing can leave it out. A file that is gone
there stays as a row that says so until nothing of the library is about it any more. What is listed and fetched is
`batch/remotes.py`'s and `batch/mirror.py`'s business.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from lancedb.expr import Expr, col, lit

from cluster.store.connection import Connection
from cluster.store.paths import file_id
from cluster.store.schema import TIME, column, key, maybe, texts
from cluster.store.table import KEYS_AT_ONCE, Table

SCHEMA = pa.schema(
    [
        key("remote_id"),
        *texts("account", "parent_id", "path"),  # as the server has it, below the account's files
        *texts("file_id"),  # the server's: the same wherever the file is moved
        *texts("etag", "checksum"),
        column("is_folder", pa.bool_()),
        column("size", pa.int64()),  # bytes, -1 when the server does not tell
        column("mtime", pa.float64()),
        column("local", pa.binary()),  # path in the mirror
        column("mtime_ns", pa.int64()),  # of the file in the mirror; another for each version
        *texts("fetched"),  # etag of the version that was fetched last, "" when none was
        column("gone", pa.bool_()),
        maybe("unused_since", TIME),  # since when nothing of the library is about a file that is gone
    ]
)


class Remotes(Table):
    """Files and folders on the Nextclouds that a library's photos come from."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "remotes", SCHEMA, "remote_id")

    def below(self, parent_id: str, columns: Sequence[str] | None = None) -> pa.Table:
        """What is, or was, right below a folder."""
        return self.rows(col("parent_id") == lit(parent_id), columns)

    def files(self, account: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The files that are on an account's server."""
        return self.rows(of(account) & ~col("is_folder") & ~col("gone"), columns)

    def placed(self, account: str, places: Sequence[bytes]) -> Iterator[dict[str, Any]]:
        """The files that are on an account's server and have one of some paths in the mirror."""
        here = of(account) & ~col("is_folder") & ~col("gone")
        for start in range(0, len(places), KEYS_AT_ONCE):
            some = col("local").isin(list(places[start : start + KEYS_AT_ONCE]))
            yield from self.rows(here & some).to_pylist()

    def origins(self, places: Sequence[bytes]) -> dict[bytes, str]:
        """The paths on the server of files with some paths in the mirror."""
        rows = self.rows(~col("is_folder") & col("local").isin(list(places)), ["local", "path"]).to_pylist()
        return {row["local"]: row["path"] for row in rows}

    def lost(self) -> set[bytes]:
        """The paths in the mirror of files that are gone from where they were, of whichever account."""
        found = self.batches(col("gone") & ~col("is_folder"), ["local"])
        return {path for batch in found for path in batch["local"].to_pylist()}

    def moves(self) -> dict[bytes, bytes]:
        """Of files that are gone from where they were, but are elsewhere on their server: the old path and the new."""
        named = ~col("is_folder") & (col("file_id") != lit(""))
        gone = self.narrow(named & col("gone"), ["account", "file_id", "local"]).to_pylist()
        if not gone:
            return {}
        here = self.narrow(named & ~col("gone"), ["account", "file_id", "local"]).to_pylist()
        places = {(row["account"], row["file_id"]): row["local"] for row in here}
        found = ((row["local"], places.get((row["account"], row["file_id"]))) for row in gone)
        return {old: new for old, new in found if new is not None}

    def at(self, local: bytes) -> dict[str, Any] | None:
        """The file with a path in the mirror, or None."""
        rows = self.rows(~col("is_folder") & (col("local") == lit(local)), limit=1).to_pylist()
        return dict(rows[0]) if rows else None

    def moved_away(self, account: str, file_ids: Sequence[str]) -> Iterator[dict[str, object]]:
        """Files that are gone from where they were, by the server's ids, and whose bytes were fetched."""
        here = of(account) & col("gone") & (col("fetched") != lit("")) & col("file_id").isin(list(file_ids))
        for batch in self.batches(here):
            yield from batch.to_pylist()


def of(account: str) -> Expr:
    """Lets through what is an account's."""
    return col("account") == lit(account)


def remote_id(account: str, path: str) -> str:
    """The id of a path on an account's server."""
    return file_id(f"nextcloud\0{account}", path.encode(errors="surrogatepass"))
