"""Events: photos that were taken one after the other without a long gap, under one title.

Which photos are an event's stands in the photos' rows; how events are found is `batch/events.py`'s business.
"""

import pyarrow as pa

from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, texts
from cluster.store.table import Table

SCHEMA = pa.schema(
    [
        key("event_id"),
        *texts("title", "own_title"),  # made of what is known, and what somebody called it: "" for nobody
        *texts("cover_photo_id"),  # that somebody chose; "" leaves the choice to us
        column("first_at", TIME),
        column("last_at", TIME),
        column("photos", pa.int32()),
        column("places", pa.list_(pa.string())),
        column("people", pa.list_(pa.string())),
        column("deleted", pa.bool_()),  # it is not shown and does not come back
        column("changed_at", TIME),
    ]
)


class Events(Table):
    """The events of a library, deleted ones too."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "events", SCHEMA, "event_id")
