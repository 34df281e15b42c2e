"""The XMP packet in a JPEG's segments: found and put in. Not one byte of the picture is touched.

Leaves out packets that go on in further segments: what is in those stays there.
"""

from typing import NamedTuple

from cluster.errors import TooLarge, Unreadable
from serve_apps.media.pieces import BROKEN, Kept, Piece, Reading
from serve_apps.media.segments import (
    APP1,
    APP2,
    END_OF_IMAGE,
    EXIF_PREFIX,
    MAX_SEGMENTS,
    STANDALONE,
    START_OF_SCAN,
    XMP_PREFIX,
)

APP0 = 0xE0
MORE_PICTURES = b"MPF\0"  # a list of further pictures, by their distance from itself
MAX_FILL = 1 << 16  # bytes between segments
HEAD = 32  # bytes of a segment that tell what it is
ROOM = 0xFFFF - 2 - len(XMP_PREFIX)


class Segment(NamedTuple):
    """A segment: its marker, where it begins and ends, the beginning of its body."""

    marker: int
    start: int
    end: int
    head: bytes

    @property
    def is_packet(self) -> bool:
        """Whether it holds the XMP packet."""
        return self.marker == APP1 and self.head.startswith(XMP_PREFIX)


def segments(read: Reading, size: int) -> list[Segment]:
    """The segments before the picture; raises Unreadable when there is no picture behind them."""
    at, filled, found = 2, 0, list[Segment]()
    while len(found) < MAX_SEGMENTS and filled < MAX_FILL:
        mark, marker = read(at, 2)
        if mark != 0xFF or marker == END_OF_IMAGE:
            break
        if marker == START_OF_SCAN:
            return found
        if marker == 0xFF or marker in STANDALONE:
            at, filled = at + (1 if marker == 0xFF else 2), filled + 1
            continue
        length = int.from_bytes(read(at + 2, 2), "big")
        end = at + 2 + length
        if length < 2 or end > size:
            break
        found.append(Segment(marker, at, end, read(at + 4, min(HEAD, length - 2))))
        at = end
    raise Unreadable(BROKEN)


def packet(read: Reading, size: int) -> bytes:
    """The XMP packet; empty when there is none."""
    found = next((one for one in segments(read, size) if one.is_packet), None)
    start = found.start + 4 + len(XMP_PREFIX) if found else 0
    return read(start, found.end - start) if found else b""


def rewritten(read: Reading, size: int, packet: bytes) -> list[Piece]:
    """The file with this packet; raises TooLarge for one that no segment holds, Unreadable where it cannot be put."""
    if len(packet) > ROOM:
        raise TooLarge(f"what is to be written has {len(packet):,} bytes, and a JPEG holds {ROOM:,}; write beside it")
    found = segments(read, size)
    old = next((one for one in found if one.is_packet), None)
    start, end = (old.start, old.end) if old else (place(found), place(found))
    body = XMP_PREFIX + packet
    segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
    before = [one for one in found if one.marker == APP2 and one.head.startswith(MORE_PICTURES) and one.start < start]
    if before and len(segment) != end - start:
        raise Unreadable("the further pictures in this JPEG would not be found any more; write beside it instead")
    return [Kept(0, start), segment, Kept(end, size)]


def place(found: list[Segment]) -> int:
    """Where a new packet goes: behind the file's header and its EXIF."""
    at = 2
    for one in found:
        if one.start != at or not (one.marker == APP0 or (one.marker == APP1 and one.head.startswith(EXIF_PREFIX))):
            break
        at = one.end
    return at
