"""Events: photos that were taken one after the other without a long gap, under one title.

Which photos are an event's stands in the photos' rows; how events are found is `batch/events.py`'s business.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
from lancedb.expr import Expr, col, lit

from cluster.errors import Invalid, NotFound
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, texts
from cluster.store.table import Table
from cluster.store.titles import visible

FEWEST = 2  # photos of an event that is shown
LONGEST_TITLE = 200

SCHEMA = pa.schema(
    [
        key("event_id"),
        *texts("title", "own_title"),  # made of what is known, and what somebody called it: "" for nobody
        *texts("cover_photo_id"),  # that somebody chose; "" leaves the choice to us
        *texts("front_photo_id"),  # our choice
        column("first_at", TIME),
        column("last_at", TIME),
        column("photos", pa.int32()),
        column("places", pa.list_(pa.string())),
        column("people", pa.list_(pa.string())),
        column("deleted", pa.bool_()),  # it is not shown and does not come back
        column("changed_at", TIME),
    ]
)


def checked(title: str) -> str:
    """An event's own title as it is kept, "" for none; raises Invalid for one that is too long or cannot be read."""
    if (kept := visible(title, LONGEST_TITLE)) is None:
        raise Invalid(f"An event's title has up to {LONGEST_TITLE} characters, all of them visible; choose another.")
    return kept


def said(row: Mapping[str, Any]) -> bool:
    """Whether somebody gave an event a title or a cover."""
    return bool(row["own_title"] or row["cover_photo_id"])


def shown(deleted: bool = False) -> Expr:
    """Lets events through that people see, not deleted and with enough photos; or else those that somebody deleted."""
    return col("deleted") if deleted else ~col("deleted") & (col("photos") >= lit(FEWEST))


class Events(Table):
    """The events of a library, deleted ones too, and those that wait for their photos to come back."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "events", SCHEMA, "event_id")

    def page(
        self, limit: int, before: tuple[datetime, str] | None = None, deleted: bool = False
    ) -> list[dict[str, Any]]:
        """Up to so many events that are shown, or deleted, newest first; `before`: when the last began, and its id."""
        where = shown(deleted)
        if before:
            first_at, event_id = before
            same = (col("first_at") == lit(first_at)) & (col("event_id") < lit(event_id))
            where = where & ((col("first_at") < lit(first_at)) | same)
        rows: list[dict[str, Any]] = self.rows(where, None, limit, "first_at", descending=True).to_pylist()
        return rows

    def event(self, event_id: str, deleted: bool = False) -> dict[str, Any]:
        """An event that is shown, or deleted; raises NotFound."""
        same = col("event_id") == lit(event_id)
        found: list[dict[str, Any]] = self.rows(same & shown(deleted), limit=1).to_pylist()
        if not found:
            raise NotFound("There is no such event.")
        return found[0]
