"""What becomes of photos when files are edited, copied, renamed, swapped and taken away: nothing is lost from sight."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.due import forget
from batch.guard import FEW_FILES
from cluster.errors import Invalid
from serve_apps.media.addresses import derived_path
from tests.batch.bench_of_one import OWNER, Bench

SIDECAR = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Bench]:
    """A folder with its library, both empty."""
    made = Bench(tmp_path)
    made.folder.mkdir()
    yield made
    made.close()


def test_editing_one_of_two_copies_leaves_the_other_in_sight(home: Bench):
    """The copy that was not touched keeps the photo; the edited one becomes a photo of its own."""
    home.photo("a.jpg", 1)
    home.photo("b.jpg", 1)
    home.scan()
    ids = home.ids()

    home.photo("a.jpg", 2)
    home.scan()

    shown = home.shown()
    assert {name: (files, missing) for name, (_, files, missing) in shown.items()} == {
        "a.jpg": (1, False), "b.jpg": (1, False),
    }  # fmt: skip
    assert shown["a.jpg"][0] != shown["b.jpg"][0]
    assert home.ids()["b.jpg"] == ids["a.jpg"]


def test_copying_a_photo_over_another_makes_them_one(home: Bench):
    """The one that was overwritten is gone, and said to be missing; no content is in two photos."""
    home.photo("a.jpg", 1)
    home.photo("b.jpg", 2)
    home.scan()
    ids = home.ids()

    shutil.copyfile(home.folder / "a.jpg", home.folder / "b.jpg")
    home.scan()

    rows = {row["photo_id"]: row for row in home.library.photos.rows().to_pylist()}
    assert (rows[ids["a.jpg"]]["variants"], rows[ids["a.jpg"]]["missing"]) == (2, False)
    assert (rows[ids["b.jpg"]]["variants"], rows[ids["b.jpg"]]["missing"]) == (0, True)


def test_moving_a_photo_over_another_keeps_the_moved_one(home: Bench):
    """Its bytes are there, so it is not missing; the other one's are not."""
    home.photo("a.jpg", 1)
    home.photo("b.jpg", 2)
    home.scan()
    ids = home.ids()

    os.replace(home.folder / "a.jpg", home.folder / "b.jpg")
    home.scan()

    rows = {row["photo_id"]: row for row in home.library.photos.rows().to_pylist()}
    assert (rows[ids["a.jpg"]]["name"], rows[ids["a.jpg"]]["missing"]) == ("b.jpg", False)
    assert rows[ids["b.jpg"]]["missing"]


def test_two_photos_that_change_names_stay_themselves(home: Bench):
    """Ids follow the bytes, so faces and tags stay with their picture."""
    first, second = home.photo("a.jpg", 1), home.photo("b.jpg", 2, times=2)
    home.scan()
    ids = home.ids()

    aside = first.rename(home.folder / "c.jpg")
    second.rename(home.folder / "a.jpg")
    aside.rename(home.folder / "b.jpg")
    home.scan()

    assert home.ids() == {"a.jpg": ids["b.jpg"], "b.jpg": ids["a.jpg"]}


def test_an_edited_photo_keeps_its_id(home: Bench):
    """Nobody else shows what it was."""
    home.photo("a.jpg", 1)
    home.scan()
    ids = home.ids()

    home.photo("a.jpg", 2)
    home.scan()

    assert home.ids() == ids


def test_a_large_folder_that_is_renamed_is_seen_as_moved(home: Bench):
    """However many they are: their bytes lie elsewhere, so nothing is lost and nobody needs to ask."""
    for number in range(FEW_FILES + 2):
        home.photo(f"2024/{number}.jpg", number)
    home.scan()
    ids = sorted(home.ids().values())

    os.rename(home.folder / "2024", home.folder / "Photos")
    counts = home.scan()

    assert counts["moved"] == FEW_FILES + 2
    assert "gone_unmarked" not in counts
    assert sorted(home.ids().values()) == ids
    assert all(name.startswith("Photos/") and files == 1 for name, (_, files, _) in home.shown().items())


def test_a_raw_left_by_its_jpeg_becomes_a_photo_of_its_own_whichever_folder_comes_first(home: Bench):
    """The JPEG keeps the photo where it went; the RAW stays in sight where it is."""
    for place in ("a", "z"):
        home.photo("m/pair.jpg", 1)
        home.photo("m/pair.dng", 3)  # a JPEG by its bytes, a RAW by its name
        home.scan()
        ids = home.ids()

        (home.folder / place).mkdir()
        os.rename(home.folder / "m/pair.jpg", home.folder / place / "pair.jpg")
        home.scan()

        now = home.ids()
        assert now[f"{place}/pair.jpg"] == ids["m/pair.jpg"]
        assert {name: files for name, (_, files, missing) in home.shown().items() if not missing} == {
            f"{place}/pair.jpg": 1, "m/pair.dng": 1,
        }  # fmt: skip
        os.rename(home.folder / place / "pair.jpg", home.folder / "m/pair.jpg")
        (home.folder / place).rmdir()
        home.scan()


