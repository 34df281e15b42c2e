"""The blocks before the pixels of a JPEG, whatever the file does to hide them."""

import struct
from typing import Any

import pytest

from serve_apps.media import jpeg, segments

LIMIT = 250_000_000


def test_the_blocks_before_the_pixels_are_found(jpeg_bytes: Any, exif_bytes: Any, profile: Any) -> None:
    """EXIF without its prefix, XMP, and the profile."""
    exif = exif_bytes({271: b"ACME"})
    blocks = segments.blocks_of(jpeg_bytes(exif=exif, icc=profile("p3"), xmp=b"<x/>"))
    assert blocks == (exif[6:], b"<x/>", profile("p3"))
    assert segments.blocks_of(jpeg_bytes()) == (b"", b"", b"")


def test_a_profile_in_several_pieces_is_joined_in_order(jpeg_bytes: Any) -> None:
    """A profile of 150 kB needs three segments, whose order in the file means nothing."""
    long = bytes(range(256)) * 600
    whole = segments.with_profile(jpeg_bytes(), long)
    assert segments.blocks_of(whole).profile == long
    pieces = [body for marker, body in segments.segments(whole) if marker == segments.APP2]
    assert len(pieces) == 3
    swapped = b"".join(b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body for body in reversed(pieces))
    assert segments.blocks_of(b"\xff\xd8" + swapped + b"\xff\xda\0\0").profile == long
    assert jpeg.decode(whole, 100, LIMIT).width == 360


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8" + b"\xff" * 5000, b"\xff\xd8\xff\xe1\0\0",
        b"\xff\xd8\xff\xe1\xff\xff", b"\xff\xd8" + b"\xff\xe1\0\2" * 5000, b"\xff\xd8\xff\xe1\0\x08Exif\0\0",
        b"\xff\xd8\xff\xe2\0\x0eICC_PROFILE\0",
    ],
)  # fmt: skip
def test_malformed_segments_end_the_walk(data: bytes) -> None:
    """Lengths of nothing, beyond the end, or without end."""
    assert segments.blocks_of(data) == (b"", b"", b"")
