"""Columns that a table of an older Brightroom lacks, added with what stands in them where nothing is known.

Leaves out columns that change their type or go: no table's schema has done so yet.
"""

import pyarrow as pa
from lancedb.table import Table as LanceTable

from cluster.errors import StoreError
from cluster.store.schema import blank

# Values and types of DataFusion, in which LanceDB fills a new column that may not be null.
BLANKS = {str: "''", bool: "false", int: "0", float: "0.0", bytes: "''"}
TYPES = {
    pa.string(): "Utf8", pa.bool_(): "Boolean", pa.binary(): "Binary", pa.float32(): "Float32", pa.float64(): "Float64",
    **{kind: f"Int{kind.bit_width}" for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())},
}  # fmt: skip


def lacking(table: LanceTable, schema: pa.Schema) -> list[pa.Field]:
    """The columns of a schema that a table does not have."""
    there = set(table.schema.names)
    return [field for field in schema if field.name not in there]


def add(table: LanceTable, fields: list[pa.Field]) -> None:
    """Add columns: null in the rows there are, or blank where null is not allowed.

    Raises StoreError for a column that has no blank, such as a time.
    """
    if filled := {field.name: filling(field) for field in fields if not field.nullable}:
        table.add_columns(filled)
    if empty := [field for field in fields if field.nullable]:
        table.add_columns(pa.schema(empty))


def filling(field: pa.Field) -> str:
    """What a new column that may not be null is filled with, as SQL."""
    value = BLANKS.get(type(blank(field.type)))
    if value is None or field.type not in TYPES:
        raise StoreError(f"a new column {field.name} of {field.type} must allow null: nothing else can stand there")
    return f"arrow_cast({value}, '{TYPES[field.type]}')"
