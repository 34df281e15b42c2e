"""Single tags of a TIFF block, and nothing beyond its end."""

import struct
from collections.abc import Callable

import pytest

from serve_apps.media.tiff import bytes_of, entry, first_list

MAKE = 271


def test_a_tag_of_the_first_list_is_found(exif_bytes: Callable[..., bytes]) -> None:
    """Its bytes are those that were written."""
    assert bytes_of(exif_bytes({MAKE: b"ACME Cameras"})[6:], MAKE).rstrip(b"\0") == b"ACME Cameras"
    assert bytes_of(exif_bytes({MAKE: b"ACME Cameras"})[6:], 700) == b""


@pytest.mark.parametrize(
    "block",
    [
        b"", b"II", b"II*\0", b"XX*\0" + bytes(50), b"II*\0\xff\xff\xff\x7f", b"II*\0\x08\0\0\0\xff\xff",
        struct.pack("<2sHIHHHII", b"II", 42, 8, 1, MAKE, 2, 4_000_000_000, 4_000_000_000),
    ],
)  # fmt: skip
def test_a_block_that_points_outside_itself_has_nothing(block: bytes) -> None:
    """Offsets and counts of strangers."""
    assert bytes_of(block, MAKE) == b""


def test_a_list_ends_after_its_last_entry(exif_bytes: Callable[..., bytes]) -> None:
    """What follows is not searched."""
    block = exif_bytes({MAKE: b"ACME Cameras"})[6:]
    at, endian = first_list(block)
    emptied = block[:at] + b"\0\0" + block[at + 2 :]
    assert entry(emptied, at, MAKE, endian) is None
