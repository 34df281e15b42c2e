"""Acts: what somebody said of faces and people, each with all that it changed, as it was before.

What is kept with an act, and how it is taken back, is `batch/acts.py`'s business.
"""

from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
from lancedb.expr import Expr, col, lit

from cluster.errors import NotFound
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, maybe, texts
from cluster.store.table import Table

SCHEMA = pa.schema(
    [
        key("act_id"),
        column("number", pa.int64()),  # acts in their order, from 1
        *texts("kind"),  # what was said: label, merge and so on
        column("names", pa.list_(pa.string())),  # of whom it was said; "" for somebody without a name
        column("faces", pa.int64()),  # how many it was said of
        *texts("made_by"),  # user_id
        column("made_at", TIME),
        column("undone", pa.bool_()),
        maybe("undone_at", TIME),
        column("touched", pa.list_(pa.string())),  # what it changed, as faces/ID and people/ID
        column("meant", pa.list_(pa.string())),  # the people whose the faces are since, whether it changed them or not
        column("rows", pa.binary()),  # what it changed as that was before, packed
    ]
)
TOLD = ("act_id", "number", "kind", "names", "faces", "made_by", "made_at", "undone_at")


class Act(msgspec.Struct, frozen=True):
    """Something that somebody said."""

    act_id: str
    number: int
    kind: str
    names: list[str]
    faces: int
    made_by: str
    made_at: datetime
    undone_at: datetime | None


class Acts(Table):
    """The acts of a library, those that were undone too."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "acts", SCHEMA, "act_id")

    def following(self) -> int:
        """The number of the next act."""
        last = self.rows(None, ["number"], 1, "number", descending=True)["number"].to_pylist()
        return int(last[0]) + 1 if last else 1

    def newest(self, limit: int, before: int | None = None) -> list[Act]:
        """Acts, the last one first; `before` is the number of the one that was shown last."""
        where = col("number") < lit(before) if before is not None else None
        return [act_of(row) for row in self.rows(where, TOLD, limit, "number", descending=True).to_pylist()]

    def act(self, act_id: str) -> tuple[Act, dict[str, Any]]:
        """An act, and its row with what it changed; raises NotFound."""
        if row := self.get(act_id):
            return act_of(row), row
        raise NotFound("There is no such act; it may be too long ago.")

    def after(self, number: int) -> list[dict[str, Any]]:
        """What is told of the later acts that were not undone, and what they touched and meant; the last one first."""
        where = (col("number") > lit(number)) & ~col("undone")
        columns = [*TOLD, "touched", "meant"]
        return [dict(row) for row in self.rows(where, columns, None, "number", descending=True).to_pylist()]

    def outlived(self, before: datetime) -> list[str]:
        """The ids of the acts that are older than a moment; of those that came after one that is not, none."""
        young = self.rows(made_since(before), ["number"], 1, "number")["number"].to_pylist()
        where = col("number") < lit(young[0]) if young else None
        return [str(act_id) for act_id in self.rows(where, ["act_id"])["act_id"].to_pylist()]


def made_since(moment: datetime) -> Expr:
    """Lets acts through that are not older than a moment."""
    return col("made_at") >= lit(moment)


def act_of(row: dict[str, Any]) -> Act:
    """An act from its row."""
    return Act(**{name: row[name] for name in TOLD})
