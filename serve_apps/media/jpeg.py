"""JPEG by libjpeg-turbo, decoded at the smallest scale that will do. CMYK, odd profiles and odd codings go to libvips.

Leaves out resizing to the exact size (derive.py).
"""

import simplejpeg

from serve_apps.media import vips
from serve_apps.media.colour import transform_of
from serve_apps.media.picture import Image, Picture, must_fit
from serve_apps.media.segments import blocks_of

INK = ("CMYK", "YCCK")
END_OF_IMAGE = b"\xff\xd9"
TAIL = 64  # bytes at the end in which a whole file has its end marker, allowing for padding
HARMLESS = "extraneous bytes"  # a complaint about files of some cameras, whose pictures are whole


def decode(data: bytes, longest: int, max_pixels: int) -> Picture:
    """A JPEG with a longest side of at least `longest`, or its whole; raises Unreadable, TooLarge."""
    blocks = blocks_of(data)
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
        must_fit(width, height, max_pixels)
        if space not in INK and (not blocks.profile or transform_of(blocks.profile)):
            pixels, flags = scaled(data, width, height, longest)
            return Picture(pixels=pixels, width=width, height=height, flags=flags, **blocks._asdict())
    except ValueError:
        pass  # libvips may know better, and says why if it does not
    return vips.decode(data, "jpeg", longest, max_pixels, exif=blocks.exif, xmp=blocks.xmp)


def scaled(data: bytes, width: int, height: int, longest: int) -> tuple[Image, tuple[str, ...]]:
    """The pixels (H, W, 3), and flags when only part of them could be had; raises ValueError when none could."""
    wanted = {"min_width" if width >= height else "min_height": min(longest, max(width, height))}
    try:
        return simplejpeg.decode_jpeg(data, "RGB", **wanted), ()
    except ValueError as error:
        pixels = simplejpeg.decode_jpeg(data, "RGB", strict=False, **wanted)
        return pixels, () if HARMLESS in str(error) else (flag(data),)


def flag(data: bytes) -> str:
    """What is wrong with a JPEG of which only part can be decoded."""
    return "damaged" if END_OF_IMAGE in data[-TAIL:] else "truncated"
