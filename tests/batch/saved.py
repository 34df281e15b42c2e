"""A small library that was scanned and analysed, for tests that write its metadata back."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batch.metadata import Saved, SaveMetadata
from batch.unsaving import Unsaved, Unsaving
from cluster.store.faces import LABELED
from cluster.store.faces import SCHEMA as FACES
from cluster.store.facts import SCHEMA as FACTS
from cluster.store.people import PERSON
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Update, Upsert, Writer
from serve_apps.media.addresses import EXTENSIONS, derived_path
from tests.batch.bench_of_one import OWNER, Bench
from tests.sample_library import SampleLibrary

JPEG = "2016/2016-07 Porto/DSC_0101.JPG"
BOX = {"left": 0.25, "top": 0.125, "right": 0.5, "bottom": 0.375}


@dataclass
class SavedLibrary:
    """A bench whose photos have tags, captions, stars, named faces and vectors."""

    bench: Bench

    def add(self, sample: SampleLibrary, *mains: str) -> None:
        """Copy photos of the sample library, with all their files."""
        for main in mains:
            for name in sample.photo(main).files:
                target = self.bench.folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(sample.folder / name, target)

    def tell(self, **more: Any) -> None:
        """Commit what models and people are to have said of every photo."""
        library = self.bench.library
        photos = library.photos.rows().to_pylist()
        ids = [row["photo_id"] for row in photos]
        known = {
            "tags": ["tabby cat", "Harbour"],
            "tag_scores": [0.9, 0.8],
            "caption": "A cat & a <harbour>.",
            "rating": 4,
            "title": "Best of 1",
            "face_count": 1,
            "clip_rev": "clip",
            "faces_rev": "f",
            **more,
        }
        face = {
            "person_id": "p1",
            "standing": LABELED,
            "probability": 1.0,
            "model": "f",
            "landmarks": [0.5] * 10,
            **BOX,
        }
        fact = {"kind": "label", "person_id": "p1", "made_by": OWNER, **BOX}
        now = photos[0]["added_at"]
        person = {
            "person_id": "p1",
            "name": "Ada Lovelace",
            "name_key": "ada lovelace",
            "kind": PERSON,
            "created_at": now,
            "changed_at": now,
        }
        vectors = library.embeddings("clip", 2)
        faces = [{"face_id": f"{one}-00", "photo_id": one, **face} for one in ids]
        facts = [
            {
                "fact_id": row["photo_id"],
                "photo_id": row["photo_id"],
                "content_id": row["content_id"],
                "made_at": now,
                **fact,
            }
            for row in photos
        ]
        self.writer.commit([
            Update("photos", changes_of([{"photo_id": one, **known} for one in ids], PHOTOS)),
            Upsert("faces", rows_of(faces, FACES)),
            Upsert("people", rows_of([person], library.people.schema)),
            Upsert("facts", rows_of(facts, FACTS)),
            Upsert(vectors.name, rows_of([{"id": one, "photo_id": one, "vector": [0.0, 1.0]} for one in ids],
                                         vectors.schema)),
        ])  # fmt: skip

    @property
    def writer(self) -> Writer:
        """The library's writer."""
        return Writer(self.bench.library, self.bench.settings.store)

    def save(
        self, in_file: bool, photo_ids: Sequence[str] | None = None, step: Callable[[str], object] = str,
        writer: Any = None, stopped: Callable[[], bool] = bool, job_id: str = "save1",
    ) -> Saved:  # fmt: skip
        """Write metadata back."""
        bench = self.bench
        return SaveMetadata(
            bench.settings, OWNER, bench.library, writer or self.writer, bench.folder, in_file, job_id,
            stopped, lambda done, failed: None, step=step,
        ).all(photo_ids)  # fmt: skip

    def unsave(self, job_id: str = "save1", step: Callable[[str], object] = str, writer: Any = None) -> Unsaved:
        """Take back what a job wrote."""
        bench = self.bench
        return Unsaving(
            bench.settings, OWNER, bench.library, writer or self.writer, bench.folder, "undo1",
            bool, lambda done, failed: None, step,
        ).all(job_id)  # fmt: skip

    def known(self, ledger: bool = True) -> dict[str, Any]:
        """What people see of the photos, but for which bytes their files have; and what the ledger says is done."""
        library = self.bench.library
        photos = library.photos.rows(None, ["photo_id", "name", *SEEN, *(LEDGER if ledger else ())]).to_pylist()
        for row in photos:  # a sidecar's are as exact as it writes them
            row |= {name: row[name] and round(row[name], 6) for name in ("latitude", "longitude", "altitude")}
        vectors = library.embeddings("clip", 2)
        return {
            "photos": sorted(photos, key=lambda row: row["photo_id"]),
            "faces": sorted(library.faces.rows().to_pylist(), key=lambda row: row["face_id"]),
            "vectors": sorted(vectors.rows(None, ["id"])["id"].to_pylist()),
        }

    def is_whole(self) -> None:
        """Every photo's content is its main file's and its facts', and its derived pictures are there."""
        library, folder = self.bench.library, self.bench.settings.derived / OWNER
        files = {row["file_id"]: row for row in library.files.rows().to_pylist()}
        facts = {row["photo_id"]: row["content_id"] for row in library.facts.rows().to_pylist()}
        shown = set()
        for photo in library.photos.rows().to_pylist():
            main = files[photo["main_file_id"]]
            found = os.lstat(os.path.join(os.fsencode(self.bench.folder), main["path"]))
            assert (found.st_size, found.st_mtime_ns) == (main["size"], main["mtime_ns"])
            assert main["content_id"] == photo["content_id"] == facts[photo["photo_id"]]
            shown |= {derived_path(folder, photo["content_id"], size) for size in EXTENSIONS}
        assert set(folder.rglob("*.*")) == shown

    def leftovers(self) -> list[Path]:
        """Temporary files and notes."""
        noted = self.bench.settings.root / "saving"
        return [*self.bench.folder.rglob(".brightroom-*"), *noted.rglob("*.*")]


LEDGER = ("clip_rev", "faces_rev")
SEEN = (
    "tags", "keywords", "caption", "rating", "title", "latitude", "longitude", "taken_at", "taken_offset_min",
    "altitude", "missing", "face_count", "kind", "width", "height",
)  # fmt: skip
