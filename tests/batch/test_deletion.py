"""Deleting missing photos: what it says before, what it refuses, what goes, and that all of it can be undone."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batch.deletion import delete_missing, foresee
from batch.guard import Guard
from batch.trash import restore
from cluster.errors import Conflict, Invalid
from cluster.store.writer import Writer
from tests.batch.adorned import Album, everything, fill, unmarked
from tests.batch.bench_of_one import Killed, Mortal

JOB, BY = "deletion", "ann"


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve photos with faces, of which a scan has seen that four are gone."""
    home = Album(tmp_path_factory.mktemp("twelve") / "home")
    home.folder.mkdir(parents=True)
    fill(home, 12)
    for number in range(4):
        path_of(home, number).unlink()
    home.scan()
    home.close()
    return home.root


@pytest.fixture
def home(twelve: Path, tmp_path: Path) -> Iterator[Album]:
    """Those, to be changed."""
    bench = Album(shutil.copytree(twelve, tmp_path / "home"), scans=10)
    yield bench
    bench.close()


def path_of(home: Album, number: int) -> Path:
    """Where a photo's file lies."""
    return home.folder / f"{number % 12:02d}/{number:03d}.jpg"


def delete(home: Album, confirm: int | None = None, job: str = JOB, **more: Any) -> dict[str, int]:
    """Delete the missing photos."""
    library = home.library
    return delete_missing(
        home.settings, library, Writer(library, home.settings.store), home.folder, job, BY, confirm, **more
    )


def undo(home: Album, job: str = JOB) -> None:
    """Put back what a job deleted."""
    library = home.library
    photos = library.trash.of_action(job, ["photo_id"])["photo_id"].to_pylist()
    restore(library, Writer(library, home.settings.store), photos)


def test_thirty_of_120_files_are_deleted_and_the_library_is_as_before_after_undoing(tmp_path: Path):
    """A folder that is away is told; the breaker asks for the number; undone, names and faces are back."""
    home = Album(tmp_path / "home")
    home.folder.mkdir(parents=True)
    fill(home, 120)
    before = everything(home.library)
    home.folder.rename(tmp_path / "away")
    with pytest.raises(Invalid, match="mount it"):
        home.made(None).everything()
    with pytest.raises(Conflict, match=r"is not there\. Mount it"):
        delete(home, 120)
    assert "is not there" in foresee(home.settings, home.library, home.folder).refused
    (tmp_path / "away").rename(home.folder)
    home.scan()
    assert everything(home.library) == before

    gone = [path_of(home, number) for number in range(0, 120, 4)]
    for path in gone:
        shutil.move(path, tmp_path / path.name)
    counts = home.scan()
    plan = foresee(home.settings, home.library, home.folder)

    assert (counts["gone_unmarked"], counts["too_many_gone"]) == (30, 1)
    assert everything(home.library) == before
    assert plan.names == sorted(str(path.relative_to(home.folder)) for path in gone)
    assert plan.counts == {"photos": 30, "files": 30, "faces": 60, "unmarked": 30}
    assert plan.confirm == 30
    assert plan.bytes == sum(row["derived_bytes"] for row in before["photos"] if row["name"] in plan.names)
    assert "confirm with the number 30" in plan.refused
    for wrong in (None, 29, 31, 120):
        with pytest.raises(Conflict, match="30"):
            delete(home, wrong)
    assert everything(home.library) == before

    assert delete(home, 30) == {"photos_deleted": 30}

    assert sorted(home.shown()) == sorted({row["name"] for row in before["photos"]} - set(plan.names))
    after = everything(home.library)
    assert (len(after["faces"]), len(after["facts"]), len(after["files"])) == (180, 90, 90)
    assert (after["people"], after["events"]) == (before["people"], before["events"])
    assert home.scan()["skipped_by"] == {"unchanged": 90}

    undo(home)

    assert unmarked(everything(home.library)) == before
    assert {name for name, (_, _, missing) in home.shown().items() if missing} == set(plan.names)
    for path in gone:
        shutil.move(tmp_path / path.name, path)
    home.scan()
    assert everything(home.library) == before
    home.close()


def test_what_a_scan_has_marked_needs_no_number(home: Album):
    """Four of twelve are few enough for a scan, and for the deletion; a wrong number is refused all the same."""
    plan = foresee(home.settings, home.library, home.folder)
    assert (plan.counts["photos"], plan.counts["unmarked"], plan.refused, plan.confirm) == (4, 0, "", 0)
    with pytest.raises(Conflict, match="4 photos are missing now, not 5"):
        delete(home, 5)

    assert delete(home) == {"photos_deleted": 4}
    assert foresee(home.settings, home.library, home.folder).counts["photos"] == 0
    assert delete(home) == {"photos_deleted": 0}


def emptied(home: Album) -> None:
    """An empty mount point."""
    shutil.rmtree(home.folder)
    home.folder.mkdir()


