"""Faults of the connection: it ends, it stalls, it drips, it carries what is not HTTP."""

import gzip
import zlib
from functools import lru_cache

from tests.nextcloud.gateway import Answering, Seen, Wire
from tests.nextcloud.kinds import Measures, good, kind

BODIES = ("GET", "PROPFIND")
CHUNK = 1 << 20


@kind()
def reset_before(_seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """A reset instead of an answer."""
    wire.reset()


@kind()
def closed_before(_seen: Seen, _answer: Answering, _wire: Wire, _measures: Measures) -> None:
    """The connection ends in order, without an answer."""


@kind(*BODIES)
def reset_midway(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """A reset after half of the body."""
    half_of(answer, wire)
    wire.reset()


@kind(*BODIES)
def short_body(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Half of the body under the right Content-Length, then an orderly end."""
    half_of(answer, wire)


@kind()
def stall(_seen: Seen, _answer: Answering, wire: Wire, measures: Measures) -> None:
    """Nothing at all, for a long time, then the end."""
    wire.wait(measures.stall_s)


@kind(*BODIES)
def stall_midway(_seen: Seen, answer: Answering, wire: Wire, measures: Measures) -> None:
    """Half of the body, then nothing for a long time, then the end."""
    half_of(answer, wire)
    wire.wait(measures.stall_s)


@kind(*BODIES)
def drip(_seen: Seen, answer: Answering, wire: Wire, measures: Measures) -> None:
    """The right body, one byte at a time."""
    given = good(answer())
    body = given.whole()
    wire.head(given.status, given.headers)
    for at in range(len(body)):
        wire.body(body[at : at + 1])
        if not wire.wait(measures.drip_s):
            return


@kind(*BODIES)
def drip_head(_seen: Seen, answer: Answering, wire: Wire, measures: Measures) -> None:
    """Headers that never end, one byte at a time."""
    good(answer())
    wire.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(max(int(measures.stall_s / measures.drip_s), 1)):
        wire.send(b"x")
        if not wire.wait(measures.drip_s):
            return


@kind()
def garbage(_seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Bytes that are no HTTP."""
    wire.send(b"\x16\x03\x01\x00\xff SSH-2.0-OpenSSH\r\n\x00\xfe\r\n\r\n")


@kind(*BODIES)
def garbage_chunked(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """A chunked body whose second chunk is no chunk."""
    given = good(answer())
    half = given.whole()[: max(int(given.get("content-length")) // 2, 1)]
    wire.head(given.status, given.but(content_length=None, transfer_encoding="chunked"))
    wire.body(b"%x\r\n%b\r\n" % (len(half), half))
    wire.body(b"ZZZZ\r\nno chunk at all\r\n\r\n")


@kind(*BODIES)
def head_too_long(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """A megabyte of headers."""
    given = good(answer())
    wire.give(given.status, [*given.headers, *((f"X-Fill-{at}", "x" * 1000) for at in range(1000))], given.whole())


@kind(*BODIES)
def gzip_unasked(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """The right body, packed although nobody asked for that; Content-Length is of the packed one."""
    given = good(answer())
    wire.give(given.status, given.but(content_encoding="gzip"), gzip.compress(given.whole(), 1))


@kind(*BODIES)
def gzip_bomb(_seen: Seen, answer: Answering, wire: Wire, measures: Measures) -> None:
    """A packed body a thousand times as large when unpacked."""
    given = good(answer())
    wire.give(given.status, given.but(content_encoding="gzip"), bomb(measures.bomb_bytes))


@kind(*BODIES)
def endless(_seen: Seen, answer: Answering, wire: Wire, measures: Measures) -> None:
    """A body without a length that goes on and on."""
    given = good(answer())
    wire.head(given.status, given.but(content_length=None))
    wire.body(given.whole())
    for _ in range(0, measures.endless_bytes, CHUNK):
        wire.body(b" " * CHUNK)


def half_of(answer: Answering, wire: Wire) -> None:
    """Send the headers and half of the body."""
    given = good(answer())
    body = given.whole()
    wire.head(given.status, given.headers)
    wire.body(body[: len(body) // 2])


@lru_cache(maxsize=4)
def bomb(size: int) -> bytes:
    """So many zeros, packed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(CHUNK)
    return b"".join([*(packer.compress(zeros) for _ in range(0, size, CHUNK)), packer.flush()])
