"""The sixteen pixels that stand where a photo will be."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.settings import MediaSettings
from serve_apps.media.box import Decoder
from serve_apps.media.picture import Picture
from serve_apps.media.placeholder import placeholder

CORNERS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}


def quarters(height: int, width: int) -> Picture:
    """A picture whose quarters are red, green; blue, white."""
    pixels = np.zeros((height, width, 3), np.uint8)
    red, green, blue, white = CORNERS.values()
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = red, green
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = blue, white
    return Picture(pixels=pixels, width=width, height=height)


def shown(text: str) -> np.ndarray[Any, Any]:
    """(4, 4, 3) levels of 0 to 255 that a placeholder stands for."""
    data = np.frombuffer(b64decode(text, validate=True), np.uint8)
    return np.stack([data >> 4, data & 15], axis=-1).reshape(4, 4, 3) * 17


@pytest.mark.parametrize(("height", "width"), [(8, 8), (600, 4000), (4000, 600), (65, 129)])
def test_it_is_the_picture_as_sixteen_pixels(height: int, width: int) -> None:
    """Whatever its shape, in 32 characters."""
    text = placeholder(quarters(height, width), 1)

    pixels = shown(text)
    assert len(text) == 32
    corners = pixels[0, 0], pixels[0, 3], pixels[3, 0], pixels[3, 3]
    assert [tuple(corner) for corner in corners] == list(CORNERS.values())


@pytest.mark.parametrize(
    ("orientation", "corners"),
    [
        (3, ("white", "blue", "green", "red")),
        (6, ("blue", "red", "white", "green")),
        (8, ("green", "white", "red", "blue")),
    ],
)
def test_it_is_upright(orientation: int, corners: tuple[str, ...]) -> None:
    """Turned as EXIF says, as the thumbnails are."""
    pixels = shown(placeholder(quarters(80, 120), orientation))

    found = pixels[0, 0], pixels[0, 3], pixels[3, 0], pixels[3, 3]
    assert [tuple(corner) for corner in found] == [CORNERS[name] for name in corners]


def test_the_smallest_picture_has_one_too() -> None:
    """One pixel is sixteen of its colour."""
    picture = Picture(pixels=np.full((1, 1, 3), 136, np.uint8), width=1, height=1)

    assert (shown(placeholder(picture, 1)) == 136).all()


def test_every_photo_that_is_decoded_has_one(tmp_path: Path, samples: dict[str, Path]) -> None:
    """Also one whose derived pictures are there already."""
    with Decoder(MediaSettings(), tmp_path) as decoder:
        first, again = [decoder.decode(bytes(samples["heic"])) for _ in range(2)]

    assert len(first.placeholder) == 32
    assert again.placeholder == first.placeholder
