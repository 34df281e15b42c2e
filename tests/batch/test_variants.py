"""Which files are one photo, and which of them people see."""

from batch.discover import Entry
from batch.variants import main_first, sidecar_of, stem


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


def test_the_sidecar_with_the_whole_name_goes_before_the_one_with_the_stem():
    """`a.jpg.xmp` speaks for a.jpg alone, `a.xmp` for whichever has none of its own."""
    files = [entry("a.jpg", "image"), entry("a.dng", "raw"), entry("a.JPG.xmp", "xmp"), entry("a.xmp", "xmp")]

    assert sidecar_of(b"a.jpg", files) == b"a.JPG.xmp"
    assert sidecar_of(b"a.dng", files) == b"a.xmp"
    assert sidecar_of(b"b.jpg", files) is None
