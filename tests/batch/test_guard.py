"""Whether a source is really there: the marker, the names in a root, the breaker, and what a scan does about them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from lancedb.expr import col, lit

from batch.due import forget
from batch.guard import FEW_FILES, FOREIGN, LOST, OURS, SOURCE, UNREADABLE, Disk, Guard, known
from cluster.errors import Conflict
from cluster.settings import Settings, StoreSettings
from cluster.store.database import open_library
from cluster.store.files import FOLDER
from cluster.store.files import SCHEMA as FILES
from cluster.store.schema import rows_of
from tests.batch.adorned import Album, everything, fill
from tests.batch.bench_of_one import Bench, Killed
from tests.nobody import NOBODY, as_nobody

SHARE = 0.2


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Album]:
    """Fifteen photos, scanned, with faces."""
    bench = Album(tmp_path)
    bench.folder.mkdir()
    fill(bench, 15)
    yield bench
    bench.close()


def guard(home: Bench) -> Guard:
    """The guard of a library as it is now."""
    return Guard(home.library, os.fsencode(home.folder), SHARE)


def marker(home: Bench) -> Path:
    """The folder's marker."""
    return home.folder / ".brightroom"


def whole_scan(home: Bench) -> None:
    """A scan as a job runs it."""
    home.scans += 1
    home.made(None).everything()


def other(path: Path, count: int) -> Iterator[Album]:
    """Somebody else's library, scanned."""
    bench = Album(path)
    bench.folder.mkdir(parents=True)
    for number in range(100, 100 + count):
        bench.photo(f"{number}.jpg", number, times=number)
    bench.scan()
    yield bench
    bench.close()


def test_a_scan_that_finds_photos_leaves_a_marker_that_is_no_entry(home: Album):
    """The file names the library, and no scan lists it."""
    lines = marker(home).read_text().splitlines()

    assert (lines[-1], guard(home).marker()) == (guard(home).library_id(), OURS)
    assert home.scan()["listed"] == 15


def test_an_empty_folder_gets_no_marker(tmp_path: Path):
    """A disk may be going to be mounted there."""
    home = Bench(tmp_path)
    home.folder.mkdir()

    home.scan()

    assert not list(home.folder.iterdir())
    home.close()


def test_an_empty_mount_point_is_not_scanned_and_nothing_changes(home: Album):
    """The job ends with a sentence; so does nothing happen where the folder goes away in the middle of a scan."""
    before = everything(home.library)
    home.folder.rename(home.root / "elsewhere")
    home.folder.mkdir()

    with pytest.raises(Conflict, match=r"has lost its file \.brightroom.*Mount the right one"):
        whole_scan(home)
    counts = home.scan()  # as a scan that asked before the disk went away

    assert (counts["gone_unmarked"], counts["marker_lost"]) == (15, 1)
    assert everything(home.library) == before
    assert not marker(home).exists()

    home.folder.rmdir()
    (home.root / "elsewhere").rename(home.folder)
    whole_scan(home)
    assert everything(home.library) == before


def test_the_folder_of_another_library_is_not_scanned(home: Album, tmp_path: Path):
    """Its photos do not become this library's, and it does not get this library's line."""
    before = everything(home.library)
    for stranger in other(tmp_path / "other", 60):
        shutil.rmtree(home.folder)
        shutil.copytree(stranger.folder, home.folder)

        with pytest.raises(Conflict, match="belongs to another library"):
            whole_scan(home)

        assert everything(home.library) == before
        assert marker(home).read_bytes() == marker(stranger).read_bytes()
        assert guard(home).marker() == FOREIGN


def test_a_folder_restored_without_its_marker_is_known_again_by_its_files(home: Album):
    """Four fifths of them are enough; what is gone is then missing as ever."""
    marker(home).unlink()
    for number in range(3):
        (home.folder / f"{number:02d}/{number:03d}.jpg").unlink()

    whole_scan(home)

    assert guard(home).marker() == OURS
    assert sum(missing for _, _, missing in home.shown().values()) == 3


def test_with_fewer_of_its_files_somebody_has_to_say_that_it_is_the_one(home: Album):
    """The sentence names the line that is to be put into the marker."""
    marker(home).unlink()
    for number in range(4):
        (home.folder / f"{number:02d}/{number:03d}.jpg").unlink()
    with pytest.raises(Conflict, match=guard(home).library_id()):
        whole_scan(home)

    marker(home).write_text(f"{guard(home).library_id()}\r\n")
    whole_scan(home)

    assert sum(missing for _, _, missing in home.shown().values()) == 4


def test_a_library_from_before_there_were_markers_can_go_on_after_many_of_its_files_were_deleted(tmp_path: Path):
    """Half of them are enough to mark the folder, so that the others can be deleted; none is marked as missing."""
    home = Album(tmp_path)
    home.folder.mkdir()
    fill(home, 26)
    marker(home).unlink()
    home.library.meta.delete(col("key") == lit(SOURCE))
    for number in range(13):
        (home.folder / f"{number % 12:02d}/{number:03d}.jpg").unlink()
    assert "No scan has made sure" in guard(home).away()

    counts = home.scan()

    assert (counts["gone_unmarked"], counts["too_many_gone"]) == (13, 1)
    assert (guard(home).marker(), guard(home).away()) == (OURS, "")
    home.close()


