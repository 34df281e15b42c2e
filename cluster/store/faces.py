"""Faces found in photos: where, and how sure. Who they are comes later; their vectors are in an embeddings table."""

from collections.abc import Sequence

import pyarrow as pa
from lancedb.expr import col

from cluster.store.connection import Connection
from cluster.store.schema import column, key, texts
from cluster.store.table import Table

SCHEMA = pa.schema(
    [
        key("face_id"),
        *texts("photo_id"),
        *[
            column(side, pa.float32()) for side in ("left", "top", "right", "bottom")
        ],  # fractions of the upright picture
        column("score", pa.float32()),  # 0..1
        column("landmarks", pa.list_(pa.float32())),  # x and y of eyes, nose, mouth corners: 10 fractions
        *texts("model"),
    ]
)


def face_id(photo_id: str, index: int) -> str:
    """The id of a photo's face, counted from 0."""
    return f"{photo_id}-{index:02d}"


class Faces(Table):
    """The faces of a library."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "faces", SCHEMA, "face_id")

    def of_photos(self, photo_ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """The faces of some photos."""
        return self.rows(col("photo_id").isin(list(photo_ids)), columns)
