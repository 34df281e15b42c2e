"""The segments of a JPEG file: the blocks of metadata before its pixels, found and put in. Plain Python, no decoder.

Leaves out what the blocks say (exif.py, xmp.py, colour.py).
"""

from collections.abc import Iterator
from typing import NamedTuple

EXIF_PREFIX = b"Exif\0\0"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
ICC_PREFIX = b"ICC_PROFILE\0"
APP1, APP2, START_OF_SCAN, END_OF_IMAGE = 0xE1, 0xE2, 0xDA, 0xD9
STANDALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
MAX_SEGMENTS = 2000


class Blocks(NamedTuple):
    """What stands before the pixels of a JPEG: EXIF as a TIFF block, the XMP packet, the ICC profile."""

    exif: bytes
    xmp: bytes
    profile: bytes


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
