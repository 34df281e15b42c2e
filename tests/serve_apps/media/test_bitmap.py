"""BMP and JPEG 2000 say their size before they are decoded."""

import struct
from typing import Any

import cv2
import numpy as np
import pytest

from cluster.errors import TooLarge, Unreadable
from serve_apps.media import bitmap


def test_a_bmp_that_runs_downwards_and_an_old_one_say_their_size() -> None:
    """Negative heights, and the short numbers of OS/2."""
    assert bitmap.size_of_bmp(b"BM" + bytes(12) + struct.pack("<Iii", 40, 360, -240)) == (360, 240)
    assert bitmap.size_of_bmp(b"BM" + bytes(12) + struct.pack("<IHH", 12, 360, 240)) == (360, 240)


def test_a_bare_codestream_is_a_picture_too(photo: Any, far_apart: Any) -> None:
    """JPEG 2000 without its box."""
    whole = cv2.imencode(".jp2", photo[..., ::-1])[1].tobytes()
    bare = whole[whole.index(b"\xff\x4f\xff\x51") :]
    assert bitmap.size_of_jp2(bare) == bitmap.size_of_jp2(whole) == (360, 240)
    assert far_apart(bitmap.decode(bare, "jp2", 10**6).pixels, photo) < 3


def test_a_bmp_bomb_is_refused_from_its_header() -> None:
    """Nothing is allocated for a picture that is too large."""
    with pytest.raises(TooLarge, match="40,000 x 40,000"):
        bitmap.decode(b"BM" + bytes(12) + struct.pack("<Iii", 40, 40_000, 40_000) + bytes(100), "bmp", 250_000_000)


def test_a_header_without_pixels_gets_a_sentence() -> None:
    """OpenCV says nothing; we do."""
    with pytest.raises(Unreadable, match="this BMP cannot be decoded"):
        bitmap.decode(b"BM" + bytes(12) + struct.pack("<Iii", 40, 360, 240) + bytes(100), "bmp", 250_000_000)


def test_grey_and_four_channel_bmp_become_rgb(photo: Any) -> None:
    """Three bands come out, whatever goes in."""
    for pixels in (photo[..., 0], np.dstack([photo, photo[..., :1]])):
        data = cv2.imencode(".bmp", pixels)[1].tobytes()
        assert bitmap.decode(data, "bmp", 10**6).pixels.shape == (240, 360, 3)
