"""Faults of what a download has in it: lengths, ranges, versions. Each is good HTTP; only what it says is wrong."""

import re

from tests.nextcloud.gateway import Answer, Answering, Seen, Wire
from tests.nextcloud.kinds import Measures, Unfit, good, inverted, kind


def has_range(seen: Seen) -> bool:
    """Whether only a part is asked for."""
    return "range" in seen.headers


@kind("GET")
def length_too_long(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Content-Length promises more than the file has."""
    given = good(answer())
    body = given.whole()
    wire.head(given.status, given.but(content_length=str(len(body) + 10)))
    wire.body(body)


@kind("GET")
def length_too_short(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Content-Length promises less than the file has; the rest follows all the same."""
    given = good(answer())
    body = given.whole()
    if not body:
        raise Unfit
    wire.head(given.status, given.but(content_length=str(len(body) // 2)))
    wire.body(body)


@kind("GET")
def cut_without_length(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Half of the body without any Content-Length, ended by the end of the connection."""
    given = good(answer())
    body = given.whole()
    wire.head(given.status, given.but(content_length=None))
    wire.body(body[: len(body) // 2])


@kind("GET", when=has_range)
def range_ignored(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """200 and the whole file although a part was asked for."""
    given = good(answer("HTTP_RANGE", "HTTP_IF_RANGE"))
    wire.give(given.status, given.headers, given.whole())


@kind("GET", when=has_range)
def range_shifted(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """206 whose Content-Range begins elsewhere than asked for."""
    given = partial(answer)
    start, end, total = parts_of(given)
    wire.give(given.status, given.but(content_range=f"bytes {start + 1}-{end + 1}/{total + 1}"), given.whole())


@kind("GET", when=has_range)
def range_unsaid(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """206 without a Content-Range."""
    given = partial(answer)
    wire.give(given.status, given.but(content_range=None), given.whole())


@kind("GET", when=has_range)
def range_from_start(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """206 with the Content-Range asked for and the bytes from the beginning of the file."""
    given = partial(answer)
    body = given.whole()
    wire.give(given.status, given.headers, answer("HTTP_RANGE", "HTTP_IF_RANGE").whole()[: len(body)])


@kind("GET", when=has_range)
def other_version(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """206 of another version in spite of If-Range; its own etag and checksum tell so."""
    given = partial(answer)
    etag = f'"{"0" * 32}"'
    wire.give(given.status, given.but(etag=etag, oc_etag=etag, oc_checksum=None), inverted(given.whole()))


@kind("GET", when=has_range)
def other_version_hidden(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """206 of another version under the etag of the old one; only a checksum tells."""
    given = partial(answer)
    wire.give(given.status, given.headers, inverted(given.whole()))


@kind("GET")
def spliced(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """The first half of one version and the second half of another; only a checksum tells."""
    given = good(answer())
    body = given.whole()
    if not body:
        raise Unfit
    half = len(body) // 2
    wire.give(given.status, given.headers, body[:half] + inverted(body[half:]))


@kind("GET")
def changed_before(seen: Seen, answer: Answering, wire: Wire, measures: Measures) -> None:
    """The file truly changes on the server after it was listed; the answer is a right one, of the new version."""
    good(answer()).whole()
    measures.change(seen)
    given = answer()
    wire.give(given.status, given.headers, given.whole())


@kind("GET")
def changed_midway(seen: Seen, answer: Answering, wire: Wire, measures: Measures) -> None:
    """The file truly changes on the server while it is sent: half of the old, then what the new one has there."""
    given = good(answer())
    body = given.whole()
    half = len(body) // 2
    wire.head(given.status, given.headers)
    wire.body(body[:half])
    measures.change(seen)
    wire.body(answer("HTTP_IF_RANGE").whole()[half : len(body)])


def partial(answer: Answering) -> Answer:
    """The answer if it is a part."""
    given: Answer = answer()
    if given.status[:3] != "206":
        raise Unfit
    return given


def parts_of(given: Answer) -> tuple[int, int, int]:
    """First byte, last byte, total of a Content-Range."""
    start, end, total = re.findall(r"\d+", given.get("content-range"))
    return int(start), int(end), int(total)
