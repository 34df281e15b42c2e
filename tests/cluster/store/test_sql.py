"""Filters and values as SQL, where LanceDB takes nothing else."""

from datetime import UTC, datetime

import pytest
from lancedb.expr import col, lit

from cluster.store.sql import assigned, condition


@pytest.mark.parametrize(
    "text", ["'", "''", "it's", "a''b", "\\", "\\'", "\\' OR 1=1 --", "\\' OR text = \\'", "''' OR '"]
)
def test_a_text_with_quotes_or_backslashes_is_not_trusted_to_sql(text: str) -> None:
    """Alone, beside an empty text, and in a list."""
    assert condition(col("text") == lit(text)) is None
    assert condition((col("text") == lit("")) & (col("id") == lit(text))) is None
    assert condition(col("text").isin(["", text, "x"])) is None


def test_plain_text_is_trusted() -> None:
    """Letters, empty texts, lists, times and numbers."""
    for where in (
        col("text") == lit("plain"),
        (col("text") == lit("")) & (col("id") != lit("")),
        col("text").isin(["", "a", "-- /* ; */", 'a"b']),
        col("at") < lit(datetime(2024, 1, 1, tzinfo=UTC)),
        col("count") + lit(1) > lit(2),
        lit(True),
    ):
        assert condition(where) == where.to_sql()


def test_values_become_literals() -> None:
    """A quote in a text is doubled, and nothing else is special in it."""
    assert assigned("it's \\'") == "'it''s \\'''"
    assert assigned(None) == "NULL"
    assert (assigned(True), assigned(7), assigned(0.5)) == ("true", "7", "0.5")
    assert assigned(col("count") + lit(1)) == "(`count` + 1)"


def test_an_expression_with_hostile_text_is_no_value() -> None:
    """It says so, rather than letting the text become syntax."""
    with pytest.raises(ValueError, match="no text with quotes"):
        assigned(col("text") + lit("\\' OR 1=1"))
