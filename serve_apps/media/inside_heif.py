"""The XMP packet in a HEIC or AVIF: an item of its own, whose bytes lie in a box at the end of the file.

The `meta` box grows by the item's entries; what lies behind it moves, and every offset to it is moved along. Leaves out
files with a film or a sequence of pictures in them.
"""

from dataclasses import replace

from cluster.errors import Unreadable
from serve_apps.media.boxes import Box, box, boxes, closed
from serve_apps.media.heif_items import FULL, HIDDEN, IN_FILE, IN_META, RDF_TYPE, Item, Meta, meta_of
from serve_apps.media.pieces import BROKEN, Kept, Piece, Reading
from serve_apps.media.xmp import MAX_PACKET

META, DATA, MOVIE = b"meta", b"mdat", b"moov"
WIDE = 1 << 16  # from which item numbers need four bytes
NO_ROOM = "there is no room for one more part in this file; write beside it instead"


def opened(read: Reading, size: int) -> tuple[list[Box], Box, Meta]:
    """The boxes of a file, the one that describes it, and what that says."""
    top = boxes(read, 0, size)
    described = [one for one in top if one.kind == META]
    if len(described) != 1:
        raise Unreadable(BROKEN)
    return top, described[0], meta_of(read, described[0])


def packet(read: Reading, size: int) -> bytes:
    """The XMP packet; empty when there is none."""
    _, _, meta = opened(read, size)
    item = meta.item(meta.packet) if meta.packet is not None else None
    if item is None:
        return b""
    if item.method not in (IN_FILE, IN_META) or item.reference or sum(e[2] for e in item.extents) > MAX_PACKET:
        raise Unreadable("the XMP in this file lies in another one; write beside it instead")
    start = meta.inner[0] if item.method == IN_META else 0
    return b"".join(read(start + begin, end - begin) for begin, end in item.ranges())


def rewritten(read: Reading, size: int, packet: bytes) -> list[Piece]:
    """The file with this packet; raises Unreadable where it cannot be put."""
    top, described, meta = opened(read, size)
    if any(one.kind == MOVIE for one in top):
        raise Unreadable("this file holds a film beside its picture, so nothing is written into it; write beside it")
    if top[-1] is not described and is_only_packet(top[-1], meta):
        top.pop()
    there = extended(meta) if meta.packet is None else meta
    delta = len(there.with_items(moved(there, described, 0, 0, len(packet))).written())
    delta -= described.end - described.start
    at = top[-1].end + delta + 8
    new = there.with_items(moved(there, described, delta, at, len(packet))).written()
    behind = [one for one in top if one.start > described.start]
    tail: list[Piece] = [Kept(one.start, one.end) for one in behind[:-1]]
    tail += closed(behind[-1]) if behind else []
    return [Kept(0, described.start), new, *tail, box(DATA, packet)]


def is_only_packet(last: Box, meta: Meta) -> bool:
    """Whether a box has the packet as its body and nothing else."""
    item = meta.item(meta.packet) if meta.packet is not None else None
    others = [one for one in meta.locations.items if one is not item and one.method == IN_FILE]
    used = any(begin < last.end and end > last.start for one in others for begin, end in one.ranges())
    mine = item is not None and item.method == IN_FILE and item.ranges() == [(last.body, last.end)]
    return last.kind == DATA and mine and not used


def moved(meta: Meta, described: Box, delta: int, at: int, length: int) -> list[Item]:
    """The items when what lies behind the `meta` box has moved, and the packet lies somewhere else."""
    return [
        packet_at(meta, item, at, length) if item.number == meta.packet else shifted(meta, item, described, delta)
        for item in meta.locations.items
    ]


def packet_at(meta: Meta, item: Item, at: int, length: int) -> Item:
    """The packet's item at a place in the file."""
    if meta.locations.offset_size:
        return replace(item, method=IN_FILE, base=0, extents=((0, at, length),))
    if not meta.locations.base_size:
        raise Unreadable(NO_ROOM)
    return replace(item, method=IN_FILE, base=at, extents=((0, 0, length),))


def shifted(meta: Meta, item: Item, described: Box, delta: int) -> Item:
    """An item whose bytes have moved, if they lie behind the `meta` box."""
    if item.reference:
        raise Unreadable("parts of this picture lie in another file; write beside it instead")
    if item.method != IN_FILE or not item.extents:
        return item
    behind = {begin >= described.end for begin, _ in item.ranges()}
    if len(behind) > 1 or any(begin < described.end and end > described.start for begin, end in item.ranges()):
        raise Unreadable(BROKEN)
    if behind == {False}:
        return item
    if meta.locations.base_size and (item.base or not meta.locations.offset_size):
        return replace(item, base=item.base + delta)
    return replace(item, extents=tuple((index, offset + delta, size) for index, offset, size in item.extents))


def extended(meta: Meta) -> Meta:
    """The same with one more item, the packet, which describes the picture; raises Unreadable."""
    number = max([*meta.numbers, *(item.number for item in meta.locations.items)]) + 1
    if number >= WIDE:
        raise Unreadable(NO_ROOM)
    parts = [(kind, with_entry(whole, number) if kind == b"iinf" else whole) for kind, whole in meta.parts]
    if not any(kind == b"iref" for kind, _ in parts):
        parts.append((b"iref", box(b"iref", bytes(FULL))))
    parts = [(kind, with_link(whole, number, meta.primary) if kind == b"iref" else whole) for kind, whole in parts]
    item = Item(number, IN_FILE, 0, 0, ((0, 0, 0),))
    return replace(meta, parts=parts, packet=number).with_items([*meta.locations.items, item])


def with_entry(iinf: bytes, number: int) -> bytes:
    """The list of items with the packet's entry."""
    wide = 4 if iinf[8] else 2
    count = int.from_bytes(iinf[12 : 12 + wide], "big") + 1
    if count >= 1 << (8 * wide):
        raise Unreadable(NO_ROOM)
    entry = bytes((2, 0, 0, HIDDEN)) + number.to_bytes(2, "big") + bytes(2) + b"mime\0" + RDF_TYPE + b"\0"
    return box(b"iinf", iinf[8:12] + count.to_bytes(wide, "big") + iinf[12 + wide :] + box(b"infe", entry))


def with_link(iref: bytes, number: int, primary: int) -> bytes:
    """The list of references with one from the packet to the picture it describes."""
    wide = 4 if iref[8] else 2
    if primary >= 1 << (8 * wide):
        raise Unreadable(NO_ROOM)
    link = number.to_bytes(wide, "big") + (1).to_bytes(2, "big") + primary.to_bytes(wide, "big")
    return box(b"iref", iref[8:] + box(b"cdsc", link))
