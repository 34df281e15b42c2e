"""Answer with an open file: whole, in part (Range), or not at all (ETag). Knows no photos.

Several ranges at once are answered with the whole file, which HTTP allows.
"""

import asyncio
import os
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.response import Stream

CHUNK = 256 * 1024  # bytes read at once
ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)


class OpenFile:
    """A regular file opened for reading; closed when nothing refers to it any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        facts = os.fstat(descriptor)
        self.regular = stat.S_ISREG(facts.st_mode)
        self.size = facts.st_size
        self.version = f"{facts.st_size:x}-{facts.st_mtime_ns:x}"  # changes when the file does

    def __del__(self) -> None:
        os.close(self.descriptor)

    async def read(self, span: "Span") -> AsyncIterator[bytes]:
        """The bytes of a span, in chunks, read off the event loop."""
        position = span.start
        while position < span.stop:
            wanted = min(CHUNK, span.stop - position)
            chunk = await asyncio.to_thread(os.pread, self.descriptor, wanted, position)
            if not chunk:  # it shrank: the answer ends short of its Content-Length, which tells the client
                return
            position += len(chunk)
            yield chunk


@dataclass(frozen=True)
class Span:
    """Bytes `start` up to, and without, `stop`."""

    start: int
    stop: int


class Unsatisfiable(Exception):
    """The range lies behind the end of the file; caught where ranges are answered."""


def requested_span(header: str, size: int) -> Span | None:
    """The span a Range header asks for; None for none, and for what is to be ignored. Raises Unsatisfiable."""
    match = ONE_RANGE.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return suffix_span(int(last), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return Span(int(first), min(int(last) + 1, size) if last else size)


def suffix_span(length: int, size: int) -> Span:
    """The last `length` bytes."""
    if length == 0 or size == 0:
        raise Unsatisfiable
    return Span(max(0, size - length), size)


def answer_file(
    request: Request[Any, Any, Any], file: OpenFile, etag: str, headers: dict[str, str]
) -> Response[Any] | Stream:
    """The file, the part of it that was asked for, 304 when the client has it, or 416."""
    common = {**headers, "ETag": etag, "Accept-Ranges": "bytes"}
    if matches(request.headers.get("if-none-match", ""), etag):
        return Response(None, status_code=304, headers=kept_on_304(common))
    try:
        span = wanted_span(request, file, etag)
    except Unsatisfiable:
        return Response(None, status_code=416, headers={**common, "Content-Range": f"bytes */{file.size}"})
    whole = Span(0, file.size)
    if span:
        common["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{file.size}"
    common["Content-Length"] = str((span or whole).stop - (span or whole).start)
    media_type = common.pop("Content-Type")
    return Stream(file.read(span or whole), status_code=206 if span else 200, headers=common, media_type=media_type)


def wanted_span(request: Request[Any, Any, Any], file: OpenFile, etag: str) -> Span | None:
    """The span of a Range header, unless If-Range names another version of the file."""
    if_range = request.headers.get("if-range")
    if if_range is not None and if_range != etag:
        return None
    return requested_span(request.headers.get("range", ""), file.size)


def matches(if_none_match: str, etag: str) -> bool:
    """Whether a client's If-None-Match names this version."""
    known = {entry.strip().removeprefix("W/") for entry in if_none_match.split(",")}
    return etag in known or "*" in known


def kept_on_304(headers: dict[str, str]) -> dict[str, str]:
    """Without those that describe the body that is not sent."""
    return {name: value for name, value in headers.items() if name not in {"Content-Type", "Content-Disposition"}}
