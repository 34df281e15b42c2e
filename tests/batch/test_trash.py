"""Out of the trash again: whole, twice, in the middle of a scan, after years. Purging: test_purge.py."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from batch.deletion import delete_missing
from batch.packing import fitted
from batch.pipeline import Stage
from batch.trash import restore
from cluster.store.schema import rows_of, texts
from cluster.store.writer import Update, Upsert, Writer
from tests.batch.adorned import ANN, NOON, Album, everything
from tests.batch.bench_of_one import Killed, Mortal


@pytest.fixture
def home(twelve: Path, tmp_path: Path) -> Iterator[Album]:
    """Those, to be changed."""
    bench = Album(shutil.copytree(twelve, tmp_path / "home"), scans=10)
    yield bench
    bench.close()


@pytest.fixture
def before(twelve: Path) -> dict[str, Any]:
    """All rows before the deletion."""
    return everything(Album(twelve.parent / "before").library)


def in_trash(home: Album) -> list[str]:
    """The photos in the trash, by name."""
    rows = home.library.trash.rows(None, ["photo_id", "name"]).to_pylist()
    return [row["photo_id"] for row in sorted(rows, key=lambda row: row["name"])]


def put_back(home: Album, photo_ids: Sequence[str], dies_before: int | None = None) -> list[str]:
    """Restore photos."""
    library = home.library
    return restore(library, Mortal(library, home.settings.store, dies_before), photo_ids)


def commit(home: Album, *writes: Any) -> None:
    """Commit to the library."""
    Writer(home.library, home.settings.store).commit(writes)


def test_one_some_and_all_come_back_each_once(home: Album, before: dict[str, Any]):
    """With faces, names, facts, vectors and event; a second time there is nothing to put back."""
    first, *others = in_trash(home)

    assert put_back(home, [first, "no such photo"]) == [first]
    assert home.library.faces.of_photos([first]).num_rows == 2
    assert put_back(home, [first]) == []
    assert sorted(put_back(home, [first, *others])) == sorted(others)

    assert everything(home.library) == before
    assert home.library.trash.count() == 0


def test_wherever_a_restoration_dies_the_next_one_ends_as_if_it_had_not(home: Album, before: dict[str, Any]):
    """Killed before its first change of a table, its second, and so on."""
    deaths = 0
    while True:
        one = Album(shutil.copytree(home.root, home.root.parent / f"dies{deaths}"))
        photos = in_trash(one)
        try:
            put_back(one, photos, deaths)
            break
        except Killed:
            assert in_trash(one) == photos
            put_back(one, photos)
        assert everything(one.library) == before, f"after a death before change {deaths}"
        deaths += 1
    assert deaths >= 7


def test_a_deletion_between_two_halves_of_a_restoration_loses_nothing(home: Album, before: dict[str, Any]):
    """The record that it makes is another one than that which the restoration takes away at its end."""
    photos = in_trash(home)

    class DeletedBetween(Mortal):
        """A writer to which another job comes before the last commit."""

        def commit(self, writes: Any) -> None:
            """Commit, the deletion first when what is to be committed takes away the records."""
            if [write.table for write in writes] == ["trash"]:
                library = home.library
                delete_missing(
                    home.settings, library, Writer(library, home.settings.store), home.folder, "again", "ann"
                )
            super().commit(writes)

    library = home.library
    restore(library, DeletedBetween(library, home.settings.store, None), photos)
    assert in_trash(home) == photos

    put_back(home, photos)
    assert everything(home.library) == before


@pytest.mark.parametrize("edited", [False, True])
def test_a_photo_whose_file_comes_back_comes_out_of_the_trash(home: Album, before: dict[str, Any], edited: bool):
    """A scan takes it for the photo it was, also one whose id is not its content's, and loses nothing of it."""
    wanted, path = in_trash(home)[0], home.photo("00/000.jpg", 0, times=1)
    if edited:
        home.scan()
        path.write_bytes(path.read_bytes() + b"edited")
        home.scan()
        aside = path.rename(home.root / "aside")
        home.scan()
        library = home.library
        delete_missing(home.settings, library, Writer(library, home.settings.store), home.folder, "again", "ann")
        aside.rename(path)
    (home.folder / "new").mkdir()
    path.rename(home.folder / "new" / "name.jpg")
    assert wanted in in_trash(home)

    counts = home.scan()

    assert counts["photos_added"] == 0
    assert home.ids()["new/name.jpg"] == wanted
    assert wanted not in in_trash(home)
    facts = {row["fact_id"]: row for row in before["facts"]}
    assert all(facts[row["fact_id"]] == row for row in home.library.facts.of_photos([wanted]).to_pylist())
    assert home.library.facts.of_photos([wanted]).num_rows == 1
    assert home.library.faces.of_photos([wanted]).num_rows == (0 if edited else 2)


