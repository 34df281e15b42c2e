"""One LanceDB database: opening and creating its tables so that no crash and no race loses one.

What rows mean, and how they are read and written, is not known here.
"""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import lancedb
import pyarrow as pa
from lancedb.index import FTS
from lancedb.table import Table as LanceTable

from cluster.errors import StoreError
from cluster.store import columns, durable, recovery

INDEX_CACHE = 512 * 2**20  # bytes a process may keep of indexes; Lance's own default is several GiB
METADATA_CACHE = 256 * 2**20  # bytes


@functools.cache
def caches() -> lancedb.Session:
    """The caches that all databases of this process share."""
    return lancedb.Session(index_cache_size_bytes=INDEX_CACHE, metadata_cache_size_bytes=METADATA_CACHE)


@dataclass(frozen=True)
class Tidying:
    """When the tables of a database that has no writer of its own are compacted by who writes to them."""

    every: int  # commits of this process to the table
    keep: timedelta  # younger versions stay


class Connection:
    """A database at a folder or an object-store URL. It belongs to one process and does not travel through pickle."""

    def __init__(self, uri: str, fresh_s: float = 1.0, tidying: Tidying | None = None) -> None:
        """`fresh_s`: a table opened here sees commits of other processes at most so many seconds late."""
        self.uri = uri
        self.tidying = tidying
        self.folder = None if "://" in uri else Path(uri)
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
        self._database = lancedb.connect(uri, read_consistency_interval=timedelta(seconds=fresh_s), session=caches())
        self._opening = threading.Lock()

    def __reduce__(self) -> NoReturn:
        raise TypeError("an open database does not travel between processes; open it where it is used")

    def flush(self) -> None:
        """Make what was committed so far survive a power loss; an object store already has."""
        if self.folder:
            durable.flush(self.folder)

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Hold a table against all other writers, in this process and others on the same disk.

        Lance settles conflicts by trying again, and under many writers gives up; taking turns, nobody has to. Over an
        object store there is no lock and that is how it is settled.
        """
        with durable.locked(self.folder / f".{name}.lock") if self.folder else nullcontext():
            yield

    def open(self, name: str, schema: pa.Schema, text_column: str | None = None) -> LanceTable:
        """A table, created when absent, with its torn newest versions set aside; raises StoreError if it is past that.

        Columns that the schema has and the table has not, because an older Brightroom made it, are added.
        `text_column` is indexed for full-text search when the table is created.
        """
        with self._opening:
            if not self.folder:
                return self._open_remote(name, schema, text_column)
            folder = self.folder / f"{name}.lance"
            if not recovery.manifests(folder) or recovery.torn(folder):
                self._mend(name, schema)
            return self._searchable(self._completed(self._open(name), schema), text_column)

    def _open(self, name: str) -> LanceTable:
        try:
            return self._database.open_table(name)
        except (RuntimeError, OSError) as error:
            raise StoreError(f"{self.uri}/{name} cannot be opened; restore the store from a backup: {error}") from error

    def _mend(self, name: str, schema: pa.Schema) -> None:
        """Set torn versions aside and create the table if none is left.

        Under a lock: two creators without one overwrite each other's rows, and a version that somebody has just
        written under the name of a torn one must not be taken for it.
        """
        assert self.folder
        with self.writing(name):
            folder = self.folder / f"{name}.lance"
            recovery.set_torn_aside(folder)
            if not recovery.manifests(folder):
                self._database.create_table(name, schema=schema)
                self.flush()

    def _completed(self, table: LanceTable, schema: pa.Schema) -> LanceTable:
        """The table with every column of the schema."""
        if columns.lacking(table, schema):
            with self.writing(table.name):
                table.checkout_latest()  # another process may have been quicker
                columns.add(table, columns.lacking(table, schema))
            self.flush()
        return table

    def _searchable(self, table: LanceTable, text_column: str | None) -> LanceTable:
        """The table with its full-text index, without which a search finds nothing and says nothing."""
        if text_column and not has_index(table, text_column):
            with self.writing(table.name):
                table.checkout_latest()
                if not has_index(table, text_column):
                    # Positions crash compaction, and are only needed for phrases.
                    table.create_index(text_column, config=FTS(with_position=False))
            self.flush()
        return table

    def _open_remote(self, name: str, schema: pa.Schema, text_column: str | None) -> LanceTable:
        """Object stores have no lock: let one process create a database before others use it."""
        try:
            table = self._database.open_table(name)
        except ValueError:  # not found
            table = self._database.create_table(name, schema=schema)
        return self._searchable(self._completed(table, schema), text_column)


def has_index(table: LanceTable, column: str) -> bool:
    """Whether a column has an index."""
    return any(index.columns == [column] for index in table.list_indices())
