"""The lists of tags of a TIFF block, which EXIF and most RAW files are: single entries, found with bounds checks.

For the few tags that exifread would not or must not read. Leaves out everything exifread does read (exif.py).
"""

import struct
from typing import NamedTuple

ENTRY_BYTES, MAX_ENTRIES = 12, 1000
ENDIANS = {b"II": "<", b"MM": ">"}


class Entry(NamedTuple):
    """A tag's type, the number of its values, and where they are (or the value itself, when it fits)."""

    kind: int
    number: int
    value: int


def endian_of(mark: bytes) -> str:
    """How numbers are written after `II` or `MM`; raises struct.error after anything else."""
    if mark not in ENDIANS:
        raise struct.error("no TIFF block")
    return ENDIANS[mark]


def first_list(block: bytes) -> tuple[int, str]:
    """Where a block's first list is, and how its numbers are written; raises struct.error when it is no TIFF block."""
    endian = endian_of(block[:2])
    (at,) = struct.unpack_from(endian + "I", block, 4)
    return at, endian


def entry(block: bytes, at: int, tag: int, endian: str) -> Entry | None:
    """A tag's entry in the list at an offset, None when it has none; raises struct.error outside the block."""
    (count,) = struct.unpack_from(endian + "H", block, at)
    for number in range(min(count, MAX_ENTRIES)):
        found, *rest = struct.unpack_from(endian + "HHII", block, at + 2 + ENTRY_BYTES * number)
        if found == tag:
            return Entry(*rest)
    return None


def bytes_of(block: bytes, tag: int) -> bytes:
    """The bytes of a tag in the first list of a block; empty when there are none."""
    try:
        at, endian = first_list(block)
        found = entry(block, at, tag, endian)
    except struct.error:
        return b""
    return block[found.value : found.value + found.number] if found else b""