def test_a_restoration_in_the_middle_of_a_scan_and_a_scan_after_it_agree(home: Album, before: dict[str, Any]):
    """The files come back, and somebody restores their photos while the scan that has read them is about to commit."""
    for number in range(4):
        home.photo(f"{number:02d}/{number:03d}.jpg", number, times=number + 1)

    class Busy(Album):
        """A bench in which photos are restored between reading and committing."""

        def here(self, table: pa.Table, stages: Sequence[Stage], batch_size: int) -> Iterator[pa.Table]:
            """The rows after all stages."""
            for batch in super().here(table, stages, batch_size):
                put_back(home, in_trash(home)[:2])
                yield batch

    busy = Busy(home.root, scans=20)
    busy.scan()
    busy.close()

    now = everything(home.library)
    assert not any(row["missing"] for row in now["photos"])
    for name in ("faces", "facts", "people", "events"):
        assert now[name] == before[name]
    assert {row["event_id"] for row in now["photos"]} == {"trip"}
    assert in_trash(home) == []


def test_a_scan_in_the_middle_of_a_restoration_is_made_good_by_the_next_one(home: Album, before: dict[str, Any]):
    """The scan has found the files, the restoration has looked before and says that they are missing."""
    for number in range(4):
        home.photo(f"{number:02d}/{number:03d}.jpg", number, times=number + 1)

    class ScannedBefore(Mortal):
        """A writer whose first commit comes after a whole scan."""

        def commit(self, writes: Any) -> None:
            """Scan once, then commit."""
            if not home.steps:
                home.scan()
            super().commit(writes)

    library = home.library
    restore(library, ScannedBefore(library, home.settings.store, None), in_trash(home))
    home.scan()

    now = everything(home.library)
    assert not any(row["missing"] for row in now["photos"])
    for name in ("faces", "facts", "people", "events"):
        assert now[name] == before[name]
    assert in_trash(home) == []


def test_labels_of_the_trash_count_more_than_faces_that_a_scan_found_anew(home: Album):
    """And what was said since, in the library, counts more than the trash; nothing is there twice."""
    photo = in_trash(home)[0]
    row = {**home.library.photos.rows(limit=1).to_pylist()[0], "photo_id": photo, "content_id": "other", "title": "new"}
    faces = [
        {"face_id": f"{photo}-{number:02d}", "photo_id": photo, "score": 0.5, "model": "faces@2"} for number in range(2)
    ]
    commit(
        home,
        Upsert("photos", rows_of([row], home.library.photos.schema)),
        Upsert("faces", rows_of(faces, home.library.faces.schema)),
    )

    put_back(home, [photo])

    found = home.library.faces.of_photos([photo]).sort_by("face_id").to_pylist()
    assert [(face["model"], face["standing"], face["person_id"]) for face in found] == [
        ("faces@2", "", ""), ("faces@1", "labeled", ANN),
    ]  # fmt: skip
    assert [one["title"] for one in home.library.photos.by_keys([photo]).to_pylist()] == ["new"]


def test_who_was_merged_meanwhile_is_the_other_one_in_what_comes_back(home: Album):
    """A person who is no more would be in no list; what was said goes on to name whom it did."""
    bea = {"person_id": "bea", "name": "Bea", "name_key": "bea", "created_at": NOON, "changed_at": NOON}
    people = home.library.people.schema
    merged = pa.table({"person_id": [ANN], "merged_into": ["bea"]}, pa.schema(texts("person_id", "merged_into")))
    commit(home, Upsert("people", rows_of([bea], people)), Update("people", merged))

    photos = in_trash(home)
    put_back(home, photos)

    assert {row["person_id"] for row in home.library.facts.of_photos(photos).to_pylist()} == {ANN}
    assert {row["person_id"] for row in home.library.faces.of_photos(photos).to_pylist()} == {"bea", ""}


def test_a_path_that_another_photo_has_by_now_stays_its(home: Album):
    """The photo comes back without that file."""
    photo = in_trash(home)[0]
    home.photo("00/000.jpg", 77)
    home.scan()
    owner = home.ids()["00/000.jpg"]

    put_back(home, [photo])

    files = home.library.files.rows().to_pylist()
    assert [file["photo_id"] for file in files if file["name"] == "00/000.jpg"] == [owner]
    assert home.library.photos.get(photo)["missing"]


def test_rows_of_an_older_brightroom_fit_todays_tables():
    """Columns that have come are blank, or null where they may be; those that have gone are left out."""
    today = pa.schema([pa.field("name", pa.string(), False), pa.field("size", pa.int64(), False), ("at", pa.int64())])

    rows = fitted(pa.table({"gone": [1.5], "name": ["a"]}), today)

    assert rows.schema == today
    assert rows.to_pylist() == [{"name": "a", "size": 0, "at": None}]
