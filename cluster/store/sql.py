"""SQL for the two calls of LanceDB that take no expression, without letting a value become syntax.

`Expr.to_sql()` alone must not be used: lancedb 0.40 takes a quote after a backslash, or beside another quote, for one
that is escaped already, so that the text `\\' OR 1=1 --` ends its own literal.
"""

import re
from typing import Any

from lancedb.expr import Expr, col, lit

# Literals without a backslash, and none right beside another: a quote within a text would show as one or the other.
FAITHFUL = re.compile(r"(?:[^'\\]|'[^'\\]*'(?!'))*")


def condition(where: Expr) -> str | None:
    """A filter as SQL, or None when a text in it has a quote or a backslash and its SQL cannot be trusted."""
    sql = str(where.to_sql())
    return sql if FAITHFUL.fullmatch(sql) else None


def assigned(value: Any) -> str:
    """A column's new value as SQL; raises ValueError for an expression with text in it that cannot be trusted."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if not isinstance(value, Expr):
        return str(lit(value).to_sql())
    if (sql := condition(value)) is None:
        raise ValueError("an expression as a new value may hold no text with quotes or backslashes")
    return sql


def but_for(spared: tuple[str, str]) -> str:
    """What lets a merge change rows but for those with a value in a column; raises ValueError for a quoted value."""
    column, value = spared
    if (sql := condition(col(f"target.{column}") != lit(value))) is None:
        raise ValueError("rows can be spared by a plain value only, without quotes or backslashes")
    return sql.replace(f"`target.{column}`", f"target.{column}")