def test_two_libraries_may_share_a_folder(home: Album, tmp_path: Path):
    """Each leaves its line, so that an owner may begin anew over the same photos."""
    anew = Album(tmp_path / "anew")
    anew.root.mkdir()
    (anew.root / "photos").symlink_to(home.folder)

    whole_scan(anew)

    assert (guard(anew).marker(), guard(home).marker()) == (OURS, OURS)
    assert len(marker(home).read_text().split("\n\n")) == 2
    anew.close()


def test_another_folder_that_was_set_is_scanned_and_only_what_is_gone_asks_for_belief(home: Album):
    """Where it is was said by an administrator, so its photos come in; that all others vanished is another question."""

    class Elsewhere(Album):
        """The same library over another folder."""

        @property
        def folder(self) -> Path:
            """Where the photos are now."""
            return self.root / "elsewhere"

    moved = Elsewhere(home.root, scans=20)
    moved.photo("new.jpg", 200)

    whole_scan(moved)

    assert "new.jpg" in home.shown()
    assert not any(missing for _, _, missing in home.shown().values())
    assert not marker(moved).exists()
    moved.close()


@pytest.mark.parametrize("thing", ["pipe", "folder", "link"])
def test_what_is_no_regular_file_is_no_marker_and_holds_nobody_up(home: Album, thing: str):
    """A scan goes on where the known files are there, and nothing is written through a link."""
    marker(home).unlink()
    elsewhere = home.root / "elsewhere"
    {"pipe": os.mkfifo, "folder": os.mkdir, "link": lambda path: path.symlink_to(elsewhere)}[thing](marker(home))

    assert guard(home).marker() == UNREADABLE
    assert home.scan()["skipped_by"] == {"unchanged": 15}
    assert not elsewhere.exists()


def test_strangers_that_come_at_once_do_not_hide_how_many_are_gone(home: Album):
    """The share is of the files that were known before the scan."""
    for number in range(FEW_FILES + 1):
        (home.folder / f"{number:02d}/{number:03d}.jpg").unlink()
    for number in range(100):
        home.photo(f"new/{number}.jpg", number, times=1000 + number)

    counts = home.scan()

    assert (counts["gone_unmarked"], counts["too_many_gone"]) == (FEW_FILES + 1, 1)
    assert not any(missing for _, _, missing in home.shown().values())


def test_what_an_interrupted_scan_read_again_was_known_before_it(home: Album):
    """What it added was not: only the rows tell, whatever number of attempts it takes."""
    for number in range(3):
        home.photo(f"new/{number}.jpg", number, times=2000 + number)
    home.scan(prepare=lambda scan: forget(scan.library, scan.source.name))

    assert home.library.files.count() == 18
    assert known(home.library, FOLDER, f"job{home.scans}") == known(home.library, FOLDER, "the first") - 3 == 15


def test_a_marker_is_written_by_the_next_scan_when_one_is_killed_before(tmp_path: Path):
    """It is the last that a scan leaves."""
    home = Bench(tmp_path)
    for number in range(3):
        home.photo(f"{number}.jpg", number)
    with pytest.raises(Killed):
        home.scan(dies_before=1)
    assert not marker(home).exists()

    home.scan()

    assert guard(home).marker() == OURS
    home.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody to whom a folder is closed")
def test_a_folder_that_takes_no_marker_is_known_by_the_names_in_it():
    """Half of them have to be there; more, as people add them, and fewer, as they delete them, are learned."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        root, data = Path(place, "photos"), Path(place, "data")
        for name in ("2021", "2022", "2023", "2024"):
            (root / name).mkdir(parents=True)
        data.mkdir()
        os.chown(data, NOBODY, NOBODY)
        as_nobody(sign, data, root)
        library = open_library(Settings(root=data, store=StoreSettings(fresh_s=0)), "somebody")
        states = []
        for name in ("2021", "2022", "2023"):
            states.append(Guard(library, os.fsencode(root), SHARE).marker())
            (root / name).rmdir()
        states.append(Guard(library, os.fsencode(root), SHARE).marker())

    assert states == [OURS, OURS, OURS, LOST]


def sign(data: Path, root: Path) -> None:
    """Make a library of one file and remember its folder, which takes no marker."""
    library = open_library(Settings(root=data, store=StoreSettings(fresh_s=0)), "somebody")
    file = {"file_id": "a", "source": FOLDER, "state": "ok", "path": b"2021/a", "seen_at": 0}
    library.files.upsert(rows_of([file], FILES))
    Guard(library, os.fsencode(root), SHARE).sign()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody to whom a folder is closed")
def test_what_lies_below_a_folder_that_cannot_be_listed_is_not_gone():
    """Whether the folder can be entered or not: what cannot be looked at may be there."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for name, mode in {"": 0o755, "open": 0o755, "entered": 0o711, "closed": 0o700}.items():
            (root / name).mkdir(exist_ok=True)
            (root / name).chmod(mode)
        paths = [b"open/a.jpg", b"open/x/a.jpg", b"entered/a.jpg", b"entered/x/a.jpg", b"closed/a.jpg", b"a.jpg"]

        gone = as_nobody(gone_of, os.fsencode(root), paths)

    assert gone == [True, True, False, False, False, True]


def gone_of(root: bytes, paths: list[bytes]) -> list[bool]:
    """Whether some files are gone."""
    disk = Disk(root)
    return [disk.is_gone(path) for path in paths]
