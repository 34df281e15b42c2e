"""Previews read back for the models: our own JPEG files, so no child is needed, and profiles are read in Python.

Leaves out making them (derive.py).
"""

from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image as Pil

from cluster.errors import Unreadable
from serve_apps.media.colour import to_srgb
from serve_apps.media.picture import Image, resized
from serve_apps.media.segments import blocks_of

AGAIN = "rescan it to make it anew"


def read_preview(path: Path, longest: int) -> Image:
    """(H, W, 3) of a preview, in sRGB, its longest side at most `longest`; raises Unreadable when it is not whole."""
    try:
        data = path.read_bytes()
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        side = {"min_width": longest} if width >= height else {"min_height": longest}
        pixels = simplejpeg.decode_jpeg(data, "RGB", **side)
    except OSError as error:
        raise Unreadable(f"the preview of this photo cannot be read ({error.strerror}); {AGAIN}") from None
    except ValueError:
        raise Unreadable(f"the preview of this photo is damaged; {AGAIN}") from None
    small = np.asarray(resized(Pil.fromarray(pixels), longest))
    return to_srgb(small, blocks_of(data).profile)
