"""What happens to a library when its folder changes between two scans."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.batch.conftest import copied
from tests.conftest import Household, rows_of, vectors_of
from tests.sample_library import SampleLibrary

CAT = "2020/At home/SAM_0041.jpg"
COFFEE = "2024/2024-05 Paris/IMG_0401.JPG"
PAIR = "2018/2018-02 Zermatt/IMG_2102.JPG"
RATED = "2016/2016-07 Porto/DSC_0103.JPG"
ROCKET = "2017/2017-03 Cape Canaveral/IMG_2001.JPG"


def photos(home: Household) -> dict[str, dict]:
    """Rows of photos by name."""
    return {row["name"]: row for row in home.library.photos.rows().to_pylist()}


def test_moved_deleted_edited_and_added_files_each_do_the_right_thing(
    few: Callable[..., Household], sample: SampleLibrary
):
    """One scan sees all four at once: ids stay with their photos, only what is new is computed."""
    home = few(CAT, COFFEE, RATED)
    home.scan()
    before = photos(home)
    moved = home.folder / "elsewhere" / "kitty.jpg"
    moved.parent.mkdir()
    os.rename(home.folder / CAT, moved)
    (home.folder / COFFEE).unlink()
    shutil.copy(sample.folder / ROCKET, home.folder / RATED)
    added = copied(sample, PAIR, home.folder / "new")

    job = home.scan()

    now = photos(home)
    assert now["elsewhere/kitty.jpg"]["photo_id"] == before[CAT]["photo_id"]
    assert now["elsewhere/kitty.jpg"]["tags"] == before[CAT]["tags"] != []
    assert now[COFFEE]["missing"]
    assert now[COFFEE]["caption"] == before[COFFEE]["caption"]
    assert now[RATED]["photo_id"] == before[RATED]["photo_id"]
    assert now[RATED]["content_id"] != before[RATED]["content_id"]
    (face,) = home.library.faces.of_photos([now[RATED]["photo_id"]]).to_pylist()
    assert (face["origin"], face["standing"]) == ("xmp", "labeled"), "its sidecar still says so, and no model any more"
    assert (before[RATED]["face_count"], now[RATED]["face_count"]) == (1, 1)
    assert now[str(added.relative_to(home.folder))]["clip_rev"] != ""
    assert (job.counts["photos_added"], job.counts["moved"], job.counts["missing_files"]) == (1, 1, 1)
    assert vectors_of(home.library)["embedded:clip@1"].keys() == {row["photo_id"] for row in now.values()}

    home.folder.joinpath(COFFEE).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(sample.folder / COFFEE, home.folder / COFFEE)
    home.scan()

    back = photos(home)[COFFEE]
    assert (back["photo_id"], back["missing"]) == (before[COFFEE]["photo_id"], False)


def test_variants_and_sidecars_that_come_late_join_their_photo(few: Callable[..., Household], sample: SampleLibrary):
    """A RAW beside a known JPEG makes no new photo and no new work; a sidecar brings its rating and its region."""
    home = few(PAIR, RATED)
    raw, sidecar = home.folder / PAIR.replace("JPG", "DNG"), home.folder / RATED.replace("JPG", "xmp")
    raw_bytes, sidecar_bytes = raw.read_bytes(), sidecar.read_bytes()
    raw.unlink()
    sidecar.unlink()
    home.scan()
    before = photos(home)

    raw.write_bytes(raw_bytes)
    sidecar.write_bytes(sidecar_bytes)
    job = home.scan()

    now = photos(home)
    assert {name: row["photo_id"] for name, row in now.items()} == {n: row["photo_id"] for n, row in before.items()}
    assert (before[PAIR]["has_raw"], now[PAIR]["has_raw"], now[PAIR]["variants"]) == (False, True, 2)
    assert (before[RATED]["rating"], now[RATED]["rating"]) == (None, 4)
    assert now[RATED]["regions"]
    assert [stage["total"] for stage in job.stages if stage["name"] != "thumbnails"] == [0] * 5


def test_when_the_folder_is_empty_nothing_is_marked_missing(few: Callable[..., Household]):
    """A share that is not mounted looks like an empty folder; the library must not take it for the truth."""
    home = few(CAT, COFFEE)
    home.scan()
    for entry in home.folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)

    job = home.scan()

    assert job.counts["gone_unmarked"] == 2
    assert not any(row["missing"] for row in photos(home).values())


def test_a_rescan_of_named_files_touches_only_them(few: Callable[..., Household]):
    """`-s PATH` reads that file again, computes its stages again, and leaves the other photo's row alone."""
    home = few(CAT, COFFEE)
    home.scan()
    before = photos(home)

    job = home.scan(paths=[CAT])

    now = photos(home)
    assert (job.counts["listed"], job.counts["committed"]) == (1, 1)
    assert now[COFFEE] == before[COFFEE]
    assert now[CAT]["changed_at"] > before[CAT]["changed_at"]
    assert now[CAT]["tags"] == before[CAT]["tags"]


def test_a_full_rescan_does_everything_again_and_changes_nothing(few: Callable[..., Household]):
    """`-f` commits every file again; what it finds is what was there."""
    home = few(CAT, PAIR)
    first = home.scan()
    rows = rows_of(home.library)

    job = home.scan(full=True)

    assert job.counts["committed"] == first.counts["committed"] == 3
    assert {stage["name"]: stage["done"] for stage in job.stages}["clip"] == 2
    assert rows_of(home.library) == rows


def test_hostile_names_and_unreadable_folders_cost_nothing_but_themselves(
    few: Callable[..., Household], sample: SampleLibrary
):
    """Raw bytes, line ends and 255 bytes in names are photos like others; each keeps its raw path."""
    home = few()
    names = [b"caf\xe9.jpg", b"two\nlines.jpg", b"a" * 251 + b".jpg", b"quote' OR 1=1 --.jpg", "日本 🌸.jpg".encode()]
    data = (sample.folder / CAT).read_bytes()
    for number, name in enumerate(names):
        # Bytes after the end of a JPEG make different content of the same picture.
        Path(os.fsdecode(os.path.join(os.fsencode(home.folder), name))).write_bytes(data + bytes([number]))

    job = home.scan()

    paths = {row["path"] for row in home.library.files.rows().to_pylist()}
    assert (job.state, job.counts["committed"], job.counts["failed"]) == ("done", 5, 0)
    assert paths == set(names)
