"""The boxes that ISO files are made of - MP4, MOV, HEIC, AVIF - found one after the other, each within its parent.

Leaves out what is in them (inside_video.py, inside_heif.py).
"""

from typing import NamedTuple

from cluster.errors import Unreadable
from serve_apps.media.pieces import BROKEN, Kept, Piece, Reading

MOST = 20_000  # boxes side by side: fragmented videos have thousands
LARGEST = (1 << 32) - 1


class Box(NamedTuple):
    """A box: its kind, where it begins, where its body begins, where it ends, and whether it only says `to the end`."""

    kind: bytes
    start: int
    body: int
    end: int
    is_open: bool


def boxes(read: Reading, start: int, end: int) -> list[Box]:
    """The boxes that fill a stretch; raises Unreadable when they do not fill it exactly."""
    found: list[Box] = []
    while start < end and len(found) < MOST:
        size, kind = int.from_bytes(read(start, 4), "big"), read(start + 4, 4)
        body, is_open = start + 8, size == 0
        if size == 1:
            size, body = int.from_bytes(read(start + 8, 8), "big"), start + 16
        after = end if is_open else start + size
        if not body <= after <= end:
            raise Unreadable(BROKEN)
        found.append(Box(kind, start, body, after, is_open))
        start = after
    if start != end:
        raise Unreadable(BROKEN)
    return found


def box(kind: bytes, body: bytes) -> bytes:
    """A box as bytes."""
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def closed(last: Box) -> list[Piece]:
    """A last box as it is, but for its size: another box is to follow it. Raises Unreadable when it is too large."""
    if not last.is_open:
        return [Kept(last.start, last.end)]
    if last.end - last.start > LARGEST:
        raise Unreadable("nothing can follow the last part of this file; write beside it instead")
    return [(last.end - last.start).to_bytes(4, "big"), Kept(last.start + 4, last.end)]
