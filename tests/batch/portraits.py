"""A library of a few photos whose faces are known, the model that finds them, and somebody who says whose they are."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from batch.faces import found
from batch.naming import Naming
from batch.people import Training
from batch.rows import Row
from batch.undoing import Undoing
from cluster.settings import Settings, StoreSettings
from cluster.store.database import Library, open_library
from cluster.store.faces import LABELED
from cluster.store.schema import changes_of, rows_of
from serve_apps.models.protocol import Box, DetectedFace
from tests.batch.bench_of_one import Mortal

MODEL, WIDTH = "faces@1", 64
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEFT, RIGHT, BELOW = (0.1, 0.1, 0.3, 0.4), (0.6, 0.1, 0.8, 0.4), (0.4, 0.6, 0.5, 0.8)
LOOKS = 3  # of so many people are the faces
ZOE = {"name": "Zoe", "left": LEFT[0], "top": LEFT[1], "right": LEFT[2], "bottom": LEFT[3]}


def looks(person: int, photo: int) -> list[float]:
    """The vector of a person's face in a photo."""
    vector = np.random.default_rng(person).normal(size=WIDTH)
    vector = vector + 0.3 * np.random.default_rng(1000 + 100 * person + photo).normal(size=WIDTH)
    return [float(value) for value in vector / np.linalg.norm(vector)]


def seen(photo: int) -> list[DetectedFace]:
    """The two faces of a photo."""
    boxes: list[Box] = [LEFT, RIGHT]
    return [
        DetectedFace(box, 0.99, ((0.5, 0.5),) * 5, looks((photo + i) % LOOKS, photo)) for i, box in enumerate(boxes)
    ]


@dataclass
class Portraits:
    """Photos `p0`, `p1` and so on, with a face on the left, `p0-00`, and one on the right, `p0-01`."""

    root: Path
    photos: int = 4
    store: StoreSettings = field(default_factory=lambda: StoreSettings(fresh_s=0))
    library: Library = field(init=False)

    def __post_init__(self) -> None:
        self.library = open_library(Settings(root=self.root, store=self.store), "somebody")

    def fill(self, named: int | None = None) -> "Portraits":
        """Find all faces; the sidecar of one photo names the face on the left Zoe."""
        rows = [
            {
                "photo_id": f"p{i}", "content_id": f"p{i}", "regions": [ZOE] if i == named else [],
                "added_at": NOW, "changed_at": NOW,
            }
            for i in range(self.photos)
        ]  # fmt: skip
        self.library.photos.upsert(rows_of(rows, self.library.photos.schema))
        self.rescan()
        return self

    def writer(self, dies_before: int | None = None) -> Mortal:
        """A writer, which dies before its n-th change of a table."""
        return Mortal(self.library, self.store, dies_before)

    def naming(self, dies_before: int | None = None) -> Naming:
        """What somebody says."""
        return Naming(self.library, self.writer(dies_before), "me", lambda: NOW)

    def undoing(self, dies_before: int | None = None) -> Undoing:
        """What takes acts back."""
        return Undoing(self.library, self.writer(dies_before), lambda: NOW)

    def rescan(self) -> None:
        """Look for faces in all photos again."""
        work: list[Row] = [
            {"photo_id": f"p{i}", "faces_output": msgspec.msgpack.encode(seen(i))} for i in range(self.photos)
        ]
        told = found(self.library, work, MODEL, NOW)
        counts = [{"photo_id": photo, "face_count": count} for photo, count in told.counts.items()]
        self.writer().commit(told.writes)
        self.library.photos.update(changes_of(counts, self.library.photos.schema))

    def train(self) -> dict[str, int]:
        """A training."""
        return Training(self.library, self.writer(), MODEL, lambda: NOW).run()

    def guess(self, person_id: str, *face_ids: str) -> None:
        """Let faces be inferred as a person's."""
        rows = [
            {"face_id": one, "person_id": person_id, "standing": "inferred", "probability": 0.95} for one in face_ids
        ]
        self.library.faces.update(changes_of(rows, self.library.faces.schema))

    def cluster(self, person_id: str, *face_ids: str) -> None:
        """Let faces be in a cluster."""
        row = {"person_id": person_id, "kind": "cluster", "created_at": NOW, "changed_at": NOW}
        self.library.people.upsert(rows_of([row], self.library.people.schema))
        rows = [{"face_id": one, "person_id": person_id, "standing": "", "probability": 0.0} for one in face_ids]
        self.library.faces.update(changes_of(rows, self.library.faces.schema))

    def whose(self) -> dict[str, tuple[str, str]]:
        """Whose each face is and how that is known."""
        rows = self.library.faces.rows(None, ["face_id", "person_id", "standing"]).to_pylist()
        return {row["face_id"]: (row["person_id"], row["standing"]) for row in rows}

    def labeled(self) -> dict[str, str]:
        """Whose the faces are of which somebody said so."""
        return {key: person for key, (person, standing) in self.whose().items() if standing == LABELED}

    def state(self) -> list[list[Row]]:
        """All that is known of faces and people, without when."""
        library = self.library
        counts = library.photos.rows(None, ["photo_id", "face_count"])
        tables = [library.people, library.facts, library.faces, library.embeddings(MODEL, WIDTH)]
        return [
            sorted(rows.to_pylist(), key=lambda row: str(row)) for rows in [*(table.rows() for table in tables), counts]
        ]
