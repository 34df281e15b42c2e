"""Saving metadata is killed between any two of its steps: nothing is lost, and the next run or scan puts all right."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.deletion import delete_missing
from batch.saving import Notes, repair
from serve_apps.media.addresses import EXTENSIONS, derived_path
from tests.batch.bench_of_one import OWNER, Bench, Killed, Mortal
from tests.batch.saved import JPEG, SavedLibrary
from tests.sample_library import SampleLibrary

INSIDE = ("verify", "keep", "replace", "flush", "settle")  # before each of which something else is on disk
BESIDE = ("replace", "flush", "settle")


@pytest.fixture
def library(tmp_path: Path, sample: SampleLibrary) -> Iterator[SavedLibrary]:
    """A scanned library of a JPEG."""
    made = SavedLibrary(Bench(tmp_path))
    made.add(sample, JPEG)
    made.bench.scan()
    made.tell()
    yield made
    made.bench.close()


def killed(library: SavedLibrary, way: str, step: str) -> None:
    """Save in a process of its own, killed before a step."""
    command = [sys.executable, "-m", "tests.batch.saving_child", str(library.bench.root), way, step]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


def scanned(library: SavedLibrary) -> None:
    """Scan as the action does: it begins with what a killed job left."""
    bench = library.bench
    repair(bench.settings, OWNER, bench.library, library.writer, bench.folder)
    bench.scan()


@pytest.mark.parametrize(
    ("way", "step"), [*[("inside", step) for step in INSIDE], *[("beside", step) for step in BESIDE]]
)
def test_a_scan_after_a_kill_changes_nothing_and_the_next_run_completes_it(library: SavedLibrary, way: str, step: str):
    """The photo keeps its id, faces, tags and vectors; the second run leaves all saved and nothing lying about."""
    before = library.known()

    killed(library, way, step)
    scanned(library)

    assert library.known() == before
    again = library.save(way == "inside")
    assert again.failed == {}
    assert library.known() == before
    assert library.leftovers() == []
    library.is_whole()
    assert library.save(way == "inside").unchanged == 1


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("step", ["replace", "flush", "settle"])
def test_an_undo_that_is_killed_is_completed_by_the_next(library: SavedLibrary, in_file: bool, step: str):
    """The file ends with the bytes that it had; a scan in between takes it for no edited one."""
    before, path = library.known(), library.bench.folder / JPEG
    data = path.read_bytes()
    library.save(in_file)

    killed(library, "undo", step)
    if in_file:
        scanned(library)

    assert library.known() == before
    assert library.unsave().failed == {}
    assert (path.read_bytes(), list(path.parent.glob("*.xmp"))) == (data, [])
    assert library.known() == before
    assert library.leftovers() == []
    library.is_whole()


@pytest.mark.parametrize("table", range(3))
def test_a_writer_that_dies_leaves_the_rest_to_the_next_run(library: SavedLibrary, table: int):
    """Before each table in turn: facts, photos, files."""
    before = library.known()
    mortal = Mortal(library.bench.library, library.bench.settings.store, table)
    with pytest.raises(Killed):
        library.save(in_file=True, writer=mortal)

    assert library.save(in_file=True).unchanged == 1

    assert library.known() == before
    assert library.leftovers() == []
    library.is_whole()
    scanned(library)
    assert library.known() == before


def test_a_note_of_a_file_that_was_edited_since_is_only_forgotten(library: SavedLibrary):
    """The file is neither what it was nor what it was to be: the next scan reads it as what it is now."""
    killed(library, "inside", "flush")
    path = library.bench.folder / JPEG
    path.write_bytes(path.read_bytes() + b"edited")
    content = library.bench.library.photos.rows().to_pylist()[0]["content_id"]

    bench = library.bench
    assert repair(bench.settings, OWNER, bench.library, library.writer, bench.folder) == 0

    assert library.bench.library.photos.rows().to_pylist()[0]["content_id"] == content
    assert library.leftovers() == []


def test_a_note_waits_for_a_folder_that_is_away(library: SavedLibrary):
    """The disk was unmounted after the kill: when it is back, the library follows as if nothing had been."""
    before, bench = library.known(), library.bench
    killed(library, "inside", "flush")
    bench.folder.rename(bench.root / "away")
    bench.folder.mkdir()
    assert repair(bench.settings, OWNER, bench.library, library.writer, bench.folder) == 0
    bench.folder.rmdir()
    (bench.root / "away").rename(bench.folder)

    scanned(library)

    assert library.known() == before
    library.is_whole()
    assert library.leftovers() == []


def test_a_note_of_a_photo_in_the_trash_goes_without_its_pictures(library: SavedLibrary):
    """The file was deleted after the kill, and the photo then: what is put back has its thumbnails."""
    killed(library, "inside", "flush")
    bench = library.bench
    (bench.folder / JPEG).unlink()
    delete_missing(bench.settings, bench.library, library.writer, bench.folder, "job", "ann", confirm=1)
    (trashed,) = bench.library.trash.rows().to_pylist()

    repair(bench.settings, OWNER, bench.library, library.writer, bench.folder)

    assert library.leftovers() == []
    folder = bench.settings.derived / OWNER
    assert set(folder.rglob("*.*")) == {derived_path(folder, trashed["content_id"], size) for size in EXTENSIONS}


def test_a_note_that_is_not_whole_is_forgotten(library: SavedLibrary):
    """It was being made when everything ended, so nothing had been done yet."""
    notes = Notes(library.bench.settings, OWNER)
    notes.folder.mkdir(parents=True)
    notes.path("x").write_bytes(b'{"file_id": "')

    assert library.save(in_file=True).written == 1

    assert library.leftovers() == []
