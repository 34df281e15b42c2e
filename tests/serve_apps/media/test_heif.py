"""HEIC is turned once, by libheif, and keeps its metadata."""

import io
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from cluster.errors import TooLarge
from serve_apps.media import exif, heif

LIMIT = 250_000_000


def heic(pixels: Any, **options: Any) -> bytes:
    """Pixels as a HEIC file."""
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(np.ascontiguousarray(pixels))).save(out, quality=90, **options)
    return out.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_heic_is_not_turned_twice(
    photo: Any, stored_as: Any, exif_bytes: Any, far_apart: Any, orientation: int
) -> None:
    """Phones write the orientation into the container and into EXIF; the container's is applied, EXIF's is not."""
    data = heic(stored_as[orientation](photo), exif=exif_bytes({271: b"Apple"}, orientation=orientation))
    picture = heif.decode(data, 1440, LIMIT)
    assert (picture.width, picture.height, picture.orientation) == (360, 240, 1)
    assert far_apart(picture.pixels, photo) < 4
    assert exif.read(picture.exif).camera_make == "Apple"


def test_a_heic_keeps_its_profile_and_its_packet(photo: Any, profile: Any) -> None:
    """ICC and XMP come out as they went in."""
    image = Image.fromarray(photo)
    image.info["icc_profile"] = profile("p3")
    out = io.BytesIO()
    pillow_heif.from_pillow(image).save(out, quality=90, xmp=b"<x/>")
    picture = heif.decode(out.getvalue(), 1440, LIMIT)
    assert (picture.profile, picture.xmp) == (profile("p3"), b"<x/>")


def test_alpha_in_a_heic_is_laid_on_white(photo: Any) -> None:
    """A transparent half is white."""
    alpha = np.full((240, 360, 1), 255, np.uint8)
    alpha[:, :180] = 0
    picture = heif.decode(heic(np.concatenate([photo, alpha], axis=2)), 1440, LIMIT)
    assert picture.pixels[:, :150].min() > 245
    assert picture.pixels[:, 200:].std() > 20


def test_an_embedded_thumbnail_that_is_large_enough_is_taken(photo: Any, far_apart: Any) -> None:
    """Decoding the thumbnail alone is much faster; one that is too small is left alone."""
    large = np.asarray(Image.fromarray(photo).resize((1440, 960)))
    out = io.BytesIO()
    file = pillow_heif.from_pillow(Image.fromarray(large))
    file.save(out, quality=90, thumbnails=[360])
    picture = heif.decode(out.getvalue(), 300, LIMIT)
    assert picture.pixels.shape == (240, 360, 3)
    assert (picture.width, picture.height) == (1440, 960)
    assert far_apart(picture.pixels, photo) < 8
    assert heif.decode(out.getvalue(), 500, LIMIT).pixels.shape == (960, 1440, 3)


def test_a_heic_over_the_limit_is_refused_before_its_pixels(photo: Any) -> None:
    """The size is known from the container."""
    with pytest.raises(TooLarge, match="360 x 240"):
        heif.decode(heic(photo), 1440, 1000)
