"""The items of a HEIC or AVIF file as its `meta` box lists them, read and written: what they are and where they lie.

Leaves out pictures, and which item is changed how (inside_heif.py).
"""

from dataclasses import dataclass, field, replace

from cluster.errors import Unreadable
from serve_apps.media.boxes import Box, box, boxes
from serve_apps.media.pieces import BROKEN, Reading, within

FULL = 4  # bytes of version and flags before the body of most boxes
MOST_ITEMS, MOST_EXTENTS = 20_000, 100_000
ONCE = (b"iloc", b"iinf", b"pitm", b"iref", b"idat")  # of which there is one, or none
RDF_TYPE, HIDDEN = b"application/rdf+xml", 1
IN_FILE, IN_META = 0, 1  # how extents are meant: from the file's first byte, or from that of the box `idat`


@dataclass
class Cursor:
    """Reads numbers one after the other; raises Unreadable behind the end."""

    read: Reading
    at: int = 0

    def number(self, size: int) -> int:
        """The next number of so many bytes; 0 for none."""
        self.at += size
        return int.from_bytes(self.read(self.at - size, size), "big")


@dataclass(frozen=True)
class Item:
    """Where an item lies: extents are (index, offset, length), counted from `base`."""

    number: int
    method: int
    reference: int
    base: int
    extents: tuple[tuple[int, int, int], ...]

    def ranges(self) -> list[tuple[int, int]]:
        """Where its bytes begin and end."""
        return [(self.base + offset, self.base + offset + length) for _, offset, length in self.extents]


@dataclass(frozen=True)
class Locations:
    """The box `iloc`: sizes of its fields in bytes, and the items."""

    version: int
    offset_size: int
    length_size: int
    base_size: int
    index_size: int
    items: list[Item] = field(default_factory=list)

    def written(self) -> bytes:
        """The box; raises Unreadable for an offset that its field does not hold."""
        sizes = (self.offset_size << 12) | (self.length_size << 8) | (self.base_size << 4) | self.index_size
        wide = 4 if self.version == 2 else 2
        try:
            count = len(self.items).to_bytes(wide, "big")
            body = b"".join(self.item(item, wide) for item in self.items)
        except OverflowError:
            raise Unreadable("there is no room for offsets in this file; write beside it instead") from None
        return box(b"iloc", bytes((self.version, 0, 0, 0)) + sizes.to_bytes(2, "big") + count + body)

    def item(self, item: Item, wide: int) -> bytes:
        """An item as bytes; raises OverflowError."""
        parts = [item.number.to_bytes(wide, "big")]
        parts += [item.method.to_bytes(2, "big")] if self.version else []
        parts += [item.reference.to_bytes(2, "big"), item.base.to_bytes(self.base_size, "big")]
        parts.append(len(item.extents).to_bytes(2, "big"))
        for index, offset, length in item.extents:
            parts += [index.to_bytes(self.index_size if self.version else 0, "big")]
            parts += [offset.to_bytes(self.offset_size, "big"), length.to_bytes(self.length_size, "big")]
        return b"".join(parts)


@dataclass(frozen=True)
class Meta:
    """The box `meta`: its parts as bytes in their order, the items, which is the picture and which the packet."""

    head: bytes  # version and flags
    parts: list[tuple[bytes, bytes]]  # kind and whole box
    locations: Locations
    primary: int
    packet: int | None  # the item with the XMP packet
    numbers: list[int]
    inner: tuple[int, int]  # where the body of `idat` begins and ends in the file

    def item(self, number: int) -> Item | None:
        """Where an item lies."""
        return next((item for item in self.locations.items if item.number == number), None)

    def with_items(self, items: list[Item]) -> "Meta":
        """The same with items elsewhere."""
        return replace(self, locations=replace(self.locations, items=items))

    def written(self) -> bytes:
        """The box."""
        parts = [self.locations.written() if kind == b"iloc" else whole for kind, whole in self.parts]
        return box(b"meta", self.head + b"".join(parts))


def meta_of(read: Reading, found: Box) -> Meta:
    """A `meta` box taken apart; raises Unreadable for one that is damaged or has no picture."""
    body = read(found.body, found.end - found.body)
    inside = within(body)
    parts = boxes(inside, FULL, len(body))
    by_kind = {part.kind: part for part in parts}
    once = [part.kind for part in parts if part.kind in ONCE]
    if not {b"iloc", b"iinf", b"pitm"} <= by_kind.keys() or len(set(once)) != len(once):
        raise Unreadable(BROKEN)
    content = {kind: within(body[part.body : part.end]) for kind, part in by_kind.items()}
    pitm = Cursor(content[b"pitm"])
    primary = numbered(pitm, pitm.number(FULL) >> 24)
    numbers, packet = described(content[b"iinf"], by_kind[b"iinf"].end - by_kind[b"iinf"].body)
    idat = by_kind.get(b"idat")
    return Meta(
        head=body[:FULL],
        parts=[(part.kind, body[part.start : part.end]) for part in parts],
        locations=locations_of(content[b"iloc"]),
        primary=primary,
        packet=packet,
        numbers=numbers,
        inner=(found.body + idat.body, found.body + idat.end) if idat else (0, 0),
    )


def numbered(cursor: Cursor, version: int) -> int:
    """An item's number, which is wider in later versions of a box."""
    return cursor.number(4 if version else 2)


def described(read: Reading, size: int) -> tuple[list[int], int | None]:
    """The numbers of all items, and the one with the XMP packet; raises Unreadable where that is packed."""
    cursor = Cursor(read)
    start = FULL + (4 if cursor.number(FULL) >> 24 else 2)
    numbers: list[int] = []
    packet: int | None = None
    for entry in boxes(read, start, size):
        inner = Cursor(within(read(entry.body, entry.end - entry.body)))
        version = inner.number(FULL) >> 24
        if entry.kind != b"infe" or version not in (2, 3):
            raise Unreadable("this file lists its parts in an old way; write beside it instead")
        numbers.append(numbered(inner, version - 2))
        rest = read(entry.body + inner.at + 2, entry.end - entry.body - inner.at - 2)
        if rest[:4] == b"mime" and packet is None:
            _, kind, encoding, *_ = [*rest[4:].split(b"\0", 3), b"", b"", b""]
            packet = numbers[-1] if kind == RDF_TYPE else None
            if packet and encoding:
                raise Unreadable("the XMP in this file is packed; write beside it instead")
    return numbers, packet


def locations_of(read: Reading) -> Locations:
    """The box `iloc` read; raises Unreadable for one that is damaged or says nothing of lengths."""
    cursor = Cursor(read)
    version, sizes = cursor.number(FULL) >> 24, cursor.number(2)
    sides = [(sizes >> shift) & 15 for shift in (12, 8, 4, 0)]
    if version > 2 or not set(sides) <= {0, 4, 8} or not sides[1]:
        raise Unreadable(BROKEN)
    found = Locations(version, sides[0], sides[1], sides[2], sides[3] if version else 0)
    left = MOST_EXTENTS
    for _ in range(min(cursor.number(4 if version == 2 else 2), MOST_ITEMS)):
        number = cursor.number(4 if version == 2 else 2)
        method = cursor.number(2) & 15 if version else IN_FILE
        reference, base, count = cursor.number(2), cursor.number(found.base_size), cursor.number(2)
        left -= count
        if left < 0:
            raise Unreadable(BROKEN)
        extents = [
            (cursor.number(found.index_size), cursor.number(found.offset_size), cursor.number(found.length_size))
            for _ in range(count)
        ]
        found.items.append(Item(number, method, reference, base, tuple(extents)))
    return found
