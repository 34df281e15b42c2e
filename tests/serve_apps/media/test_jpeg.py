"""JPEG: scaled decoding, the blocks before the pixels, and what is left of damaged files."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from cluster.errors import TooLarge, Unreadable
from serve_apps.media import jpeg

LIMIT = 250_000_000


def test_a_large_jpeg_is_decoded_at_a_smaller_scale(jpeg_bytes: Any, photo: Any) -> None:
    """No more pixels than needed are decoded, and never fewer than asked for."""
    large = jpeg_bytes(np.asarray(Image.fromarray(photo).resize((3600, 2400))))
    picture = jpeg.decode(large, 1440, LIMIT)
    assert (picture.width, picture.height) == (3600, 2400)
    assert 1440 <= picture.pixels.shape[1] <= 1800
    tall = jpeg_bytes(np.asarray(Image.fromarray(photo).resize((600, 2400))))
    assert 1200 <= jpeg.decode(tall, 1200, LIMIT).pixels.shape[0] < 2400


def test_a_small_jpeg_keeps_its_size(jpeg_bytes: Any) -> None:
    """Nothing is enlarged."""
    assert jpeg.decode(jpeg_bytes(), 1440, LIMIT).pixels.shape == (240, 360, 3)


def test_damage_in_the_middle_is_flagged(jpeg_bytes: Any) -> None:
    """A file that is whole but for a hole is shown with a flag of its own."""
    whole = bytearray(jpeg_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 40] = b"\xff\xd9" * 20
    assert jpeg.decode(bytes(whole), 1440, LIMIT).flags == ("damaged",)
    assert jpeg.decode(jpeg_bytes()[:9000], 1440, LIMIT).flags == ("truncated",)


def test_a_jpeg_over_the_limit_is_refused_before_its_pixels(jpeg_bytes: Any) -> None:
    """The limit is that of the settings."""
    with pytest.raises(TooLarge, match="360 x 240"):
        jpeg.decode(jpeg_bytes(), 1440, 360 * 240 - 1)


def test_a_jpeg_without_pixels_gets_a_sentence(jpeg_bytes: Any) -> None:
    """A header alone is no picture."""
    whole = jpeg_bytes()
    with pytest.raises(Unreadable, match="this JPEG cannot be decoded"):
        jpeg.decode(whole[:20], 1440, LIMIT)


def test_a_stray_byte_does_not_flag_a_whole_picture(jpeg_bytes: Any) -> None:
    """Some cameras leave bytes between their segments; nothing is missing."""
    whole = jpeg_bytes()
    at = whole.index(b"\xff\xdb")
    stray = whole[:at] + b"\0\0\0" + whole[at:]
    assert jpeg.decode(stray, 1440, LIMIT).flags == ()
