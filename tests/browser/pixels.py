"""Pictures for libraries that nothing has scanned."""

from functools import cache

import numpy as np
import pyvips


@cache
def picture(suffix: str) -> bytes:
    """A small picture in the format of a file name's suffix."""
    across = np.linspace(0, 255, 64)
    pixels = np.stack([np.tile(across, (48, 1)), np.full((48, 64), 90), np.tile(across[::-1], (48, 1))], axis=2)
    data: bytes = pyvips.Image.new_from_array(pixels.astype(np.uint8)).write_to_buffer(suffix)
    return data
