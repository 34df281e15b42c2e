"""Originals that are not kept here: their bytes come from the owner's Nextcloud while they are sent, whole or in part.

What is sent is the version that was scanned; of another one the answer says so. Threads that wait for bytes of a server
are none of those that answer everybody. Which file it is, is `pictures.py`'s.
"""

import asyncio
from collections.abc import AsyncIterator, Generator, Mapping
from concurrent.futures import Executor
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.background_tasks import BackgroundTask
from litestar.response import Stream

from api.ranges import Span, matches, requested_span, unsatisfiable
from batch.connections import Connections
from batch.mirror import account_of
from batch.mirrored import version
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.faults import Changed, Short
from cluster.errors import NotFound
from cluster.store.database import Library, System

AWAY = "This original is on a Nextcloud that you are not connected to any more. Connect it again to have it."
UNKNOWN = "This original is not on your Nextcloud any more. A scan of it will notice."
OTHER = "The original has changed on the server. Scan again to see what it is now."
NOTHING = "The server sends nothing of this original. Try again later; if that does not help, scan again."


class Remote:
    """One file on its owner's Nextcloud, to be read in the version that was scanned."""

    def __init__(self, connections: Connections, system: System, library: Library, user_id: str, local: bytes) -> None:
        """`local` is its place in the mirror. Raises NotFound, and what keeps the connection from being used."""
        row, connection = library.remotes.at(local), system.sources.find(user_id)
        if row is None or row["gone"]:
            raise NotFound(UNKNOWN)
        if connection is None or account_of(library, connection).mark != row["account"]:
            raise NotFound(AWAY)
        self.cloud: Nextcloud = connections.account(connection)
        self.path, self.version, self.size = str(row["path"]), str(row["fetched"]), int(row["size"])
        told = self.version.endswith('"')  # else the server has no etags, and it is one of our own making
        self.etag = self.version if told else f'"{self.version}"'

    def read(self, span: Span) -> Generator[bytes, None, None]:
        """The bytes of a span; the request is made when the first are asked for."""
        left = span.stop - span.start
        marked = self.etag == self.version
        if not marked and version(msgspec.structs.replace(self.cloud.about(self.path), etag="")) != self.version:
            raise Changed(OTHER)
        for chunk in self.cloud.read(self.path, self.etag if marked else "", span.start):
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return

    async def answer(
        self, request: Request[Any, Any, Any], headers: Mapping[str, str], threads: Executor
    ) -> Response[Any]:
        """The file, the part of it that was asked for, 304 when the client has it, or 416; waits until bytes come."""
        common = {**headers, "ETag": self.etag, "Accept-Ranges": "bytes"}
        if matches(request.headers.get("if-none-match", ""), self.etag):
            return Response(b"", status_code=304, headers={"ETag": self.etag})
        wanted = request.headers.get("if-range", self.etag) == self.etag
        span = requested_span(request.headers.get("range", ""), self.size) if wanted else None
        if span is None:
            return await self.sent(Span(0, self.size), 200, common, threads)
        if span.start == span.stop:
            return unsatisfiable(self.size)
        told = f"bytes {span.start}-{span.stop - 1}/{self.size}"
        return await self.sent(span, 206, {**common, "Content-Range": told}, threads)

    async def sent(self, span: Span, status: int, headers: Mapping[str, str], threads: Executor) -> Stream:
        """A span on its way; what goes wrong before the first bytes is an answer of its own."""
        chunks = self.read(span)
        first = await following(chunks, threads) if span.stop > span.start else b""
        if span.stop > span.start and not first:
            raise Short(NOTHING)
        complete = {**headers, "Content-Length": str(span.stop - span.start)}
        body = every(first, chunks, threads)
        return Stream(body, status_code=status, headers=complete, background=BackgroundTask(chunks.close))


async def every(first: bytes, chunks: Generator[bytes, None, None], threads: Executor) -> AsyncIterator[bytes]:
    """The first chunk and those after it."""
    chunk = first
    while chunk:
        yield chunk
        chunk = await following(chunks, threads)


async def following(chunks: Generator[bytes, None, None], threads: Executor) -> bytes:
    """The next chunk, read by another thread; empty behind the last one."""
    return await asyncio.get_running_loop().run_in_executor(threads, next, chunks, b"")
