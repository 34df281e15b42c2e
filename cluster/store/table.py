"""One table of a database: rows by key, filters as expressions, durable writes, conditional changes.

Every write has reached the disk when its method returns, unless `durable=False` says that the caller flushes. Filters
are `lancedb.expr` expressions only: a value in one is never taken for syntax. What columns mean is the nouns' business.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pyarrow as pa
from lancedb.expr import Expr, col, lit
from lancedb.index import BTree
from lancedb.merge import LanceMergeInsertBuilder
from lancedb.query import ColumnOrdering, LanceQueryBuilder
from lancedb.table import Table as LanceTable

from cluster.store.connection import Connection, has_index
from cluster.store.schema import fitted, last_of_each, partly_fitted, rows_of
from cluster.store.sql import assigned, but_for, condition

log = logging.getLogger(__name__)

KEYS_AT_ONCE = 2000  # keys in one filter
SCANNED_AT_ONCE = 65_536  # rows of few columns
FOREVER = timedelta(days=36500)
SHORTEST = timedelta(milliseconds=1)  # to keep versions for; 0 makes LanceDB warn


class Table:
    """A table with a declared key, opened (created, mended) at its first use."""

    def __init__(
        self, database: Connection, name: str, schema: pa.Schema, key: str, text_column: str | None = None
    ) -> None:
        """`text_column`: the column full-text search looks into."""
        self.database = database
        self.name = name
        self.schema = schema
        self.key = key
        self.text_column = text_column
        self._opening = threading.Lock()
        self._opened: LanceTable | None = None
        self._commits = 0  # since it was last tidied up, where that is done here

    @property
    def lance(self) -> LanceTable:
        """The LanceDB table, for searches and indexes."""
        with self._opening:
            if self._opened is None:
                self._opened = self.database.open(self.name, self.schema, self.text_column)
            return self._opened

    @property
    def version(self) -> int:
        """The number of the newest version this process has seen."""
        return int(self.lance.version)

    # Reading

    def rows(
        self,
        where: Expr | None = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        order_by: str | None = None,
        descending: bool = False,
    ) -> pa.Table:
        """The rows a filter lets through; ordered by a column and then by the key, when `order_by` names one."""
        names = list(columns) if columns is not None else self.schema.names
        order = list(dict.fromkeys([order_by, self.key])) if order_by else []
        if limit == 0:  # to LanceDB that is no limit
            return rows_of([], self.schema).select(names)
        query = self._query(where, list(dict.fromkeys([*names, *order])))
        if order:
            query = query.order_by([ColumnOrdering(column_name=name, ascending=not descending) for name in order])
        return query.limit(limit).to_arrow().select(names)

    def batches(self, where: Expr | None = None, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows a filter lets through, in pieces, so that memory stays bounded whatever the table's size."""
        names = list(columns) if columns is not None else self.schema.names
        yield from self._query(where, names).to_batches(8192)

    def narrow(self, where: Expr | None, columns: Sequence[str]) -> pa.Table:
        """Some columns of the rows a filter lets through, in no order: quicker than `rows` over a whole table."""
        found = list(self._query(where, list(columns)).to_batches(SCANNED_AT_ONCE))
        return pa.Table.from_batches(found) if found else rows_of([], self.schema).select(list(columns))

    def get(self, key: str) -> dict[str, Any] | None:
        """The row of a key as a dictionary, or None."""
        found = self.rows(col(self.key) == lit(key), limit=1).to_pylist()
        return found[0] if found else None

    def by_keys(self, keys: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of some keys, in the order of the keys; keys without a row are left out."""
        names = list(columns) if columns is not None else self.schema.names
        wanted = list(dict.fromkeys(keys))
        pieces = [wanted[start : start + KEYS_AT_ONCE] for start in range(0, len(wanted), KEYS_AT_ONCE)]
        selected = list(dict.fromkeys([self.key, *names]))
        found = [self.rows(col(self.key).isin(piece), selected) for piece in pieces]
        rows = pa.concat_tables(found or [rows_of([], self.schema).select(selected)])
        place = {key: index for index, key in enumerate(rows[self.key].to_pylist())}
        return rows.take(pa.array([place[key] for key in wanted if key in place], pa.int64())).select(names)

    def count(self, where: Expr | None = None) -> int:
        """How many rows a filter lets through."""
        if where is None:
            return int(self.lance.count_rows())
        if (sql := condition(where)) is not None:
            return int(self.lance.count_rows(sql))
        return sum(len(batch) for batch in self.batches(where, [self.key]))

    # Writing

    def upsert(self, rows: pa.Table, durable: bool = True) -> int:
        """Write full rows, replacing those of the same key; returns how many are new."""
        if not len(rows):
            return 0
        merge = self._merge().when_matched_update_all().when_not_matched_insert_all()
        return int(self._run(merge, self._full(rows), durable).num_inserted_rows)

    def update(self, rows: pa.Table, durable: bool = True, sparing: tuple[str, str] | None = None) -> int:
        """Change some columns of the rows whose key is there, and return how many; `rows` has the key and those.

        `sparing`, a column and a plain value: rows that have it when this is committed stay as they are.
        """
        if not len(rows):
            return 0
        merge = self._merge().when_matched_update_all(where=but_for(sparing) if sparing else None)
        return int(self._run(merge, partly_fitted(self.completed(rows), self.schema), durable).num_updated_rows)

    def insert_new(self, rows: pa.Table, durable: bool = True) -> int:
        """Write the full rows whose key is not there yet; returns how many. Of two racing callers one inserts a key."""
        if not len(rows):
            return 0
        merge = self._merge().when_not_matched_insert_all()
        return int(self._run(merge, self._full(rows), durable).num_inserted_rows)

    def replace(self, rows: pa.Table, column: str, values: Sequence[str], durable: bool = True) -> None:
        """Write full rows and, in the same commit, delete the others whose `column` has one of the values."""
        if not values and not len(rows):
            return
        merge = self._merge().when_matched_update_all().when_not_matched_insert_all()
        if values:
            merge = merge.when_not_matched_by_source_delete(col(column).isin(list(values)))
        self._run(merge, self._full(rows), durable)

    def delete(self, where: Expr, durable: bool = True) -> int:
        """Delete the rows a filter lets through; returns how many."""
        with self._writing(durable):
            return int(self.lance.delete(where).num_deleted_rows)

    def change(self, where: Expr, values: Mapping[str, Any], durable: bool = True) -> int:
        """Set columns of the rows a filter lets through, and return how many: compare and swap.

        Of several callers whose filters the same row passes only until one of them has changed it, one gets 1. A value
        is text, a number, a truth, a time, bytes, None, or an expression over the row's own columns; no list.
        """
        assignments = {name: assigned(value) for name, value in values.items()}
        with self._writing(durable):
            if (sql := condition(where)) is not None:
                return int(self.lance.update(where=sql, values_sql=assignments).rows_updated)
            return self._change_found(where, assignments)

    def build_index(self, column: str) -> bool:
        """Sort a column, for filters by it; False when it is already."""
        with self._writing():
            if has_index(self.lance, column):
                return False
            self.lance.create_index(column, config=BTree())
            return True

    def optimize(self, keep: timedelta) -> bool:
        """Compact files, bring indexes up to date and drop versions older than `keep`.

        In two steps with a flush between: the old version may only go when the compacted one is safely on disk.
        False when a writer came between, which only happens where no lock keeps writers apart: try again later.
        """
        try:
            for age in (FOREVER, max(keep, SHORTEST)):
                with self._writing():
                    self.lance.optimize(cleanup_older_than=age)
        except RuntimeError as error:
            if "conflict" not in str(error):
                raise
            log.info("%s was not compacted this time: %s", self.name, error)
            return False
        return True

    def purge(self) -> None:
        """Leave nothing on disk of rows that were deleted or changed. For small tables: all of it is written anew.

        Compacting alone would do neither: few deleted rows stay in their file, and files that no version names, which a
        killed writer left, are spared for days.
        """
        with self._writing():
            self.lance.checkout_latest()
            self.lance.add(fitted(self.lance.to_arrow(), self.schema), mode="overwrite")
            self.database.flush()  # the former version may only go when this one is safely on disk
            self.lance.optimize(cleanup_older_than=SHORTEST, delete_unverified=bool(self.database.folder))

    def _change_found(self, where: Expr, assignments: Mapping[str, str]) -> int:
        """Change rows by row id. One that was changed since it was found has another id by then: look again."""
        while True:
            self.lance.checkout_latest()
            found = self._query(where, [self.key]).with_row_id(True).to_arrow()["_rowid"].to_pylist()
            ids = col("_rowid").isin(found).to_sql()
            changed = int(self.lance.update(where=ids, values_sql=assignments).rows_updated) if found else 0
            if changed or not found:
                return changed

    def completed(self, rows: pa.Table) -> pa.Table:
        """Rows with the columns that follow from their other columns; a noun that has such columns says how."""
        return rows

    def _full(self, rows: pa.Table) -> pa.Table:
        return fitted(self.completed(rows), self.schema)

    def _query(self, where: Expr | None, columns: list[str]) -> LanceQueryBuilder:
        query = self.lance.search().select(columns)
        return query if where is None else query.where(where)

    def _merge(self) -> LanceMergeInsertBuilder:
        # An index on the key brings back the duplicates that declaring the key prevents.
        return self.lance.merge_insert(self.key).use_index(False)

    def _run(self, merge: LanceMergeInsertBuilder, rows: pa.Table, durable: bool) -> Any:
        with self._writing(durable):
            return merge.execute(last_of_each(rows, self.key))

    @contextmanager
    def _writing(self, durable: bool = True) -> Iterator[None]:
        """Our turn to write; what was written is on disk afterwards, unless the caller flushes."""
        table = self.lance  # opening takes the same lock
        with self.database.writing(table.name):
            yield
        if durable:
            self.database.flush()
            self._tidy()

    def _tidy(self) -> None:
        """Compact after so many commits, where the database has no writer that would."""
        self._commits += 1
        if self.database.tidying and self._commits > self.database.tidying.every:
            self._commits = -2  # the two of this
            self.optimize(self.database.tidying.keep)
