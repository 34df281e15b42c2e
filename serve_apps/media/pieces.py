"""A file as its next version is made of: stretches of what it is now, and new bytes between them.

Reading is bounds-checked, so that a structure which points outside its file is an error and not a surprise. Leaves out
what the pieces mean (inside.py) and writing them to a disk.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from cluster.errors import Unreadable
from serve_apps.media.source import CHUNK, Source, sentence

LONGEST = 64 << 20  # bytes of a file's structure that are looked at in one go
BROKEN = "the structure of this file is damaged, so nothing can be written into it; write beside it instead"


class Kept(NamedTuple):
    """A stretch of the file as it is: offsets of its first byte and behind its last."""

    start: int
    end: int


Piece: TypeAlias = bytes | Kept
Reading: TypeAlias = Callable[[int, int], bytes]  # (offset, count): exactly so many bytes, or Unreadable


def reading(source: Source) -> Reading:
    """Reads anywhere in an open file; raises Unreadable for what lies outside."""

    def read(at: int, count: int) -> bytes:
        if not 0 <= count <= LONGEST or at < 0 or at + count > source.size:
            raise Unreadable(BROKEN)
        try:
            found = os.pread(source.fd, count, at)
        except OSError as error:
            raise Unreadable(sentence(error)) from None
        if len(found) != count:
            raise Unreadable(BROKEN)
        return found

    return read


def within(data: bytes) -> Reading:
    """Reads anywhere in some bytes; raises Unreadable for what lies outside."""

    def read(at: int, count: int) -> bytes:
        if count < 0 or at < 0 or at + count > len(data):
            raise Unreadable(BROKEN)
        return data[at : at + count]

    return read


def size_of(pieces: Sequence[Piece]) -> int:
    """How many bytes pieces are together."""
    return sum(piece.end - piece.start if isinstance(piece, Kept) else len(piece) for piece in pieces)


def contents(source: Source, pieces: Sequence[Piece]) -> Iterator[bytes]:
    """The bytes of pieces, some at a time."""
    read = reading(source)
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        for at in range(piece.start, piece.end, CHUNK):
            yield read(at, min(CHUNK, piece.end - at))


def backwards(pieces: Sequence[Piece], source: Source) -> list[Piece]:
    """What the file is made of again once these pieces of it have been put together: pieces of that, and old bytes."""
    read, at, placed = reading(source), 0, list[tuple[Kept, int]]()
    for piece in pieces:
        if isinstance(piece, Kept):
            placed.append((piece, at))
        at += size_of([piece])
    found, done = list[Piece](), 0
    for kept, at in sorted(placed):
        begin = max(kept.start, done)
        if begin >= kept.end:
            continue
        found += [read(done, begin - done)] if begin > done else []
        found.append(Kept(at + begin - kept.start, at + kept.end - kept.start))
        done = kept.end
    return [*found, read(done, source.size - done)] if done < source.size else found
