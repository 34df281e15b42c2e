"""Which files are one photo, and which of them people see."""

from batch.discover import Entry
from batch.variants import main_first, photos_of, sidecar_of, stem


def entry(path: str, kind: str) -> Entry:
    """A listed file."""
    return Entry(path.encode(), kind, 1, 1)


def test_files_of_one_folder_and_name_are_one_photo():
    """Case, RAW, video and both spellings of sidecars make no difference; another folder does."""
    together = [b"a/IMG_1.JPG", b"a/img_1.dng", b"a/IMG_1.MOV", b"a/IMG_1.xmp", b"a/IMG_1.jpg.xmp", b"a/IMG_1.JPG.XMP"]

    assert {stem(path) for path in together} == {b"a/img_1"}
    assert stem(b"b/IMG_1.JPG") != stem(b"a/IMG_1.JPG")
    assert stem(b"a/v1.2.xmp") == b"a/v1.2"


def test_the_main_file_is_the_picture_then_the_video_then_the_raw():
    """A camera's own pictures go before exports, sidecars come last."""
    files = [
        entry("a.xmp", "xmp"), entry("a.dng", "raw"), entry("a.mov", "video"), entry("a.png", "image"),
        entry("a.heic", "image"),
    ]  # fmt: skip

    assert [file.path for file in main_first(files)] == [b"a.heic", b"a.png", b"a.mov", b"a.dng", b"a.xmp"]


def parted(*files: Entry) -> list[list[str]]:
    """The files' names by photo."""
    return [[file.path.decode() for file in photo] for photo in photos_of(files)]


def test_a_photo_has_one_picture_with_its_raw_its_video_and_its_sidecars():
    """JPEG beside HEIC, as a phone writes them, is one shot too."""
    files = [
        entry("a.xmp", "xmp"), entry("a.dng", "raw"), entry("a.mov", "video"), entry("a.jpg", "image"),
        entry("a.heic", "image"), entry("a.jpg.xmp", "xmp"), entry("a.cr3", "raw"),
    ]  # fmt: skip

    assert [sorted(photo) for photo in parted(*files)] == [sorted(file.path.decode() for file in files)]


def test_other_pictures_and_videos_of_the_same_name_are_photos_of_their_own():
    """A PNG beside a JPEG, two cases of one name, two films: nothing hides behind another, sidecars find theirs."""
    assert parted(entry("logo.png", "image"), entry("logo.jpg", "image"), entry("logo.png.xmp", "xmp")) == [
        ["logo.jpg"], ["logo.png", "logo.png.xmp"],
    ]  # fmt: skip
    assert parted(entry("IMG_1.JPG", "image"), entry("img_1.jpg", "image"), entry("img_1.dng", "raw")) == [
        ["IMG_1.JPG", "img_1.dng"], ["img_1.jpg"],
    ]  # fmt: skip
    assert parted(entry("a.mov", "video"), entry("a.mp4", "video")) == [["a.mov"], ["a.mp4"]]
    assert parted(entry("lone.xmp", "xmp")) == [["lone.xmp"]]


def test_the_sidecar_with_the_whole_name_goes_before_the_one_with_the_stem():
    """`a.jpg.xmp` speaks for a.jpg alone, `a.xmp` for whichever has none of its own."""
    files = [entry("a.jpg", "image"), entry("a.dng", "raw"), entry("a.JPG.xmp", "xmp"), entry("a.xmp", "xmp")]

    assert sidecar_of(b"a.jpg", files) == b"a.JPG.xmp"
    assert sidecar_of(b"a.dng", files) == b"a.xmp"
    assert sidecar_of(b"b.jpg", files) is None
