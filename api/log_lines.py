"""Lines of a journal, from its newest back or from its oldest on, without holding a file whole.

A file that is compressed can only be read from its beginning: of one, the last lines that are wanted are kept.
"""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from cluster.journal import Piece, open_piece

BLOCK = 64 * 1024  # bytes read at once
MOST = 64 << 20  # bytes looked at for one page; what is further back is the next page's


class LogLine(msgspec.Struct, frozen=True):
    """One line of a log."""

    at: datetime
    level: str
    service: str
    job: str
    node: str
    pid: int
    logger: str
    message: str
    exception: str


Wanted = Callable[[LogLine], bool]
decode_line = msgspec.json.Decoder(LogLine).decode


class Log:
    """The journal of one service, as it was when this was made."""

    def __init__(self, folder: Path, service: str, pieces: list[Piece]) -> None:
        self.folder, self.service, self.pieces = folder, service, pieces

    def newest(self, before: int, wanted: Wanted, limit: int, most: int = MOST) -> tuple[list[LogLine], int | None]:
        """The last wanted lines before a position in the journal, newest first, and from where to go on; None: no more.

        There are fewer than asked for where too many bytes were looked at.
        """
        lines: list[LogLine] = []
        looked_at = 0
        for piece in reversed(self.pieces):
            stop = min(piece.end, before)
            if stop <= piece.begin:
                continue
            if looked_at and looked_at + stop - piece.begin > most:
                return lines, stop
            looked_at += stop - piece.begin
            for position, line in self._last(piece, stop, wanted, limit - len(lines)):
                lines.append(line)
                if len(lines) == limit:
                    return lines, position if position > self.pieces[0].begin else None
        return lines, None

    def span(self) -> tuple[datetime | None, datetime | None]:
        """When the first and the last line of what is kept were written."""
        first = next((line for piece in self.pieces for _, line in self._lines(piece)), None)
        last, _ = self.newest(self.pieces[-1].end if self.pieces else 0, lambda _: True, 1)
        return (first.at if first else None), (last[0].at if last else None)

    def whole(self, wanted: Wanted | None = None) -> Iterator[bytes]:
        """All lines, or those that are wanted, oldest first, as they are in the files."""
        for piece in self.pieces:
            if wanted is None:
                yield from self._bytes(piece)
            else:
                chosen = (msgspec.json.encode(line) + b"\n" for _, line in self._lines(piece) if wanted(line))
                while chunk := b"".join(islice(chosen, 200)):
                    yield chunk

    def _last(self, piece: Piece, stop: int, wanted: Wanted, limit: int) -> list[tuple[int, LogLine]]:
        """The last wanted lines of a file before a position, newest first."""
        if piece.path.suffix == ".gz":
            kept = deque(((at, line) for at, line in self._lines(piece) if at < stop and wanted(line)), limit)
            return list(reversed(kept))
        file = open_piece(piece, self.folder, self.service)
        if file is None:
            return []
        with file:
            found = ((piece.begin + at, read(line)) for at, line in backwards(file, stop - piece.begin))
            return list(islice(((at, line) for at, line in found if line and wanted(line)), limit))

    def _lines(self, piece: Piece) -> Iterator[tuple[int, LogLine]]:
        """The lines of a file with their positions in the journal, oldest first."""
        file, at = open_piece(piece, self.folder, self.service), piece.begin
        if file is None:
            return
        with file:
            for line in file:
                if at < piece.end and (told := read(line)):
                    yield at, told
                at += len(line)

    def _bytes(self, piece: Piece) -> Iterator[bytes]:
        file, left = open_piece(piece, self.folder, self.service), piece.end - piece.begin
        if file is None:
            return
        with file:
            while left and (chunk := file.read(min(BLOCK, left))):
                left -= len(chunk)
                yield chunk


def read(line: bytes) -> LogLine | None:
    """A line as what it says; None for what is no line of ours."""
    try:
        return decode_line(line)
    except msgspec.DecodeError:
        return None


def backwards(file: BinaryIO, end: int) -> Iterator[tuple[int, bytes]]:
    """The lines before a position of a file, last first, with their positions; a last one without its end is none."""
    tail = b""  # of a line whose beginning is not read yet
    while end > 0:
        begin = max(0, end - BLOCK)
        file.seek(begin)
        block = file.read(end - begin) + tail
        cut = block.find(b"\n") + 1 if begin else 0
        if begin and not cut:
            tail, end = block, begin
            continue
        *lines, unfinished = block[cut:].split(b"\n")
        at = begin + len(block) - len(unfinished)
        for line in reversed(lines):
            at -= len(line) + 1
            yield at, line
        tail, end = block[:cut], begin