def a_strangers(home: Album) -> None:
    """Another library's folder."""
    (home.folder / ".brightroom").write_text("0" * 32 + "\n")


def gone_away(home: Album) -> None:
    """No folder."""
    shutil.rmtree(home.folder)


@pytest.mark.parametrize("happens", [emptied, a_strangers, gone_away])
def test_nothing_is_deleted_from_a_folder_that_is_not_ours_whoever_confirms(
    home: Album, happens: Callable[[Album], None]
):
    """Before the deletion begins, and while it is under way."""
    before = everything(home.library)

    def in_between() -> bool:
        happens(home)
        return False

    with pytest.raises(Conflict) as meanwhile:
        delete(home, stopped=in_between)
    with pytest.raises(Conflict):
        delete(home, 12)

    assert "Mount" in str(meanwhile.value)
    assert everything(home.library) == before
    assert home.library.trash.count() == 0


def test_a_photo_whose_file_is_back_is_not_deleted(home: Album):
    """Back after the dry run: the number is another one. Back after the deletion has begun: it stays."""
    before = everything(home.library)

    def back() -> bool:
        home.photo("00/000.jpg", 0, times=1)
        return False

    assert delete(home, 4, stopped=back) == {"photos_deleted": 3, "photos_back": 1}
    assert "00/000.jpg" in home.shown()
    undo(home)
    assert everything(home.library) == before
    with pytest.raises(Conflict, match="3 photos are missing now, not 4"):
        delete(home, 4)


def test_a_photo_stays_while_one_of_its_pictures_is_there_and_a_sidecar_is_none(home: Album):
    """A RAW left behind keeps its photo; a sidecar does not, and stays where it is."""
    home.photo("pair.jpg", 50)
    home.photo("pair.dng", 51)
    home.photo("noted.jpg", 52)
    sidecar = home.folder / "noted.xmp"
    sidecar.write_text("<x/>")
    home.scan()
    for name in ("pair.jpg", "noted.jpg"):
        (home.folder / name).unlink()

    plan = foresee(home.settings, home.library, home.folder)
    delete(home, 5)

    assert plan.names == ["00/000.jpg", "01/001.jpg", "02/002.jpg", "03/003.jpg", "noted.jpg"]
    assert "pair.jpg" in home.shown()
    assert sidecar.read_text() == "<x/>"
    assert b"noted.xmp" not in home.library.files.rows()["path"].to_pylist()


def test_a_deletion_that_is_stopped_goes_on_with_the_number_that_was_confirmed(home: Album):
    """What it deleted before counts; photos that came back meanwhile do not stand in its way."""
    for number in range(4, 8):
        path_of(home, number).unlink()
    assert delete(home, 8, stopped=lambda: True) == {"photos_deleted": 0}
    library = home.library
    mortal = Mortal(library, home.settings.store, dies_before=6)
    with pytest.raises(Killed):
        delete_missing(home.settings, library, mortal, home.folder, JOB, BY, 8)

    home.photo("00/000.jpg", 0, times=1)
    assert delete(home, 8) == {"photos_deleted": 7}
    assert home.library.trash.count() == 8
    home.scan()
    assert (home.library.trash.count(), len(home.shown())) == (7, 5)

    path_of(home, 8).unlink()
    with pytest.raises(Conflict, match="confirm with the number 1"):
        delete(home, job="another")


def test_wherever_a_deletion_dies_the_next_one_ends_as_if_it_had_not(home: Album, tmp_path: Path):
    """Killed before its first change of a table, its second, and so on; then undone, everything is back."""
    before = everything(home.library)
    undisturbed = Album(shutil.copytree(home.root, tmp_path / "undisturbed"))
    delete(undisturbed)
    wanted = everything(undisturbed.library)

    deaths = 0
    while True:
        one = Album(shutil.copytree(home.root, tmp_path / f"dies{deaths}"))
        library = one.library
        mortal = Mortal(library, one.settings.store, deaths)
        try:
            delete_missing(one.settings, library, mortal, one.folder, JOB, BY)
            break
        except Killed:
            delete(one)
        assert everything(one.library) == wanted, f"after a death before change {deaths}"
        assert one.library.trash.count() == 4
        undo(one)
        assert everything(one.library) == before, f"undone after a death before change {deaths}"
        deaths += 1
    assert deaths >= 7


def test_links_below_the_folder_do_not_lead_the_deletion_out(home: Album, tmp_path: Path):
    """A folder that was replaced by a link to where the photos went has them: they are not missing."""
    shutil.move(home.folder / "05", tmp_path / "05")
    (home.folder / "05").symlink_to(tmp_path / "05")

    assert "05/005.jpg" not in foresee(home.settings, home.library, home.folder).names
    assert Guard(home.library, os.fsencode(home.folder), 0.2).away() == ""
