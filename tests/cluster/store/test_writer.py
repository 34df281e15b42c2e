"""The writer: order, grouping, upkeep."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from cluster.settings import Settings, StoreSettings
from cluster.store.database import Library, open_library
from cluster.store.faces import SCHEMA as FACES
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Delete, Replace, Update, Upsert, Write, Writer, place

Rows = Callable[..., pa.Table]


@pytest.fixture
def writer(library: Library) -> Writer:
    """A writer that tidies up after ten commits and keeps no old version."""
    return Writer(library, StoreSettings(optimize_every=10, keep_versions_s=0))


def faces(*ids: str, score: float = 0.0) -> pa.Table:
    """Faces of the photos that their ids begin with."""
    return rows_of([{"face_id": id_, "photo_id": id_.split("-")[0], "score": score} for id_ in ids], FACES)


def stored(library: Library) -> dict[str, float]:
    """The scores of all faces."""
    return {row["face_id"]: row["score"] for row in library.faces.rows().to_pylist()}


def test_like_writes_become_one_commit(library: Library, writer: Writer, photo_rows: Rows) -> None:
    """However many batches are given at once; the later row of a key counts."""
    writes: list[Write] = [Upsert("photos", photo_rows({"photo_id": f"p{n}", "name": "old"})) for n in range(20)]
    writes.append(Upsert("photos", photo_rows({"photo_id": "p3", "name": "new"})))
    before = library.photos.version
    assert writer.commit(writes) == 1
    assert library.photos.version == before + 1
    row = library.photos.get("p3")
    assert row
    assert (library.photos.count(), row["name"]) == (20, "new")


def test_unlike_writes_keep_their_order(library: Library, writer: Writer) -> None:
    """As if each had been committed alone."""
    writer.commit(
        [
            Upsert("faces", faces("p1-00", "p1-01", "p2-00")),
            Update("faces", changes_of([{"face_id": "p1-00", "score": 0.5}], FACES)),
            Update("faces", changes_of([{"face_id": "p2-00", "score": 0.25}], FACES)),
            Delete("faces", "face_id", ["p1-01"]),
            Delete("faces", "face_id", ["nobody"]),
            Upsert("faces", faces("p1-01", score=0.75)),
        ]
    )
    assert stored(library) == {"p1-00": 0.5, "p2-00": 0.25, "p1-01": 0.75}


def test_replacements_are_joined_only_where_that_changes_nothing(library: Library, writer: Writer) -> None:
    """Of two for one photo the second deletes what the first wrote."""
    writer.commit([Upsert("faces", faces("p1-07", "p2-07", "p3-07"))])
    apart = [Replace("faces", faces("p1-00"), "photo_id", ["p1"]), Replace("faces", faces("p2-00"), "photo_id", ["p2"])]
    assert writer.commit(apart) == 1
    assert stored(library).keys() == {"p1-00", "p2-00", "p3-07"}
    again = [
        Replace("faces", faces("p1-01", "p1-02"), "photo_id", ["p1"]),
        Replace("faces", faces(), "photo_id", ["p1"]),
    ]
    assert writer.commit(again) == 2
    assert stored(library).keys() == {"p2-00", "p3-07"}


def test_the_ledger_is_written_last(library: Library, photo_rows: Rows, settings: Settings) -> None:
    """Whatever order the writes came in: a photo never says that work is done which is not on disk."""
    vectors = library.embeddings("clip@1", 2)
    assert sorted(["photos", "files", "errors", "faces", vectors.name], key=place)[0] == vectors.name
    assert sorted(["photos", "files", "errors", "faces"], key=place) == ["faces", "errors", "photos", "files"]
    writer = Writer(library, settings.store)
    broken = pa.table({"id": ["p1"]})
    with pytest.raises(KeyError):
        writer.commit([Upsert("photos", photo_rows({"photo_id": "p1"})), Upsert(vectors.name, broken)])
    assert library.photos.count() == 0


def test_an_unknown_table_is_refused_before_anything_is_written(library: Library, writer: Writer) -> None:
    """A slip in a name must not leave half of a commit behind."""
    with pytest.raises(ValueError, match="no table"):
        writer.commit([Upsert("faces", faces("p1-00")), Upsert("fases", faces("p1-01"))])
    with pytest.raises(KeyError):
        writer.commit([Upsert("faces", faces("p1-00")), Upsert("embeddings_none", faces("p1-01"))])
    assert library.faces.count() == 0


def test_writing_the_same_again_changes_nothing(library: Library, writer: Writer, photo_rows: Rows) -> None:
    """A batch that is committed twice, after a crash say, leaves what it left the first time."""
    batch: list[Write] = [
        Upsert("photos", photo_rows({"photo_id": "p1", "face_count": 1}, {"photo_id": "p2"})),
        Replace("faces", faces("p1-00"), "photo_id", ["p1", "p2"]),
    ]
    for _ in range(3):
        writer.commit(batch)
        assert (library.photos.count(), stored(library)) == (2, {"p1-00": 0.0})


def test_tables_are_tidied_up_after_so_many_commits(library: Library, writer: Writer, settings: Settings) -> None:
    """Only the tables that were written to; no row is lost."""
    versions = Path(settings.store_uri, "libraries", "a" * 32, "faces.lance", "_versions")
    for number in range(35):
        writer.commit([Upsert("faces", faces(f"p{number}-00"))])
    assert len(list(versions.glob("*.manifest"))) < 15
    assert len(stored(library)) == 35


def test_tidying_up_can_be_asked_for(library: Library, writer: Writer) -> None:
    """At the end of a scan, say."""
    for number in range(5):
        writer.commit([Upsert("faces", faces(f"p{number}-00"))])
    before = len(library.faces.lance.list_versions())
    writer.optimize()
    assert len(library.faces.lance.list_versions()) < before
    assert len(stored(library)) == 5


def test_readers_of_another_handle_see_a_commit(library: Library, writer: Writer, settings: Settings) -> None:
    """As soon as it is acknowledged, when readers are to be that fresh."""
    reader = open_library(settings, "a" * 32)
    assert reader.faces.count() == 0
    for number in range(3):
        writer.commit([Upsert("faces", faces(f"p{number}-00"))])
        assert reader.faces.count() == number + 1
    library.faces.optimize(timedelta(0))
    assert len(reader.faces.rows()) == 3
