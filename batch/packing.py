"""Rows of tables packed as bytes, to be kept in a row of another table, and unpacked in the shape of today's tables.

Which rows are packed, and what becomes of them, is the business of who keeps them: `trash.py` and `acts.py`.
"""

import zlib
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import pyarrow as pa

from cluster.store.schema import blank

Rows: TypeAlias = dict[str, pa.Table]  # by table
PACK = msgspec.msgpack.Encoder()
UNPACK = msgspec.msgpack.Decoder(dict[str, bytes])


def packed(rows: Rows) -> bytes:
    """Rows by table as one record: MessagePack of table -> Arrow IPC stream, deflated, for most of it is schemas."""
    return zlib.compress(PACK.encode({name: stream(table) for name, table in rows.items()}))


def stream(rows: pa.Table) -> bytes:
    """Rows as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())


def opened(record: bytes) -> Rows:
    """The rows of a record in the shape in which they were packed."""
    return {name: pa.ipc.open_stream(rows).read_all() for name, rows in UNPACK.decode(zlib.decompress(record)).items()}


def together(parts: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Rows of several records in today's schema; made to fit once for each schema that they were written in."""
    made = []
    while parts:
        first = parts[0].schema
        made.append(fitted(pa.concat_tables([part for part in parts if part.schema == first]).combine_chunks(), schema))
        parts = [part for part in parts if part.schema != first]
    return pa.concat_tables(made)


def fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows of a former schema in today's: columns that have come since are blank, those that have gone are left out."""
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else missing(field, len(rows))
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def missing(field: pa.Field, count: int) -> pa.Array:
    """A column of which nothing is known."""
    return pa.array([None if field.nullable else blank(field.type)] * count, field.type)
