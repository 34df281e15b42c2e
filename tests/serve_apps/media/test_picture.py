"""Sizes, turns and bands."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from cluster.errors import TooLarge, Unreadable
from serve_apps.media.picture import fitted, must_fit, pixels_of, rgb, upright


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((4032, 3024), 1440, (1440, 1080)),
        ((100, 50), 1440, (100, 50)),
        ((30_000, 1), 1440, (1440, 1)),
        ((1, 9), 3, (1, 3)),
    ],
)
def test_a_size_is_scaled_down_never_up_and_never_to_nothing(
    size: tuple[int, int], longest: int, expected: tuple[int, int]
) -> None:
    """The longest side is the one asked for, if it was longer."""
    assert fitted(*size, longest) == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_undone(photo: Any, stored_as: Any, orientation: int) -> None:
    """What a camera stored turned is upright again, pixel for pixel."""
    stored = Image.fromarray(np.ascontiguousarray(stored_as[orientation](photo)))
    assert (pixels_of(upright(stored, orientation)) == photo).all()


def test_the_limit_of_pixels_is_inclusive() -> None:
    """As many as allowed are allowed."""
    must_fit(10, 10, 100)
    with pytest.raises(TooLarge, match=r"10 x 11 pixels"):
        must_fit(10, 11, 100)
    with pytest.raises(Unreadable, match="no pixels"):
        must_fit(0, 10, 100)


def test_all_kinds_of_bands_become_three(photo: Any) -> None:
    """Grey is repeated, alpha is laid on white."""
    grey, alpha = photo[..., :1], np.full((240, 360, 1), 255, np.uint8)
    assert (rgb(grey[..., 0]) == np.repeat(grey, 3, axis=2)).all()
    assert (rgb(np.concatenate([grey, alpha], axis=2)) == np.repeat(grey, 3, axis=2)).all()
    assert (rgb(np.concatenate([photo, alpha], axis=2)) == photo).all()
    assert (rgb(np.concatenate([photo, 0 * alpha], axis=2)) == 255).all()
    assert rgb(photo).flags.c_contiguous
