"""The content identifier that joins the two halves of a Live Photo, out of Apple's maker note: that tag and no other.

exifread would read whole maker notes with `details=True`, and can be made to hang there; so this walks three short
lists of a TIFF block itself. Leaves out the movie's half, which is a plain QuickTime key (video.py).
"""

import struct

from serve_apps.media.texts import name
from serve_apps.media.tiff import endian_of, entry, first_list

EXIF_POINTER, MAKER_NOTE, CONTENT_IDENTIFIER = 0x8769, 0x927C, 0x11
ASCII = 2
APPLE = b"Apple iOS\0"
APPLE_LIST = 14  # where the note's own list begins; its offsets count from the note's first byte


def live_id(exif: bytes) -> str:
    """The content identifier in an EXIF block, empty when there is none."""
    try:
        note = maker_note(exif)
        return identifier(note) if note.startswith(APPLE) else ""
    except struct.error:
        return ""


def maker_note(exif: bytes) -> bytes:
    """The maker note of an EXIF block; raises struct.error where the block points outside itself."""
    at, endian = first_list(exif)
    pointer = entry(exif, at, EXIF_POINTER, endian)
    note = entry(exif, pointer.value, MAKER_NOTE, endian) if pointer else None
    return exif[note.value : note.value + note.number] if note else b""


def identifier(note: bytes) -> str:
    """The content identifier of Apple's note; raises struct.error where the note points outside itself."""
    found = entry(note, APPLE_LIST, CONTENT_IDENTIFIER, endian_of(note[12:14]))
    return name(note[found.value : found.value + found.number]) if found and found.kind == ASCII else ""
