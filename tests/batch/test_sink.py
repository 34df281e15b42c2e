"""Which photo a file belongs to, whatever order files are read in, and what becomes of photos whose files go."""

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from batch.changes import NEVER
from batch.ingest import PLACE_COLUMNS, FileRead, FileSeen, Ingested
from batch.missing import gone
from batch.sink import Committed, Sink
from batch.stages import DONE, FAILED, PENDING, with_column
from batch.work import work_table
from cluster.settings import Settings, StoreSettings
from cluster.store.database import Library, open_library
from cluster.store.paths import file_id
from cluster.store.schema import changes_of
from cluster.store.writer import Writer
from serve_apps.media.protocol import Decoded, Metadata
from serve_apps.models.protocol import DetectedFace

A, B, C = ("a" * 32, "b" * 32, "c" * 32)  # contents


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library whose reads see every commit."""
    return open_library(Settings(root=tmp_path, store=StoreSettings(fresh_s=0)), "somebody")


def sink(library: Library) -> Sink:
    """A sink that writes without a cluster."""
    return Sink(library, Writer(library, StoreSettings()), "job")


def group(path: str, content: str, photo_id: str = "") -> Ingested:
    """A photo of one file that was read."""
    seen = FileSeen(path.encode(), "image", 10, 10, changed=True, photo_id=photo_id)
    taken = Metadata(taken_at=datetime(2024, 1, 1, tzinfo=UTC), taken_source="exif")
    decoded = Decoded(content, 10, 10, "image", "jpeg", 4, 3, taken, [], {})
    return Ingested([FileRead(seen, content)], path.encode(), decoded)


def commit(library: Library, *read: Ingested) -> Committed:
    """Commit groups as one batch."""
    columns = {"ingested": [msgspec.msgpack.encode(one) for one in read]}
    return sink(library).ingested(pa.table({**columns, **{name: [""] * len(read) for name in PLACE_COLUMNS}}))


def vanish(library: Library, file_ids: list[str]) -> dict[str, int]:
    """Commit that files are gone; what a later job tells of it."""
    found = gone(library, file_ids, "a later job")
    sink(library).gone(found)
    return found.counts()


def photos(library: Library) -> dict[str, dict]:
    """Rows of photos by id."""
    return {row["photo_id"]: row for row in library.photos.rows().to_pylist()}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_same_bytes_in_three_places_are_one_photo_in_any_order(library: Library, order: tuple[int, ...]):
    """Its name is the first of the paths, and it has three files, whichever was read first."""
    paths = ["b/1.jpg", "a/2.jpg", "c/0.jpg"]

    for place in order:
        commit(library, group(paths[place], A))

    (row,) = photos(library).values()
    assert (row["photo_id"], row["name"], row["variants"]) == (A, "a/2.jpg", 3)
    assert {file["photo_id"] for file in library.files.rows().to_pylist()} == {A}


def test_the_same_bytes_twice_in_one_batch_are_one_photo(library: Library):
    """One row, the first path."""
    outcome = commit(library, group("b.jpg", A), group("a.jpg", A))

    (row,) = photos(library).values()
    assert (row["name"], row["variants"]) == ("a.jpg", 2)
    assert (outcome.added, outcome.committed) == (1, 2)


def test_an_edited_photo_keeps_its_id_and_its_old_bytes_are_another_photo(library: Library):
    """The id of a photo that was edited is never given to somebody else."""
    commit(library, group("a.jpg", A))
    commit(library, group("a.jpg", B, photo_id=A))
    commit(library, group("copy-of-old.jpg", A))

    rows = photos(library)
    assert len(rows) == 2
    assert (rows[A]["name"], rows[A]["content_id"]) == ("a.jpg", B)
    (other,) = [row for photo_id, row in rows.items() if photo_id != A]
    assert (other["name"], other["content_id"]) == ("copy-of-old.jpg", A)


def test_committing_a_batch_twice_changes_nothing(library: Library):
    """What a retry after a crash does."""
    batch = [group("a.jpg", A), group("b.jpg", B)]
    first = commit(library, *batch)
    rows = photos(library)

    second = commit(library, *batch)

    drop = {"changed_at"}
    assert [{k: v for k, v in row.items() if k not in drop} for row in photos(library).values()] == [
        {k: v for k, v in row.items() if k not in drop} for row in rows.values()
    ]
    assert (first.added, second.added) == (2, 0)


def test_a_photo_is_missing_when_all_its_files_are(library: Library):
    """One copy left stands for it; none left and it is missing; its row and its work stay."""
    commit(library, group("a.jpg", A), group("b.jpg", A))
    ids = [file_id("folder", name) for name in (b"a.jpg", b"b.jpg")]

    assert vanish(library, ids[:1]) == {"copies_gone": 1}
    assert (photos(library)[A]["name"], photos(library)[A]["missing"]) == ("b.jpg", False)

    assert vanish(library, ids[1:]) == {"missing_files": 1}
    assert photos(library)[A]["missing"]
    assert [file["state"] for file in library.files.rows().to_pylist()] == ["missing"]


def test_a_file_that_cannot_be_read_is_a_row_with_its_reason_and_no_photo(library: Library):
    """Its failure is told for the job."""
    seen = FileSeen(b"bad.jpg", "image", 1, 1, changed=True)

    outcome = commit(library, Ingested([FileRead(seen, error="the file is empty; restore it")]))

    assert (outcome.failed, outcome.committed, photos(library)) == (1, 0, {})
    (row,) = library.files.rows().to_pylist()
    assert (row["state"], row["error"]) == ("failed", "the file is empty; restore it")
    (error,) = library.errors.of_job("job").to_pylist()
    assert (error["name"], error["reason"]) == ("bad.jpg", "the file is empty; restore it")


REVISIONS = {"clip": "clip@1", "faces": "faces@1"}
FACE = DetectedFace((0.1, 0.1, 0.5, 0.5), 0.99, ((0.2, 0.2),) * 5, [1.0, 0.0])


def analyse(library: Library, clip: str, faces: str, found: list[DetectedFace], unread: bool = False) -> None:
    """Commit what models said of photo A: a vector if `clip` is done, the faces if `faces` is."""
    work = work_table(library.photos, [A], REVISIONS)
    outputs = {"clip": [1.0, 0.0] if clip == DONE else None, "faces": found if faces == DONE else None}
    for stage, state in {"clip": clip, "faces": faces}.items():
        packed = msgspec.msgpack.encode(outputs[stage]) if outputs[stage] is not None else None
        work = with_column(work, f"{stage}_state", [state], pa.string())
        work = with_column(work, f"{stage}_output", [packed], pa.binary())
        work = with_column(work, f"{stage}_error", ["it broke; look" if state == FAILED else ""], pa.string())
    sink(library).analysed(with_column(work, "read_error", ["no preview" if unread else ""], pa.string()), REVISIONS)


def vectors(library: Library) -> dict[str, int]:
    """How many vectors each model has."""
    return {model: library.embeddings(model, 2).count() for model in library.models()}


def test_what_was_found_in_an_edited_photo_is_forgotten_with_its_old_content(library: Library):
    """No search finds it by what it showed before, even while it waits for the models."""
    commit(library, group("a.jpg", A))
    analyse(library, DONE, DONE, [FACE])
    assert vectors(library) == {"clip@1": 1, "faces@1": 1}

    commit(library, group("a.jpg", B, photo_id=A))

    assert vectors(library) == {"clip@1": 0, "faces@1": 0}
    assert library.faces.count() == 0
    assert photos(library)[A]["face_count"] == 0


def test_a_photo_that_fails_or_has_no_faces_any_more_keeps_no_vectors(library: Library):
    """What a model found before is not what it says now."""
    commit(library, group("a.jpg", A))
    analyse(library, DONE, DONE, [FACE, FACE])

    analyse(library, FAILED, DONE, [])

    assert vectors(library) == {"clip@1": 0, "faces@1": 0}
    assert (library.faces.count(), photos(library)[A]["face_count"]) == (0, 0)


def test_a_photo_whose_preview_is_gone_is_read_again_by_the_next_scan(library: Library):
    """Stages that were not asked keep what they have; the file counts as changed."""
    commit(library, group("a.jpg", A))
    analyse(library, DONE, DONE, [FACE])

    analyse(library, PENDING, FAILED, [], unread=True)

    assert vectors(library)["clip@1"] == 1
    assert [file["mtime_ns"] for file in library.files.rows().to_pylist()] == [NEVER]


def test_a_caption_asked_for_while_a_batch_computes_is_kept(library: Library):
    """The batch was read before it; what the batch's own stages found is written all the same."""
    commit(library, group("a.jpg", A))
    work = work_table(library.photos, [A], REVISIONS)
    for name, value in {"clip_state": DONE, "clip_error": "", "faces_state": PENDING, "faces_error": ""}.items():
        work = with_column(work, name, [value], pa.string())
    work = with_column(work, "clip_output", [msgspec.msgpack.encode([1.0, 0.0])], pa.binary())
    work = with_column(with_column(work, "faces_output", [None], pa.binary()), "read_error", [""], pa.string())
    asked = {"photo_id": A, "caption": "A wish.", "caption_by": "somebody", "caption_rev": "captioner@1"}
    library.photos.update(changes_of([asked], library.photos.schema))

    sink(library).analysed(work, REVISIONS)

    row = photos(library)[A]
    assert (row["caption"], row["caption_by"], row["caption_rev"], row["clip_rev"]) == (
        "A wish.", "somebody", "captioner@1", "clip@1",
    )  # fmt: skip
    assert "A wish." in row["search_text"]
