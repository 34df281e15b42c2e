"""What stands where a photo will be until its thumbnail has come: the photo as four by four pixels.

Twelve bits a pixel, row by row, as base64: 32 characters. Whoever draws it scales it up softly, whatever its ratio.
"""

from base64 import b64encode

import numpy as np
from PIL import Image as Pil

from serve_apps.media.colour import to_srgb
from serve_apps.media.picture import Image, Picture, pixels_of, upright

SIDE = 4
SAMPLES = 64  # that are looked at along a side; more would cost more and look the same


def placeholder(picture: Picture, orientation: int) -> str:
    """A picture as 16 upright pixels."""
    seen = pixels_of(Pil.fromarray(sampled(picture.pixels)).resize((SIDE, SIDE), Pil.Resampling.BOX))
    return packed(pixels_of(upright(Pil.fromarray(to_srgb(seen, picture.profile)), orientation)))


def sampled(pixels: Image) -> Image:
    """Evenly spread pixels of a large picture, all of a small one."""
    height, width = pixels.shape[:2]
    return np.ascontiguousarray(pixels[:: max(1, height // SAMPLES), :: max(1, width // SAMPLES)])


def packed(pixels: Image) -> str:
    """(4, 4, 3) pixels as text, each level as its 16th nearest: two levels a byte, the first in the upper half."""
    levels = ((pixels.reshape(-1).astype(np.uint16) + 8) // 17).astype(np.uint8)
    return b64encode((levels[0::2] << 4 | levels[1::2]).tobytes()).decode()
