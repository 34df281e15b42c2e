"""Answer with an open file: whole, in part (Range), or not at all (ETag). Knows no photos.

Several ranges at once are answered with the whole file, which HTTP allows.
"""

import asyncio
import os
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.background_tasks import BackgroundTask
from litestar.response import Stream

from api.errors import problem

CHUNK = 256 * 1024  # bytes read at once
ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)


class OpenFile:
    """A file opened for reading; closed at the latest when nothing refers to it any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        facts = os.fstat(descriptor)
        self.regular = stat.S_ISREG(facts.st_mode)
        self.size = facts.st_size
        self.version = f"{facts.st_size:x}-{facts.st_mtime_ns:x}"  # changes when the file does

    def close(self) -> None:
        """Close it now, if it is open."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __del__(self) -> None:
        self.close()

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
    """Bytes `start` up to, and without, `stop`; an empty one lies behind the end of the file."""

    start: int
    stop: int


def requested_span(header: str, size: int) -> Span | None:
    """The span a Range header asks for; None for none, and for what HTTP says to ignore."""
    match = ONE_RANGE.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return Span(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return Span(min(int(first), size), min(int(last) + 1, size) if last else size)


def answer_file(request: Request[Any, Any, Any], file: OpenFile, etag: str, headers: dict[str, str]) -> Response[Any]:
    """The file, the part of it that was asked for, 304 when the client has it, or 416."""
    common = {**headers, "ETag": etag, "Accept-Ranges": "bytes"}
    if matches(request.headers.get("if-none-match", ""), etag):
        return Response(b"", status_code=304, headers=kept_on_304(common))
    span = wanted_span(request, file, etag)
    if span is None:
        return sent(file, Span(0, file.size), 200, common)
    if span.start == span.stop:
        return unsatisfiable(file.size)
    return sent(file, span, 206, {**common, "Content-Range": f"bytes {span.start}-{span.stop - 1}/{file.size}"})


def sent(file: OpenFile, span: Span, status: int, headers: dict[str, str]) -> Stream:
    """A span of a file on its way; the file is closed behind it, also when the client goes away."""
    complete = {**headers, "Content-Length": str(span.stop - span.start)}
    return Stream(file.read(span), status_code=status, headers=complete, background=BackgroundTask(file.close))


def wanted_span(request: Request[Any, Any, Any], file: OpenFile, etag: str) -> Span | None:
    """The span of a Range header, unless If-Range names another version of the file."""
    if_range = request.headers.get("if-range")
    if if_range is not None and if_range != etag:
        return None
    return requested_span(request.headers.get("range", ""), file.size)


def unsatisfiable(size: int) -> Response[Any]:
    """416, with the size that a range must lie in."""
    detail = f"The file has {size:,} bytes, and the range lies behind them. Ask for an earlier one."
    return problem(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, detail, {"Content-Range": f"bytes */{size}"}, [])


def matches(if_none_match: str, etag: str) -> bool:
    """Whether a client's If-None-Match names this version."""
    known = {entry.strip().removeprefix("W/") for entry in if_none_match.split(",")}
    return etag in known or "*" in known


def kept_on_304(headers: dict[str, str]) -> dict[str, str]:
    """Without those that describe the body that is not sent."""
    return {name: value for name, value in headers.items() if name not in {"Content-Type", "Content-Disposition"}}
