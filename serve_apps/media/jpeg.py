"""JPEG by libjpeg-turbo, decoded at the smallest scale that will do. CMYK and odd profiles go to libvips.

Leaves out resizing to the exact size (derive.py).
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Literal, NamedTuple

import simplejpeg

from cluster.errors import Unreadable
from serve_apps.media import vips
from serve_apps.media.colour import transform_of
from serve_apps.media.picture import Image, Picture, must_fit

EXIF_PREFIX = b"Exif\0\0"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
ICC_PREFIX = b"ICC_PROFILE\0"
APP1, APP2, START_OF_SCAN, END_OF_IMAGE = 0xE1, 0xE2, 0xDA, 0xD9
STANDALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
MAX_SEGMENTS = 2000
TAIL = 64  # bytes at the end in which a whole file has its end marker, allowing for padding


class Blocks(NamedTuple):
    """What stands before the pixels of a JPEG: EXIF as a TIFF block, the XMP packet, the ICC profile."""

    exif: bytes
    xmp: bytes
    profile: bytes


def decode(data: bytes, longest: int, max_pixels: int) -> Picture:
    """A JPEG with a longest side of at least `longest`, or its whole; raises Unreadable, TooLarge."""
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError as error:
        raise Unreadable(f"this is no JPEG that can be decoded ({error}); restore it from a backup") from None
    must_fit(width, height, max_pixels)
    blocks = blocks_of(data)
    if space in ("CMYK", "YCCK") or (blocks.profile and transform_of(blocks.profile) is None):
        return vips.decode(data, "jpeg", longest, max_pixels, exif=blocks.exif, xmp=blocks.xmp)
    pixels, flags = scaled(data, width, height, longest)
    return Picture(pixels=pixels, width=width, height=height, flags=flags, **blocks._asdict())


def scaled(data: bytes, width: int, height: int, longest: int) -> tuple[Image, tuple[str, ...]]:
    """The pixels (H, W, 3), and flags when only part of them could be had."""
    side: Literal["min_width", "min_height"] = "min_width" if width >= height else "min_height"
    wanted = {side: min(longest, max(width, height))}
    with suppress(ValueError):
        return simplejpeg.decode_jpeg(data, "RGB", **wanted), ()
    try:
        pixels = simplejpeg.decode_jpeg(data, "RGB", strict=False, **wanted)
    except ValueError as error:
        raise Unreadable(f"this JPEG is too damaged to be decoded ({error}); restore it from a backup") from None
    return pixels, ("truncated" if is_cut_short(data) else "damaged",)


def is_cut_short(data: bytes) -> bool:
    """Whether a JPEG lacks the marker it should end with."""
    return bytes((0xFF, END_OF_IMAGE)) not in data[-TAIL:]


def blocks_of(data: bytes) -> Blocks:
    """The blocks of metadata before the pixels; what is absent or malformed is empty."""
    exif = xmp = b""
    profile: dict[int, bytes] = {}
    for marker, body in segments(data):
        if marker == APP1 and body.startswith(EXIF_PREFIX):
            exif = exif or body[len(EXIF_PREFIX) :]
        elif marker == APP1 and body.startswith(XMP_PREFIX):
            xmp = xmp or body[len(XMP_PREFIX) :]
        elif marker == APP2 and body.startswith(ICC_PREFIX) and len(body) > len(ICC_PREFIX) + 2:
            profile[body[len(ICC_PREFIX)]] = body[len(ICC_PREFIX) + 2 :]
    return Blocks(exif, xmp, b"".join(profile[part] for part in sorted(profile)))


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The marked segments of a JPEG before its pixels, as (marker, body)."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] in (START_OF_SCAN, END_OF_IMAGE):
            return
        if data[at + 1] in STANDALONE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 1], data[at + 4 : at + 2 + length]
        at += 2 + max(2, length)


def with_profile(data: bytes, profile: bytes) -> bytes:
    """A JPEG of ours, with a profile put behind its JFIF header."""
    room = 0xFFFF - 2 - len(ICC_PREFIX) - 2
    parts = [profile[at : at + room] for at in range(0, len(profile), room)]
    if not 0 < len(parts) < 256:
        return data
    behind = 4 + int.from_bytes(data[4:6], "big") if data[2:4] == b"\xff\xe0" else 2
    bodies = (ICC_PREFIX + bytes((number, len(parts))) + part for number, part in enumerate(parts, 1))
    marked = b"".join(b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body for body in bodies)
    return data[:behind] + marked + data[behind:]
