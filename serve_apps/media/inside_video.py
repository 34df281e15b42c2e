"""The XMP packet in an MP4 or MOV: a box of its own at the end. What lies before it never moves, so no chunk is lost.

A packet elsewhere becomes free space. Leaves out the older place of XMP in MOV files, which is only read by others.
"""

from cluster.errors import Unreadable
from serve_apps.media.boxes import Box, box, boxes, closed
from serve_apps.media.pieces import Kept, Piece, Reading
from serve_apps.media.xmp import MAX_PACKET

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
UUID, FREE, INDEX, MOVIE = b"uuid", b"free", b"mfra", b"moov"  # the index of fragments is looked for at the very end


def packet(read: Reading, size: int) -> bytes:
    """The XMP packet; empty when there is none."""
    found = next((one for one in boxes(read, 0, size) if is_packet(read, one)), None)
    start = found.body + len(XMP_UUID) if found else 0
    return read(start, min(found.end - start, MAX_PACKET + 1)) if found else b""


def is_packet(read: Reading, one: Box) -> bool:
    """Whether a box is the one with the XMP packet."""
    return one.kind == UUID and one.end - one.body >= len(XMP_UUID) and read(one.body, len(XMP_UUID)) == XMP_UUID


def rewritten(read: Reading, size: int, packet: bytes) -> list[Piece]:
    """The file with this packet; raises Unreadable where it cannot be put."""
    found = boxes(read, 0, size)
    if MOVIE not in {one.kind for one in found}:
        raise Unreadable("there is no film in this file; restore it from a backup")
    behind = [found.pop()] if found[-1].kind == INDEX else []
    while is_packet(read, found[-1]):
        found.pop()
    pieces: list[Piece] = []
    for one in found[:-1]:
        pieces += freed(one) if is_packet(read, one) else [Kept(one.start, one.end)]
    new = box(UUID, XMP_UUID + packet)
    return [*pieces, *closed(found[-1]), new, *(Kept(one.start, one.end) for one in behind)]


def freed(one: Box) -> list[Piece]:
    """A box as free space of the same size."""
    return [Kept(one.start, one.start + 4), FREE, Kept(one.start + 8, one.end)]
