"""How tables are declared as Arrow schemas, and how rows are made to fit one.

No table is declared here; each is declared with its noun. Text is never null: absent text is "".
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

SCHEMA_VERSION = 5  # of the whole store; raise it when a table changes its shape: older programs could not write to it

DECLARED_KEY = {b"lance-schema:unenforced-primary-key": b"true"}  # without it, concurrent upserts duplicate rows
TIME = pa.timestamp("us", "UTC")

Row: TypeAlias = Mapping[str, Any]


def key(name: str) -> pa.Field:
    """The column that names a row: text, never null, declared as Lance's primary key."""
    return pa.field(name, pa.string(), nullable=False, metadata=DECLARED_KEY)


def column(name: str, kind: pa.DataType) -> pa.Field:
    """A column that is never null."""
    return pa.field(name, kind, nullable=False)


def maybe(name: str, kind: pa.DataType) -> pa.Field:
    """A column that is null where nothing is known."""
    return pa.field(name, kind, nullable=True)


def texts(*names: str) -> list[pa.Field]:
    """Columns of text, "" where there is none."""
    return [column(name, pa.string()) for name in names]


def blank(kind: pa.DataType) -> Any:
    """What a column that may not be null holds where nothing is known; None for times, which have no such value."""
    blanks = [
        (pa.types.is_string, ""), (pa.types.is_binary, b""), (pa.types.is_boolean, False), (pa.types.is_list, []),
        (pa.types.is_integer, 0), (pa.types.is_floating, 0.0),
    ]  # fmt: skip
    return next((value for fits, value in blanks if fits(kind)), None)


def rows_of(records: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """Full rows of a table from dictionaries; what a dictionary leaves out is null, or blank where null is not allowed.

    Raises KeyError for a name that is no column, and pyarrow.ArrowInvalid for a value that does not fit.
    """
    given = list(records)
    if unknown := {name for record in given for name in record} - set(schema.names):
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    blanks = {field.name: None if field.nullable else blank(field.type) for field in schema}
    columns = [[record.get(field.name, blanks[field.name]) for record in given] for field in schema]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def changes_of(records: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """Rows for an update from dictionaries that all have the same names: the key and the columns to change."""
    given = list(records)
    names = list(given[0]) if given else []
    fields = [schema.field(name) for name in names]
    arrays = [pa.array([record[field.name] for record in given], field.type) for field in fields]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Full rows with a table's columns in its order and types; raises KeyError when a column is not there."""
    return rows.select(schema.names).cast(schema)


def partly_fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows of some of a table's columns, in its types; raises KeyError for a name that is no column."""
    return rows.cast(pa.schema([schema.field(name) for name in rows.column_names]))


def last_of_each(rows: pa.Table, name: str) -> pa.Table:
    """The rows without those whose key comes again later: a merge refuses, or doubles, a key that comes twice."""
    if len(rows) == pc.count_distinct(rows[name]).as_py():
        return rows
    last = {value: place for place, value in enumerate(rows[name].to_pylist())}
    return rows.take(pa.array(sorted(last.values())))
