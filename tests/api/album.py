"""People and faces in an owner's library, for tests over HTTP."""

from typing import Any

from batch.naming import Naming
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Writer
from tests.api.standins import FACES
from tests.api.world import NOON, World


def face(world: World, owner: str, photo_id: str, number: int = 0, **columns: Any) -> str:
    """A detected face in a photo; returns its id."""
    library, key = world.library(owner), f"{photo_id}-{number:02d}"
    left = 0.1 + 0.3 * number
    row = {
        "face_id": key, "photo_id": photo_id, "left": left, "top": 0.25, "right": left + 0.2, "bottom": 0.5,
        "score": 0.5, "landmarks": [0.5] * 10, "model": FACES, **columns,
    }  # fmt: skip
    library.faces.upsert(rows_of([row], library.faces.schema))
    return key


def cluster(world: World, owner: str, person_id: str, *face_ids: str) -> str:
    """A cluster of some faces."""
    library = world.library(owner)
    row = {"person_id": person_id, "kind": "cluster", "created_at": NOON, "changed_at": NOON}
    library.people.upsert(rows_of([row], library.people.schema))
    thought(world, owner, person_id, "", 0.0, *face_ids)
    return person_id


def thought(world: World, owner: str, person_id: str, standing: str, probability: float, *face_ids: str) -> None:
    """Faces are somebody's, as a training would say."""
    rows = [
        {"face_id": one, "person_id": person_id, "standing": standing, "probability": probability} for one in face_ids
    ]
    faces = world.library(owner).faces
    faces.update(changes_of(rows, faces.schema))


def naming(world: World, owner: str) -> Naming:
    """What an owner says, without HTTP."""
    library = world.library(owner)
    return Naming(library, Writer(library, world.settings.store), world.users[owner].user_id)
