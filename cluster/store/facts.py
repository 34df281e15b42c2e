"""What people said of faces: facts that no scan, training or change of model overrides, only another fact.

A fact is about a box in a photo, not about a detection: detections come and go with models. Which face of today a fact
means is found by how much their boxes overlap (`batch/faces.py`).
"""

import hashlib
from collections.abc import Sequence

import pyarrow as pa
from lancedb.expr import col

from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, texts
from cluster.store.table import Table

LABEL, REJECT, DELETE, ADD = "label", "reject", "delete", "add"  # is, is not, is no face, is a face that nobody found

SCHEMA = pa.schema(
    [
        key("fact_id"),
        *texts("photo_id", "content_id", "kind", "person_id", "face_id"),
        *[column(side, pa.float32()) for side in ("left", "top", "right", "bottom")],  # of the upright picture
        *texts("made_by"),  # user_id
        column("made_at", TIME),
    ]
)


def fact_id(face_id: str, kind: str, person_id: str = "") -> str:
    """The id of a fact: a face is labeled, deleted or added once, and rejected once for each person."""
    said = "\0".join([face_id, "is" if kind == LABEL else kind, person_id if kind == REJECT else ""])
    return hashlib.sha256(said.encode("utf8", "surrogatepass")).hexdigest()[:32]


class Facts(Table):
    """What people said of faces in a library."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "facts", SCHEMA, "fact_id")

    def of_photos(self, photo_ids: Sequence[str]) -> pa.Table:
        """What was said of faces in some photos."""
        return self.rows(col("photo_id").isin(list(photo_ids)))
