"""The content identifier that joins the two halves of a Live Photo, out of Apple's maker note: that tag and no other.

exifread would read whole maker notes with `details=True`, and can be made to hang there; so this walks three short
lists of a TIFF block itself. Leaves out the movie's half, which is a plain QuickTime key (video.py).
"""

import struct

from serve_apps.media.texts import name

EXIF_POINTER, MAKER_NOTE, CONTENT_IDENTIFIER = 0x8769, 0x927C, 0x11
ASCII = 2
ENTRY_BYTES, MAX_ENTRIES = 12, 1000
APPLE = b"Apple iOS\0"
APPLE_LIST = 14  # where the note's own list begins; its offsets count from the note's first byte
ENDIANS = {b"II": "<", b"MM": ">"}


def live_id(exif: bytes) -> str:
    """The content identifier in an EXIF block, empty when there is none."""
    try:
        return found_in(exif)
    except struct.error:
        return ""


def found_in(exif: bytes) -> str:
    """The same; raises struct.error where the block points outside itself."""
    endian = ENDIANS.get(exif[:2])
    if endian is None:
        return ""
    (first,) = struct.unpack_from(endian + "I", exif, 4)
    pointer = entry(exif, first, EXIF_POINTER, endian)
    note = entry(exif, pointer[2], MAKER_NOTE, endian) if pointer else None
    if not note:
        return ""
    body = exif[note[2] : note[2] + note[1]]
    inner = ENDIANS.get(body[12:14])
    if not body.startswith(APPLE) or inner is None:
        return ""
    value = entry(body, APPLE_LIST, CONTENT_IDENTIFIER, inner)
    return name(body[value[2] : value[2] + value[1]]) if value and value[0] == ASCII else ""


def entry(block: bytes, at: int, tag: int, endian: str) -> tuple[int, int, int] | None:
    """Type, count and value or offset of a tag in the list at an offset, or None."""
    (count,) = struct.unpack_from(endian + "H", block, at)
    for number in range(min(count, MAX_ENTRIES)):
        found, *rest = struct.unpack_from(endian + "HHII", block, at + 2 + ENTRY_BYTES * number)
        if found == tag:
            return rest[0], rest[1], rest[2]
    return None
