"""HEIC and HEIF by libheif, through pillow-heif's own reader: PIL is not asked, and no plugin is registered with it.

libheif has turned the picture upright already, so EXIF's orientation is not applied again.
"""

import io
from typing import Any

import numpy as np

from cluster.errors import Unreadable
from serve_apps.media.picture import UPRIGHT, Image, Picture, must_fit, rgb
from serve_apps.media.vips import profile_dropped

FAULTS = (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError)  # what pillow-heif says it raises
SAME_SHAPE = 0.02  # relative difference of the sides' ratio between a picture and a thumbnail of it


def decode(data: bytes, longest: int, max_pixels: int) -> Picture:
    """A HEIC picture, or the thumbnail inside it if that is large enough; raises Unreadable, TooLarge."""
    import pillow_heif

    pillow_heif.options.DECODE_THREADS = 1  # one child a core
    try:
        heif = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        width, height = heif.size
        must_fit(width, height, max_pixels)
        pixels = thumbnail(heif, longest)
        if pixels is None:
            pixels = rgb(np.asarray(heif))
        info = heif.info
    except FAULTS as error:
        raise Unreadable(f"this HEIC cannot be decoded ({str(error)[:120]}); restore it from a backup") from None
    pixels, profile = profile_dropped(pixels, info.get("icc_profile") or b"")
    return Picture(
        pixels=pixels,
        width=width,
        height=height,
        profile=profile,
        exif=(info.get("exif") or b"").removeprefix(b"Exif\0\0"),
        xmp=info.get("xmp") or b"",
        orientation=UPRIGHT,
    )


def thumbnail(heif: Any, longest: int) -> Image | None:
    """The smallest embedded thumbnail of at least `longest` and the picture's shape, if there is one."""
    sizes: list[int] = heif.info.get("thumbnails") or []
    enough = sorted((size, index) for index, size in enumerate(sizes) if size >= longest)
    for _, index in enough[:1]:
        small = heif[heif.primary_index].get_thumbnail(index)
        (width, height), (small_width, small_height) = heif.size, small.size
        if abs(small_width * height / (small_height * width) - 1) < SAME_SHAPE:
            return rgb(np.asarray(small))
    return None
