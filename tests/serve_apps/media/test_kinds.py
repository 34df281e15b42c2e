"""What a file is, by its name and by its first bytes."""

from pathlib import Path

import pytest

from serve_apps.media.kinds import (
    HEAD_BYTES,
    IMAGE_EXTENSIONS,
    RAW_EXTENSIONS,
    VIDEO_EXTENSIONS,
    Format,
    kind_of,
    sniff,
)


def test_there_are_37_raw_extensions_and_no_extension_means_two_things() -> None:
    """The sets are those of the reference, and disjoint."""
    assert len(RAW_EXTENSIONS) == 37
    assert not (
        RAW_EXTENSIONS & IMAGE_EXTENSIONS | RAW_EXTENSIONS & VIDEO_EXTENSIONS | IMAGE_EXTENSIONS & VIDEO_EXTENSIONS
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.JPG", "image"), ("a.jpg.xmp", "xmp"), ("a.CR3", "raw"), ("a.b.mov", "video"), ("a", None), (".jpg", None),
        ("a.txt", None), ("a.jpg ", None), ("main.ts", None), ("film.m2ts", "video"), ("\udcff.heic", "image"),
    ],
)  # fmt: skip
def test_a_name_says_what_a_file_ought_to_be(name: str, kind: str | None) -> None:
    """By its last extension, in either case."""
    assert kind_of(name) == kind


def test_every_sample_is_recognised_by_its_bytes(samples: dict[str, Path]) -> None:
    """Without its name a file is what it is; only camera RAW needs its extension."""
    for format, path in samples.items():
        head = path.read_bytes()[:HEAD_BYTES]
        assert sniff(head, "x") == Format("image", "tiff" if format == "dng" else format)
    assert sniff(samples["dng"].read_bytes()[:HEAD_BYTES], "IMG.DNG") == Format("raw", "dng")


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiaf", Format("image", "avif")),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1heicmiaf", Format("image", "heic")),
        (b"\0\0\0\x10ftypmif1\0\0\0\0avif", Format("image", "heic")),  # behind the end of the box
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", Format("raw", "cr3")),
        (b"\0\0\0\x18ftypisom\0\0\0\x01isomavc1", Format("video", "mp4")),
        (b"\0\0\0\x18ftyp3gp5\0\0\0\x01isomavc1", Format("video", "3gp")),
        (b"\0\0\0\x08wide\0\0\0\x08mdat", Format("video", "mov")),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", Format("video", "webm")),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", Format("video", "mkv")),
        (b"RIFF\0\0\0\0AVI LIST", Format("video", "avi")),
        (b"G" + bytes(187) + b"G" + bytes(187), Format("video", "mpegts")),
        (bytes(4) + b"G" + bytes(191) + b"G" + bytes(187), Format("video", "mpegts")),
        (b"FUJIFILMCCD-RAW 0201", Format("raw", "raw")),
        (b"RIFF\0\0\0\0WAVE", None), (b"", None), (b"hello", None), (b"\xff\xd8", None),
    ],
)  # fmt: skip
def test_first_bytes_tell_formats_apart(head: bytes, format: Format | None) -> None:
    """Containers that are shared by several formats are told apart by their brands."""
    assert sniff(head, "x") == format


def test_a_raw_extension_is_believed_unless_the_bytes_are_text() -> None:
    """There are RAW formats without any signature."""
    assert sniff(bytes(range(200)), "a.kdc") == Format("raw", "kdc")
    assert sniff(b"just a note", "a.kdc") is None