def test_when_a_jpeg_is_deleted_the_raw_beside_it_stands_for_the_photo(home: Bench):
    """The photo keeps its id."""
    home.photo("pair.jpg", 1)
    home.photo("pair.dng", 3)
    home.scan()
    ids = home.ids()

    (home.folder / "pair.jpg").unlink()
    home.scan()

    assert home.ids() == {"pair.dng": ids["pair.jpg"]}
    assert [(files, missing) for _, files, missing in home.shown().values()] == [(1, False)]


def test_a_jpeg_and_a_raw_that_come_together_leave_no_missing_photo_behind(home: Bench):
    """The RAW's own photo becomes a variant of the JPEG's."""
    home.photo("x/pair.jpg", 1)
    home.photo("y/pair.dng", 3)
    home.scan()
    (home.folder / "z").mkdir()

    for name in ("x/pair.jpg", "y/pair.dng"):
        os.rename(home.folder / name, home.folder / "z" / name[2:])
    home.scan()

    assert [(name, files, missing) for name, (_, files, missing) in home.shown().items()] == [("z/pair.jpg", 2, False)]


def test_pictures_of_one_name_are_photos_of_their_own(home: Bench):
    """Another format or another case is another picture: each is in sight, each one's damage is told."""
    home.photo("logo.jpg", 1)
    shutil.copyfile(home.photo("x.jpg", 2), home.folder / "logo.png")
    (home.folder / "x.jpg").unlink()
    home.photo("IMG_1.JPG", 3)
    home.photo("img_1.jpg", 4)
    (home.folder / "broken.png").write_bytes(b"no picture")
    home.photo("broken.jpg", 5)

    counts = home.scan()

    assert set(home.shown()) == {"logo.jpg", "logo.png", "IMG_1.JPG", "img_1.jpg", "broken.jpg"}
    assert (counts["committed"], counts["failed"]) == (5, 1)


def test_a_sidecar_that_is_taken_away_takes_its_rating_along(home: Bench):
    """What only it said is not said any more."""
    home.photo("a.jpg", 1)
    (home.folder / "a.xmp").write_text(SIDECAR)
    home.scan()
    assert [row["rating"] for row in home.library.photos.rows().to_pylist()] == [4]

    (home.folder / "a.xmp").unlink()
    home.scan()

    assert [row["rating"] for row in home.library.photos.rows().to_pylist()] == [None]


def test_a_file_that_cannot_be_read_any_more_leaves_its_photo_visible(home: Bench):
    """It is there, so the photo is not missing; that it is broken is told."""
    home.photo("a.jpg", 1)
    home.scan()

    (home.folder / "a.jpg").write_bytes(b"rot")
    counts = home.scan()

    assert (counts["failed"], next(iter(home.shown().values()))[1:]) == (1, (0, False))


def test_what_failed_before_is_told_again_with_its_reason_in_every_scan(home: Bench):
    """The numbers of a job and its errors agree, though the file was not tried again."""
    (home.folder / "bad.jpg").write_bytes(b"no picture")
    first = home.scan()

    second = home.scan()

    assert (first["failed"], second["failed"]) == (1, 1)
    errors = [home.library.errors.of_job(job).to_pylist() for job in ("job1", "job2")]
    assert [[error["name"] for error in some] for some in errors] == [["bad.jpg"]] * 2
    assert errors[0][0]["reason"] == errors[1][0]["reason"]


def test_a_broken_file_that_is_deleted_is_not_called_moved(home: Bench):
    """It went away; nothing is left to remember."""
    (home.folder / "bad.jpg").write_bytes(b"no picture")
    home.photo("good.jpg", 1)
    home.scan()

    (home.folder / "bad.jpg").unlink()
    counts = home.scan()

    assert counts["unreadable_gone"] == 1
    assert "moved" not in counts
    assert home.library.files.count() == 1


@pytest.mark.parametrize("again", ["full", "named"])
def test_doing_everything_again_makes_damaged_previews_anew(home: Bench, again: str):
    """`-f` and `-s` write derived pictures again, though the content is the same."""
    home.photo("a.jpg", 1)
    home.scan()
    (content,) = [row["content_id"] for row in home.library.photos.rows().to_pylist()]
    preview = derived_path(home.settings.derived / OWNER, content, "preview")
    whole = preview.read_bytes()
    preview.write_bytes(whole[:100])

    home.scan(prepare=lambda scan: forget(scan.library, scan.source.name)) if again == "full" else home.named("a.jpg")

    assert preview.read_bytes() == whole


def test_only_files_that_are_there_and_below_the_folder_are_scanned_by_name(home: Bench):
    """Links, folders, what is not there and what is outside are refused with a sentence."""
    outside = home.root / "outside"
    outside.mkdir()
    shutil.copy(home.photo("a.jpg", 1), outside / "x.jpg")
    (home.folder / "link").symlink_to(outside)
    (home.folder / "sub").mkdir()

    for path in ("link/x.jpg", "sub", "nofile.jpg", "nodir/x.jpg", "../outside/x.jpg", "nul\0.jpg"):
        with pytest.raises(Invalid) as refused:
            home.named(path)
        assert len(str(refused.value).split()) > 4

    assert home.named("a.jpg")["committed"] == home.named(str(home.folder / "a.jpg"))["committed"] == 1
