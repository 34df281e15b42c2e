"""What a save-metadata wrote is taken back: files are what they were to the byte, or as somebody else left them."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batch.former import Formers
from batch.unsaving import NOTHING, foresee
from cluster.store.storage import storage
from tests.batch.bench_of_one import OWNER, Bench, Killed, Mortal
from tests.batch.saved import JPEG, SavedLibrary
from tests.batch.test_metadata import DNG, EDITED, HEIC, MP4
from tests.sample_library import SampleLibrary

KINDS = (JPEG, HEIC, DNG, MP4)


@pytest.fixture
def library(tmp_path: Path, sample: SampleLibrary) -> Iterator[SavedLibrary]:
    """A scanned library of a JPEG."""
    yield from made(tmp_path, sample, JPEG)


@pytest.fixture
def whole(tmp_path: Path, sample: SampleLibrary) -> Iterator[SavedLibrary]:
    """A scanned library of a JPEG, a HEIC, a DNG and a video."""
    yield from made(tmp_path, sample, *(photo.main for photo in sample.photos if photo.main in KINDS))


def made(root: Path, sample: SampleLibrary, *mains: str) -> Iterator[SavedLibrary]:
    """A scanned library of some photos."""
    library = SavedLibrary(Bench(root))
    library.add(sample, *mains)
    library.bench.scan()
    library.tell()
    yield library
    library.bench.close()


def save(library: SavedLibrary, job: str, in_file: bool = True) -> None:
    """Write metadata by a job of this name."""
    library.save(in_file, job_id=job)


def files(library: SavedLibrary) -> dict[str, tuple[bytes, int, int]]:
    """Every file in the folder: its bytes, its time and its mode."""
    return {
        str(path.relative_to(library.bench.folder)): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
        for path in library.bench.folder.rglob("*")
        if path.is_file()
    }


def kept(library: SavedLibrary, job: str = "save1") -> int:
    """How many photos a job can still be undone in."""
    return Formers(library.bench.settings, OWNER).photos(job)


@pytest.mark.parametrize("in_file", [False, True])
def test_every_kind_of_file_is_what_it_was_to_the_byte(whole: SavedLibrary, in_file: bool):
    """JPEG, HEIC, DNG and MP4, and sidecars; with their times, and the library knows it. A scan sees no change."""
    before, known = files(whole), whole.known()
    written = whole.save(in_file).written
    assert files(whole) != before
    assert kept(whole) == len(known["photos"]) == written

    told = whole.unsave()

    assert told.failed == {}
    assert files(whole) == before
    assert whole.known() == known
    whole.is_whole()
    assert whole.leftovers() == []
    assert kept(whole) == 0
    assert whole.bench.scan().get("photos_changed", 0) == 0
    assert whole.known() == known


def test_a_sidecar_that_was_there_has_its_own_words_again(library: SavedLibrary):
    """One that Brightroom made goes, one that somebody else made is theirs again."""
    theirs = (library.bench.folder / JPEG).with_suffix(".xmp")
    theirs.write_text(EDITED)
    os.utime(theirs, ns=(1, 1_600_000_000_000_000_007))
    library.bench.scan()
    library.tell()
    before = files(library)
    assert library.save(in_file=False).written == 1
    assert files(library) != before

    assert library.unsave().undone == 1

    assert files(library) == before
    assert library.bench.scan().get("photos_changed", 0) == 0


@pytest.mark.parametrize("in_file", [False, True])
def test_a_file_that_somebody_changed_since_stays_as_they_left_it(library: SavedLibrary, in_file: bool):
    """It is skipped with a reason, and can be tried again."""
    library.save(in_file)
    path = library.bench.folder / (JPEG if in_file else f"{JPEG}.xmp")
    path.write_bytes(path.read_bytes() + b" ")
    now = files(library)

    told = library.unsave()

    assert told.undone == 0
    assert "changed since" in told.failed[path.relative_to(library.bench.folder).as_posix()]
    assert files(library) == now
    assert kept(library) == 1
    (error,) = library.bench.library.errors.rows().to_pylist()
    assert (error["job_id"], error["stage"]) == ("undo1", "save-metadata")


def test_of_two_jobs_the_later_one_is_undone_first(whole: SavedLibrary):
    """Then the former one; in between each file is what it was in between."""
    first = files(whole)
    save(whole, "one")
    second = files(whole)
    whole.tell(rating=1)
    save(whole, "two")

    early = whole.unsave("one")
    assert early.undone == 0
    assert all("later save-metadata" in reason for reason in early.failed.values())
    assert whole.unsave("two").failed == {}
    assert files(whole) == second
    assert whole.unsave("one").failed == {}
    assert files(whole) == first
    whole.is_whole()


def test_a_file_that_one_job_wrote_twice_is_what_it_was_first(library: SavedLibrary):
    """The job was paused, stars were given meanwhile, and it went on."""
    before = files(library)
    save(library, "one")
    library.tell(rating=1)
    save(library, "one")

    assert library.unsave("one").failed == {}

    assert files(library) == before
    library.is_whole()


def test_a_read_only_file_and_one_that_is_gone_are_skipped_with_what_to_do(library: SavedLibrary):
    """Nothing is forgotten of them."""
    library.save(in_file=True)
    path = library.bench.folder / JPEG
    path.chmod(0o444)
    assert "read-only; allow writing to it" in library.unsave().failed[JPEG]
    path.rename(library.bench.root / "away.jpg")
    assert "not there any more" in library.unsave().failed[JPEG]
    assert kept(library) == 1


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("step", ["write", "note", "keep", "replace", "flush", "commit", "settle"])
def test_an_undo_that_ends_at_any_step_is_completed_by_the_next(library: SavedLibrary, in_file: bool, step: str):
    """The process is gone before it: nothing is lost, the photo stays one, and the file ends as it was."""
    before, known = files(library), library.known()
    library.save(in_file)

    def dies(name: str) -> None:
        """Go no further than that step."""
        if name == step:
            raise Killed

    try:
        library.unsave(step=dies)
    except Killed:
        assert library.unsave().failed == {}

    assert files(library) == before
    assert library.known() == known
    library.is_whole()
    assert library.leftovers() == []
    assert kept(library) == 0


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("table", range(3))
def test_a_writer_that_dies_leaves_the_rest_to_the_next_undo(library: SavedLibrary, in_file: bool, table: int):
    """Before each table in turn."""
    before, known = files(library), library.known()
    library.save(in_file)
    mortal = Mortal(library.bench.library, library.bench.settings.store, table)
    try:
        library.unsave(writer=mortal)
    except Killed:
        assert library.unsave().failed == {}

    assert files(library) == before
    assert library.known() == known
    library.is_whole()


def test_a_file_that_is_written_to_while_it_is_undone_is_not_lost(library: SavedLibrary):
    """Somebody edits it in the moment before it is replaced: their file stays."""
    library.save(in_file=True)
    path = library.bench.folder / JPEG
    theirs = path.read_bytes() + b"theirs"

    told = library.unsave(step=lambda name: path.write_bytes(theirs) if name == "replace" else 0)

    assert "changed since" in told.failed[JPEG]
    assert path.read_bytes() == theirs
    assert library.leftovers() == []


def test_a_look_beforehand_lists_what_would_be_and_does_nothing(whole: SavedLibrary):
    """Files that were changed since are counted as such; of a job of which nothing is kept that is said."""
    whole.save(in_file=True)
    (whole.bench.folder / JPEG).write_bytes(b"edited")
    now = files(whole)

    plan = foresee(whole.bench.settings, whole.bench.library, whole.bench.folder, "save1")

    assert plan.counts == {"files": len(KINDS) - 1, "sidecars removed": 0, "changed since": 1}
    assert set(plan.names) == set(KINDS) - {JPEG}
    assert files(whole) == now
    nothing = foresee(whole.bench.settings, whole.bench.library, whole.bench.folder, "another")
    assert nothing.refused == NOTHING


def test_what_is_kept_is_forgotten_after_its_time(library: SavedLibrary):
    """Not before."""
    library.save(in_file=True)
    formers, now = Formers(library.bench.settings, OWNER), datetime.now(UTC)

    formers.purge(now - timedelta(days=30))
    assert kept(library) == 1
    formers.purge(now + timedelta(seconds=10))
    assert kept(library) == 0
    assert list(formers.folder.glob("*")) == []


def test_what_was_left_as_it_was_keeps_nothing(library: SavedLibrary):
    """A file that could not be put in place has no former one."""
    path = library.bench.folder / JPEG
    theirs = path.read_bytes() + b"theirs"
    library.save(in_file=True, step=lambda name: path.write_bytes(theirs) if name == "replace" else 0)

    assert kept(library) == 0


@pytest.mark.parametrize("in_file", [False, True])
def test_cleared_pictures_that_saving_makes_again_are_counted(library: SavedLibrary, in_file: bool):
    """It decodes the photo anyway; also once that is undone the library's storage is what lies on the disk."""
    derived = library.bench.settings.derived / OWNER
    for path in derived.rglob("*.*"):
        path.unlink()
    library.tell(derived_bytes=0)

    made = []
    for act in (lambda: library.save(in_file), lambda: library.unsave()):
        act()
        made.append(storage(library.bench.library).derived)
        assert made[-1] == sum(one.stat().st_size for one in derived.rglob("*.*"))
    assert all(made) == in_file  # beside a file it need not be decoded
