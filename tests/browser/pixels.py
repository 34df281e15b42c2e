"""Pictures for libraries that nothing has scanned."""

import io
from functools import cache

import numpy as np
from PIL import Image


@cache
def picture(suffix: str) -> bytes:
    """A small picture in the format of a file name's suffix."""
    across = np.linspace(0, 255, 64, dtype=np.uint8)
    pixels = np.stack([np.tile(across, (48, 1)), np.full((48, 64), 90), np.tile(across[::-1], (48, 1))], axis=2)
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, {".jpg": "JPEG", ".webp": "WEBP"}[suffix])
    return out.getvalue()
