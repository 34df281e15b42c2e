"""The XMP packet in a TIFF file or a DNG: tag 700 of its first list. The list is written anew at the file's end.

So every other byte stays where it is, and with it all that is found by its offset: pixels, further lists, maker notes.
Leaves out BigTIFF, and the RAW files that cameras call otherwise.
"""

import struct
from typing import NamedTuple

from cluster.errors import Unreadable
from serve_apps.media.pieces import BROKEN, Kept, Piece, Reading
from serve_apps.media.tiff import ENDIANS, ENTRY_BYTES, MAX_ENTRIES
from serve_apps.media.xmp import MAX_PACKET

XMP_TAG, BYTE, CLASSIC = 700, 1, 42
SHORTEST = 5  # bytes: a value of up to four would stand in the entry itself
LARGEST = (1 << 32) - 1  # bytes that an offset reaches


class First(NamedTuple):
    """The first list of tags: where it is, its raw entries by tag, and where the next list is."""

    endian: str
    start: int
    end: int
    entries: dict[int, bytes]
    following: bytes

    def value(self, tag: int) -> tuple[int, int]:
        """Where the bytes of a tag begin and end; (0, 0) when there is none."""
        if tag not in self.entries:
            return 0, 0
        count, at = struct.unpack_from(self.endian + "II", self.entries[tag], 4)
        return at, at + count


def first(read: Reading) -> First:
    """The first list of a classic TIFF file; raises Unreadable for anything else."""
    head = read(0, 8)
    endian = ENDIANS.get(head[:2], "")
    if not endian or struct.unpack_from(endian + "H", head, 2)[0] != CLASSIC:
        raise Unreadable("nothing can be written into this kind of TIFF file; write beside it instead")
    (start,) = struct.unpack_from(endian + "I", head, 4)
    (count,) = struct.unpack(endian + "H", read(start, 2))
    if not 0 < count <= MAX_ENTRIES:
        raise Unreadable(BROKEN)
    raw = read(start + 2, ENTRY_BYTES * count)
    parts = [raw[at : at + ENTRY_BYTES] for at in range(0, len(raw), ENTRY_BYTES)]
    entries = {struct.unpack_from(endian + "H", part)[0]: part for part in parts}
    if len(entries) != count:
        raise Unreadable(BROKEN)
    behind = start + 2 + len(raw)
    return First(endian, start, behind + 4, entries, read(behind, 4))


def packet(read: Reading, size: int) -> bytes:
    """The XMP packet; empty when there is none."""
    start, end = first(read).value(XMP_TAG)
    if end - start > MAX_PACKET:
        raise Unreadable(BROKEN)
    return read(start, end - start) if end - start >= SHORTEST else b""


def rewritten(read: Reading, size: int, packet: bytes) -> list[Piece]:
    """The file with this packet; raises Unreadable where it cannot be put."""
    old = first(read)
    until = kept_until(old, size)
    gap = bytes(until % 2)
    at = until + len(gap)
    whole = packet + bytes(len(packet) % 2)
    listed = at + len(whole)
    entry = struct.pack(old.endian + "HHII", XMP_TAG, BYTE, len(packet), at)
    entries = {**old.entries, XMP_TAG: entry}
    if listed + ENTRY_BYTES * len(entries) > LARGEST or len(entries) > MAX_ENTRIES:
        raise Unreadable("this file is as large as a TIFF file can be; write beside it instead")
    count = struct.pack(old.endian + "H", len(entries))
    pointer = struct.pack(old.endian + "I", listed)
    body = b"".join(entries[tag] for tag in sorted(entries))
    return [Kept(0, 4), pointer, Kept(8, until), gap + whole + count + body + old.following]


def kept_until(old: First, size: int) -> int:
    """Where the new end begins: at the file's end, or in place of a packet and a list that were put there likewise."""
    start, end = old.value(XMP_TAG)
    ours = old.end == size and end - start >= SHORTEST and end + end % 2 == old.start and start >= 8
    return start if ours else size
