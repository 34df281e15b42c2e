"""Declaring tables and fitting rows to them."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from cluster.store.schema import TIME, changes_of, column, fitted, key, last_of_each, maybe, rows_of, texts

SCHEMA = pa.schema(
    [
        key("id"),
        *texts("name"),
        column("size", pa.int64()),
        column("path", pa.binary()),
        column("tags", pa.list_(pa.string())),
        column("there", pa.bool_()),
        column("share", pa.float64()),
        column("at", TIME),
        maybe("width", pa.int32()),
    ]
)
AT = datetime(2024, 1, 1, tzinfo=UTC)


def test_what_a_row_leaves_out_is_blank_or_null() -> None:
    """Columns that may not be null become "", b"", 0, False or []; the others null."""
    row = rows_of([{"id": "a", "at": AT}], SCHEMA).to_pylist()[0]
    blanks = {"name": "", "size": 0, "path": b"", "tags": [], "there": False, "share": 0.0, "width": None}
    assert row == {"id": "a", "at": AT, **blanks}


def test_a_time_that_may_not_be_null_has_no_blank() -> None:
    """Rows without such a time are refused, rather than dated 1970."""
    rows = rows_of([{"id": "a"}], SCHEMA)
    with pytest.raises(ValueError, match="non-nullable"):
        fitted(rows.cast(pa.schema([field.with_nullable(True) for field in SCHEMA])), SCHEMA)


def test_an_unknown_column_is_refused() -> None:
    """A slip in a column's name raises KeyError with that name."""
    with pytest.raises(KeyError, match="nmae"):
        rows_of([{"id": "a", "nmae": "b"}], SCHEMA)
    with pytest.raises(KeyError, match="nmae"):
        changes_of([{"id": "a", "nmae": "b"}], SCHEMA)


def test_a_full_row_has_all_columns() -> None:
    """Rows that lack a column are no full rows."""
    with pytest.raises(KeyError, match="name"):
        fitted(rows_of([{"id": "a", "at": AT}], SCHEMA).drop_columns(["name"]), SCHEMA)


def test_fitting_brings_columns_into_order_and_type() -> None:
    """Columns in another order, or of a narrower type, are no fault."""
    given = rows_of([{"id": "a", "at": AT, "size": 7}], SCHEMA)
    turned = given.select(list(reversed(SCHEMA.names)))
    narrow = turned.set_column(turned.column_names.index("size"), "size", turned["size"].cast(pa.int16()))
    assert fitted(narrow, SCHEMA).equals(given)


def test_changes_keep_only_the_columns_that_were_named() -> None:
    """An update must not touch what it does not name."""
    changes = changes_of([{"id": "a", "size": 1}, {"id": "b", "size": 2}], SCHEMA)
    assert changes.to_pylist() == [{"id": "a", "size": 1}, {"id": "b", "size": 2}]
    assert changes.schema.field("size").type == pa.int64()


def test_of_rows_with_one_key_the_last_stays() -> None:
    """The order of the others does not change."""
    rows = pa.table({"id": ["a", "b", "a", "c", "b"], "size": [1, 2, 3, 4, 5]})
    assert last_of_each(rows, "id").to_pylist() == [
        {"id": "a", "size": 3},
        {"id": "c", "size": 4},
        {"id": "b", "size": 5},
    ]
