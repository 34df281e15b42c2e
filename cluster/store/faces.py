"""Faces in photos: where, how sure, and whose. Their vectors are in an embeddings table.

A face is *labeled* (a person or a sidecar said whose it is), *inferred* (training says so, surely enough) or *unknown*;
an unknown one may be in a cluster, which is a person without a name. So labeled + inferred + unknown = faces, always.
"""

from collections.abc import Sequence

import pyarrow as pa
from lancedb.expr import col, lit

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
        *texts("person_id"),  # "": nobody's
        *texts("standing"),  # labeled, inferred or "": unknown
        column("probability", pa.float32()),  # that it is that person's; 1 for labeled ones
        *texts("origin"),  # "": the detector; user, xmp: somebody drew it
    ]
)


LABELED, INFERRED, UNKNOWN = "labeled", "inferred", ""


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

    def of_person(self, person_id: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The faces that are a person's, or in a cluster."""
        return self.rows(col("person_id") == lit(person_id), columns)

    def standings(self) -> dict[str, int]:
        """How many faces are labeled, inferred and unknown; together, all there are."""
        found = self.rows(None, ["standing"])["standing"].value_counts().to_pylist()
        counts = {one["values"]: one["counts"] for one in found}
        known = {name: int(counts.get(name, 0)) for name in (LABELED, INFERRED)}
        return {**known, "unknown": sum(counts.values()) - sum(known.values())}
