"""Faults of a listing: XML that is cut, huge or a bomb, entries that cannot be true, hrefs that lead away."""

import re
from collections.abc import Callable
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import urlsplit

from tests.nextcloud.gateway import Answer, Answering, Seen, Wire
from tests.nextcloud.hostile_names import SORTS, hrefs
from tests.nextcloud.kinds import Kind, Measures, Spoil, Unfit, good, kind, register_kind

END = b"</d:multistatus>"
HEAD = (
    b'<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"'
    b' xmlns:nc="http://nextcloud.org/ns">'
)
EXPANDING = "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9)).encode()
EXPANDED = b'<!DOCTYPE d:multistatus [<!ENTITY a "aaaaaaaaaa">' + EXPANDING + b"]>"
EXTERNAL = b'<!DOCTYPE d:multistatus [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
ETAGS = (b"", b"unquoted", b'W/"weak"', b'"', b'"a"b"', b'"' + b"e" * 100_000 + b'"', b'"line&#10;break"')
DATES = (b"yesterday", b"", b"Thu, 99 Feb 2024 25:61:61 GMT", b"Mon, 01 Jan 0001 00:00:00 GMT", b"1e309")
DAY_S = 86_400
DATE = re.compile(rb"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")


def entry(href: bytes, folder: bool = False, number: int = 900_000) -> bytes:
    """One entry of a listing, three bytes large."""
    return (
        b'<d:response xmlns:oc="http://owncloud.org/ns"><d:href>%b</d:href><d:propstat><d:prop>'
        b"<d:resourcetype>%b</d:resourcetype><oc:fileid>%d</oc:fileid><oc:size>3</oc:size>"
        b'<d:getetag>"made-%d"</d:getetag><d:getcontentlength>3</d:getcontentlength>'
        b"<d:getlastmodified>Mon, 01 Jan 2024 00:00:00 GMT</d:getlastmodified>"
        b"</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    ) % (escaped(href), b"<d:collection/>" if folder else b"", number, number)


def escaped(href: bytes) -> bytes:
    """Bytes as text of XML."""
    return href.replace(b"&", b"&amp;").replace(b"<", b"&lt;")


def folder_of(seen: Seen) -> bytes:
    """The href of the listed folder, ending with a slash."""
    return urlsplit(seen.target).path.rstrip("/").encode("latin1") + b"/"


def listing(answer: Answering) -> tuple[Answer, bytes]:
    """The true listing and its body."""
    given = good(answer())
    body = given.whole()
    if END not in body or b"<d:collection" not in body:
        raise Unfit
    return given, body


def more(seen: Seen, answer: Answering, wire: Wire, entries: bytes) -> None:
    """Give the true listing with more entries at its end."""
    given, body = listing(answer)
    wire.give(given.status, given.headers, body.replace(END, entries + END))


def edited(
    answer: Answering, wire: Wire, pattern: bytes, by: Callable[[re.Match[bytes]], bytes], most: int = 0
) -> None:
    """Give the true listing with the matches of a pattern replaced; unfit where there is none."""
    given, body = listing(answer)
    body, found = re.subn(pattern, by, body, count=most, flags=re.DOTALL)
    if not found:
        raise Unfit
    wire.give(given.status, given.headers, body)


def href_fault(sort: str) -> Spoil:
    """The fault that adds entries with hostile hrefs of one sort; the first of them also as a folder."""

    def spoil(seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
        made = hrefs(sort, folder_of(seen))
        entries = [entry(href, number=900_000 + at) for at, href in enumerate(made)]
        more(seen, answer, wire, b"".join([*entries, entry(made[0].rstrip(b"/") + b"/", folder=True, number=900_999)]))

    return spoil


for name in SORTS:
    register_kind(Kind(f"href_{name}", ("PROPFIND",), lambda _: True, href_fault(name)))


@kind("PROPFIND")
def listing_truncated(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Half of the XML under its own right length."""
    given, body = listing(answer)
    wire.give(given.status, given.headers, body[: len(body) // 2])


@kind("PROPFIND")
def listing_broken(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """XML with a tag that closes another."""
    edited(answer, wire, rb"</d:href>", lambda _: b"</d:ref>")


@kind("PROPFIND")
def xml_bomb(seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Entities that expand to billions of letters."""
    given, _ = listing(answer)
    wire.give(given.status, given.headers, with_doctype(EXPANDED, folder_of(seen) + b"&j;"))


@kind("PROPFIND")
def xml_doctype(seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """An entity that is a file of the reader's."""
    given, _ = listing(answer)
    wire.give(given.status, given.headers, with_doctype(EXTERNAL, folder_of(seen) + b"&b;"))


@kind("PROPFIND")
def xml_doctype_utf16(seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """The same bomb in UTF-16, where a search for the letters of DOCTYPE finds nothing."""
    given, _ = listing(answer)
    body = with_doctype(EXPANDED, folder_of(seen) + b"&j;").decode().replace('"1.0"', '"1.0" encoding="UTF-16"', 1)
    wire.give(given.status, given.headers, body.encode("utf-16"))


@kind("PROPFIND")
def xml_deep(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """A hundred thousand elements, each inside the other."""
    given, _ = listing(answer)
    wire.give(given.status, given.headers, HEAD + b"<d:a>" * 100_000 + b"</d:a>" * 100_000 + END)


@kind("PROPFIND")
def huge_listing(seen: Seen, answer: Answering, wire: Wire, measures: Measures) -> None:
    """A folder with very many files, streamed in chunks."""
    given, body = listing(answer)
    wire.head(given.status, given.but(content_length=None, transfer_encoding="chunked"))
    send_chunk(wire, body[: body.index(END)])
    base = folder_of(seen)
    for start in range(0, measures.entries, 1000):
        numbers = range(start, min(start + 1000, measures.entries))
        send_chunk(wire, b"".join(entry(base + b"IMG_%07d.jpg" % at, number=1_000_000 + at) for at in numbers))
    send_chunk(wire, END)
    wire.send(b"0\r\n\r\n")


@kind("PROPFIND")
def huge_text(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """An etag of 8 MiB."""
    edited(answer, wire, rb"(?<=<d:getetag>)[^<]*", lambda _: b"e" * (8 << 20), most=1)


@kind("PROPFIND")
def etags_weird(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Etags that are empty, weak, unquoted, far too long, broken by a line."""
    forms = iter(ETAGS * 1000)
    edited(answer, wire, rb"(?<=<d:getetag>)[^<]*", lambda _: next(forms))


@kind("PROPFIND")
def etags_missing(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """No etags."""
    edited(answer, wire, rb"<d:getetag>[^<]*</d:getetag>", lambda _: b"")


@kind("PROPFIND")
def ids_missing(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """No ids."""
    edited(answer, wire, rb"<oc:fileid>[^<]*</oc:fileid>", lambda _: b"")


@kind("PROPFIND")
def sizes_wrong(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Lengths that are negative, no numbers, or larger than any disk."""
    forms = iter((b"-5", b"many", b"9" * 30, b"", b"3.5", b"0x10", b"\xd9\xa3") * 1000)
    edited(answer, wire, rb"(?<=<d:getcontentlength>)[^<]*", lambda _: next(forms))


@kind("PROPFIND")
def dates_wrong(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Dates that are none."""
    forms = iter(DATES * 1000)
    edited(answer, wire, rb"(?<=<d:getlastmodified>)[^<]*", lambda _: next(forms))


@kind("GET", "PROPFIND")
def clock_off(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """All dates are a day ahead: Date, Last-Modified, and those in a listing."""
    given = good(answer())
    headers = [(name, shifted(value.encode()).decode()) for name, value in given.headers]
    body = given.whole()
    wire.give(given.status, headers, shifted(body) if given.status[:3] == "207" else body)


@kind("PROPFIND")
def duplicates(_seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """Every entry twice."""
    edited(answer, wire, rb"<d:response>.*?</d:response>", lambda match: match[0] * 2)


@kind("PROPFIND")
def refused_inside(seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """An entry whose properties are all refused, and one that is a status only."""
    refused = entry(folder_of(seen) + b"refused.jpg").replace(b"200 OK", b"403 Forbidden")
    bare = b"<d:response><d:href>%b</d:href><d:status>HTTP/1.1 507 Full</d:status></d:response>" % (
        folder_of(seen) + b"bare.jpg"
    )
    more(seen, answer, wire, refused + bare)


@kind("PROPFIND")
def lists_itself(seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """A folder that is in itself, and has the folder above in it."""
    own = folder_of(seen)
    above = own.rstrip(b"/").rpartition(b"/")[0] + b"/"
    more(seen, answer, wire, entry(own, folder=True) + entry(above, folder=True) + entry(own.rstrip(b"/"), folder=True))


@kind("PROPFIND")
def endless_folders(seen: Seen, answer: Answering, wire: Wire, _measures: Measures) -> None:
    """In every folder a folder "loop", which is there when it is listed, without end; use with `always`."""
    own = folder_of(seen)
    loop = entry(own + b"loop/", folder=True, number=800_000 + own.count(b"/"))
    if own.endswith(b"/loop/"):
        headers = [("Content-Type", "application/xml; charset=utf-8")]
        wire.give("207 Multi-Status", headers, HEAD + entry(own, folder=True) + loop + END)
    else:
        more(seen, answer, wire, loop)


def with_doctype(doctype: bytes, href: bytes) -> bytes:
    """A listing whose one href needs the entities of a DOCTYPE."""
    made = entry(b"@").replace(b"@", href)
    return HEAD.replace(b"\n", b"\n" + doctype, 1) + made + END


def send_chunk(wire: Wire, data: bytes) -> None:
    """Write one chunk of a chunked body."""
    wire.body(b"%x\r\n%b\r\n" % (len(data), data))


def shifted(data: bytes) -> bytes:
    """The same with every date a day later."""

    def later(match: re.Match[bytes]) -> bytes:
        return formatdate(parsedate_to_datetime(match[0].decode()).timestamp() + DAY_S, usegmt=True).encode()

    return DATE.sub(later, data)
