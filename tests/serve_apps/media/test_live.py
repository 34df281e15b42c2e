"""The two halves of a Live Photo carry the same identifier."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from serve_apps.media.box import Decoder
from serve_apps.media.live import live_id

ID = "0A1B2C3D-0000-4000-8000-123456789ABC"


def maker_note(identifier: bytes = ID.encode() + b"\0", kind: int = 2, count: int | None = None, at: int = 44) -> bytes:
    """Apple's maker note with two tags, of which one is the identifier."""
    other = struct.pack(">HHII", 1, 9, 1, 7)
    entry = struct.pack(">HHII", 0x11, kind, len(identifier) if count is None else count, at)
    return b"Apple iOS\0\0\x01MM" + struct.pack(">H", 2) + other + entry + struct.pack(">I", 0) + identifier


def test_picture_and_movie_of_a_live_photo_share_their_identifier(
    tmp_path: Path, decoder: Decoder, photo: Any, jpeg_bytes: Any, exif_bytes: Any, movie: Any
) -> None:
    """JPEG, HEIC and MOV tell the same one, whichever way it is asked for."""
    block = exif_bytes({271: b"Apple"}, {37500: maker_note()})
    (tmp_path / "a.jpg").write_bytes(jpeg_bytes(exif=block))
    pillow_heif.from_pillow(Image.fromarray(photo)).save(tmp_path / "a.heic", exif=block)
    movie(tmp_path / "a.mov", [photo] * 3, {"com.apple.quicktime.content.identifier": ID})
    found = {decoder.decode(bytes(tmp_path / f"a.{ending}")).metadata.live_id for ending in ("jpg", "heic", "mov")}
    assert found == {ID}


@pytest.mark.parametrize(
    "note",
    [
        maker_note(kind=3), maker_note(at=5000), maker_note(identifier=b""), maker_note().replace(b"Apple", b"Pear!"),
        b"Apple iOS\0", b"Apple iOS\0\0\x01XX\0\1", b"Nikon\0" + bytes(50), b"",
    ],
)  # fmt: skip
def test_a_note_of_another_form_has_no_identifier(exif_bytes: Callable[..., bytes], note: bytes) -> None:
    """Other makers, other types, and offsets outside the note."""
    assert live_id(exif_bytes({271: b"Apple"}, {37500: note})[6:]) == ""


def test_a_count_beyond_the_note_reads_no_further_than_the_note(exif_bytes: Callable[..., bytes]) -> None:
    """What lies behind the maker note is nobody's identifier."""
    block = exif_bytes({271: b"Apple"}, {37500: maker_note(count=4_000_000_000)})
    assert live_id(block[6:]) == ID


@given(flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=10), cut=st.integers(0, 400))
@settings(database=None, max_examples=80, suppress_health_check=list(HealthCheck))
def test_a_damaged_block_gives_a_text(exif_bytes: Callable[..., bytes], flips: list[tuple[int, int]], cut: int) -> None:
    """No exception leaves, however the block points around."""
    block = bytearray(exif_bytes({271: b"Apple"}, {37500: maker_note()})[6:])
    for at, value in flips:
        block[at % len(block)] = value
    assert isinstance(live_id(bytes(block)), str)
    assert len(live_id(bytes(block[:cut]))) <= 200


def test_a_plain_array_needs_no_identifier() -> None:
    """Pictures without EXIF have none."""
    assert live_id(b"") == live_id(np.zeros(100, np.uint8).tobytes()) == ""
