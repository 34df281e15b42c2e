"""Faces by photo."""

from cluster.store.database import Library
from cluster.store.faces import SCHEMA, face_id
from cluster.store.schema import rows_of


def test_faces_of_a_photo_are_replaced_together(library: Library) -> None:
    """Fewer faces at the second look leave none of the first behind, and other photos' faces stay."""
    seen = [("p1", 0), ("p1", 1), ("p1", 2), ("p2", 0)]
    library.faces.upsert(rows_of([{"face_id": face_id(*face), "photo_id": face[0]} for face in seen], SCHEMA))
    again = rows_of([{"face_id": face_id("p1", 0), "photo_id": "p1", "score": 0.5, "landmarks": [0.25] * 10}], SCHEMA)
    library.faces.replace(again, "photo_id", ["p1"])
    found = library.faces.of_photos(["p1", "p2"], ["face_id", "score"]).to_pylist()
    assert sorted(row["face_id"] for row in found) == ["p1-00", "p2-00"]
    assert library.faces.of_photos(["p3"]).num_rows == 0
    row = library.faces.get("p1-00")
    assert row
    assert (row["score"], row["landmarks"]) == (0.5, [0.25] * 10)
