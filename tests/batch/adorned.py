"""A library of small photos with all that can hang on a photo: faces, names, facts, vectors, an event."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batch.deletion import delete_missing
from batch.rows import search_text
from cluster.settings import ScanSettings, Settings
from cluster.store.database import Library
from cluster.store.facts import LABEL, fact_id
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Update, Upsert, Writer
from tests.batch.bench_of_one import Bench
from tests.conftest import rows_of as compared

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
FACE_MODEL, CLIP_MODEL = "faces@1", "clip@1"
ANN, TRIP = "ann", "trip"
OF_SCANS = ("job_id", "seen_at", "changed_at", "added_at")


class Album(Bench):
    """A bench whose scans commit many photos together."""

    @property
    def settings(self) -> Settings:
        """Those of a bench, but for larger batches."""
        return super().settings.model_copy(update={"scan": ScanSettings(ingest_workers=1, batch_size=60)})


def fill(home: Bench, count: int) -> None:
    """Photos in twelve folders, scanned, then given faces, a label, vectors and an event each."""
    for number in range(count):
        home.photo(f"{number % 12:02d}/{number:03d}.jpg", number, times=number + 1)
    home.scan()
    adorn(home)


def trashed(root: Path) -> Path:
    """Twelve photos at a place, four of which, the files of which are gone, lie in the trash. Beside it: `before`."""
    home = Album(root)
    home.folder.mkdir(parents=True)
    fill(home, 12)
    for number in range(4):
        (home.folder / f"{number:02d}/{number:03d}.jpg").unlink()
    home.scan()
    shutil.copytree(home.root, home.root.parent / "before")
    library = home.library
    delete_missing(home.settings, library, Writer(library, home.settings.store), home.folder, "job", "ann")
    home.close()
    return home.root


def adorn(home: Bench) -> None:
    """Give every photo two faces, one of them labeled Ann's by a fact, vectors and an event."""
    library = home.library
    photos = library.photos.rows().to_pylist()
    faces, facts, vectors = [], [], []
    for photo in photos:
        for number in range(2):
            face = {"face_id": f"{photo['photo_id']}-{number:02d}", "photo_id": photo["photo_id"], "model": FACE_MODEL}
            said: dict[str, Any] = {"person_id": ANN, "standing": "labeled", "probability": 1.0} if number else {}
            faces.append({**face, "left": 0.1 * number, "right": 0.5, "bottom": 0.5, "score": 0.9, **said})
            vectors.append({"id": face["face_id"], "photo_id": photo["photo_id"], "vector": [1.0, 0.0]})
        facts.append(
            {
                "fact_id": fact_id(faces[-1]["face_id"], LABEL), "photo_id": photo["photo_id"], "kind": LABEL,
                "person_id": ANN, "face_id": faces[-1]["face_id"], "content_id": photo["content_id"], "made_at": NOON,
            }
        )  # fmt: skip
    pictures = [{"id": photo["photo_id"], "photo_id": photo["photo_id"], "vector": [0.6, 0.8]} for photo in photos]
    of_faces, of_photos = library.embeddings(FACE_MODEL, 2), library.embeddings(CLIP_MODEL, 2)
    ann = {"person_id": ANN, "name": "Ann", "name_key": "ann", "kind": "person", "created_at": NOON, "changed_at": NOON}
    trip = {"event_id": TRIP, "title": "A trip", "first_at": NOON, "last_at": NOON, "changed_at": NOON}
    found = {"event_id": TRIP, "face_count": 2, "tags": ["cat"], "caption": "a cat"}
    changed = [{"photo_id": one["photo_id"], **found, "search_text": search_text({**one, **found})} for one in photos]
    Writer(library, home.settings.store).commit(
        [
            Upsert("people", rows_of([ann], library.people.schema)),
            Upsert("events", rows_of([trip], library.events.schema)),
            Upsert("facts", rows_of(facts, library.facts.schema)),
            Upsert("faces", rows_of(faces, library.faces.schema)),
            Upsert(of_faces.name, rows_of(vectors, of_faces.schema)),
            Upsert(of_photos.name, rows_of(pictures, of_photos.schema)),
            Update("photos", library.photos.completed(changes_of(changed, library.photos.schema))),
        ]
    )


def everything(library: Library) -> dict[str, Any]:
    """All rows of photos in all tables, comparable: no times of scans, no jobs."""
    more = [library.facts, library.people, library.events]
    vectors = [table for model in library.models() if (table := library.registry.find(model))]
    return {
        **compared(library),
        **{table.name: table.rows(order_by=table.key).to_pylist() for table in [*more, *vectors]},
    }


def unmarked(rows: dict[str, Any]) -> dict[str, Any]:
    """The same rows as if no file were missing."""
    whole = {"photos": {"missing": False, "variants": 1}, "files": {"state": "ok"}}
    return {name: [{**row, **whole.get(name, {})} for row in some] for name, some in rows.items()}
