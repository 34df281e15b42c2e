"""Faults that are an answer of their own: errors, "come back later", redirects, a page where an answer should be."""

import time
from email.utils import formatdate
from urllib.parse import urlsplit

from tests.nextcloud.front import error_body
from tests.nextcloud.gateway import Answering, Headers, Seen, Wire
from tests.nextcloud.kinds import Kind, Measures, Spoil, kind, register_kind

LOOP = "redirect_loop="
XML = ("Content-Type", "application/xml; charset=utf-8")
PROXY = ("502", "503", "504")  # said by what stands before Nextcloud, unless it is maintenance
STATUSES = {
    "unauthorized": "401 Unauthorized",
    "forbidden": "403 Forbidden",
    "missing": "404 Not Found",
    "gone": "410 Gone",
    "locked": "423 Locked",
    "broken": "500 Internal Server Error",
    "bad_gateway": "502 Bad Gateway",
    "unavailable": "503 Service Unavailable",
    "gateway_timeout": "504 Gateway Timeout",
    "full": "507 Insufficient Storage",
    "teapot": "418 I'm a teapot",
    "empty": "204 No Content",
}


def status_fault(status: str) -> Spoil:
    """The fault that is this status and nothing else."""

    def spoil(_seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
        told: Headers = (
            [("WWW-Authenticate", 'Basic realm="Nextcloud", charset="UTF-8"')] if status[:3] == "401" else []
        )
        wire.give(status, [*told, kind_of(status)], body_of(status))

    return spoil


def kind_of(status: str) -> tuple[str, str]:
    """What the body is: XML of Nextcloud's, or a page of the proxy's before it."""
    return ("Content-Type", "text/html") if status[:3] in PROXY else XML


def body_of(status: str) -> bytes:
    """What is said beside a status."""
    if status[:3] in PROXY:
        return f"<html><h1>{status}</h1><hr>nginx</html>".encode()
    return b"" if status[:3] == "204" else error_body(int(status[:3]))


for name, status in STATUSES.items():
    register_kind(Kind(name, (), lambda _: True, status_fault(status)))


def later(wire: Wire, status: str, when: str) -> None:
    """An answer with Retry-After."""
    wire.give(status, [kind_of(status), ("Retry-After", when)], body_of(status))


@kind()
def throttled(_seen: Seen, _answer: Answering, wire: Wire, measures: Measures) -> None:
    """429 with Retry-After in seconds."""
    later(wire, "429 Too Many Requests", str(measures.retry_after_s))


@kind()
def throttled_until(_seen: Seen, _answer: Answering, wire: Wire, measures: Measures) -> None:
    """429 with Retry-After as a date."""
    later(wire, "429 Too Many Requests", formatdate(time.time() + measures.retry_after_s, usegmt=True))


@kind()
def throttled_for_ever(_seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """429 with a Retry-After of years."""
    later(wire, "429 Too Many Requests", "99999999")


@kind()
def throttled_nonsense(_seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """429 with a Retry-After that is neither seconds nor a date."""
    later(wire, "429 Too Many Requests", "soon \xe9 -1")


@kind()
def unavailable_until(_seen: Seen, _answer: Answering, wire: Wire, measures: Measures) -> None:
    """503 of a proxy with Retry-After as a date, and no word of maintenance."""
    later(wire, "503 Service Unavailable", formatdate(time.time() + measures.retry_after_s, usegmt=True))


@kind()
def maintenance(_seen: Seen, _answer: Answering, wire: Wire, measures: Measures) -> None:
    """503 as in maintenance mode, with Retry-After in seconds."""
    told = [XML, ("Retry-After", str(measures.retry_after_s)), ("X-Nextcloud-Maintenance-Mode", "1")]
    wire.give("503 Service Unavailable", told, error_body(503))


def away(wire: Wire, status: str, to: str) -> None:
    """A redirect."""
    wire.give(status, [("Location", to), ("Content-Type", "text/html")], b"")


@kind()
def redirect_elsewhere(_seen: Seen, _answer: Answering, wire: Wire, measures: Measures) -> None:
    """302 to another host."""
    away(wire, "302 Found", measures.elsewhere)


@kind()
def redirect_metadata(_seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """307 to the address at which clouds tell their secrets."""
    away(wire, "307 Temporary Redirect", "http://169.254.169.254/latest/meta-data")


@kind()
def redirect_plain(seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """301 to the same host without encryption."""
    away(wire, "301 Moved Permanently", f"http://{seen.headers.get('host', '')}{seen.target}")


@kind()
def redirect_scheme(_seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """302 to what is no address of the web."""
    away(wire, "302 Found", "file:///etc/passwd")


@kind(when=lambda seen: "moved=" not in seen.target)
def redirect_same(seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """307 to another address of the same server, where the answer is."""
    away(wire, "307 Temporary Redirect", f"{urlsplit(seen.target).path}?moved=1")


@kind()
def redirect_loop(seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """307 to an address of the same server that redirects again, and so on; counted once a loop."""
    turn = int(seen.target.partition(LOOP)[2] or 0) + 1
    away(wire, "307 Temporary Redirect", f"{urlsplit(seen.target).path}?{LOOP}{turn}")


@kind()
def page(_seen: Seen, _answer: Answering, wire: Wire, _measures: Measures) -> None:
    """200 and a page for people, as a hotel's network gives it."""
    wire.give("200 OK", [("Content-Type", "text/html")], b"<!DOCTYPE html><title>Welcome</title><p>Please log in.</p>")
