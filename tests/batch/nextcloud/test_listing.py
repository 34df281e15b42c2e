"""Listings read as streams: large ones cost little memory, hostile ones end early."""

import tracemalloc
from collections.abc import Iterable, Iterator

import httpx
import pytest

from batch.nextcloud.faults import Hostile, Unreachable
from batch.nextcloud.listing import Item, items, self_first
from batch.nextcloud.multistatus import MOST_ENTRIES, MOST_SILENT, entries

FOLDER = httpx.URL("https://cloud.example/remote.php/dav/files/ann/Photos/")
HEAD = b'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">'
TAIL = b"</d:multistatus>"
OK = "<d:status>HTTP/1.1 200 OK</d:status>"


def response(name: str, properties: str = "", status: str = OK) -> bytes:
    """One entry."""
    href = f"<d:href>/remote.php/dav/files/ann/Photos/{name}</d:href>"
    found = f"<d:prop><d:getcontentlength>3</d:getcontentlength>{properties}</d:prop>"
    return f"<d:response>{href}<d:propstat>{found}{status}</d:propstat></d:response>".encode()


def many(count: int) -> Iterator[bytes]:
    """A listing of so many files."""
    yield HEAD
    yield response("", "<d:resourcetype><d:collection/></d:resourcetype>")
    for start in range(0, count, 100):
        yield b"".join(response(f"{number}.jpg") for number in range(start, min(start + 100, count)))
    yield TAIL


def listed(chunks: Iterable[bytes], refused: dict[str, str] | None = None) -> Iterator[Item]:
    """What a listing holds."""
    refusals = {} if refused is None else refused
    return self_first(items(entries(chunks), "Photos", FOLDER, refusals.__setitem__), "Photos", "cloud.example")


def one(properties: str) -> Item:
    """The item of an entry with some properties."""
    _, item = listed([HEAD, response(""), response("a.jpg", properties), TAIL])
    return item


def test_many_entries_take_no_memory():
    """Two hundred thousand are allowed; what is kept does not grow with them."""
    assert MOST_ENTRIES >= 200_000

    def peak() -> int:
        tracemalloc.start()
        assert sum(1 for _ in listed(many(3_000))) == 3_001
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert min(peak() for _ in range(3)) < 1 << 20  # of three: threads of other tests allocate meanwhile


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        (b"<!--" + b"x" * (MOST_SILENT + 200_000) + b"-->", "never comes to its point"),
        (b"<?" + b"x" * (MOST_SILENT + 200_000) + b"?>", "never comes to its point"),
        (b'<d:response a="' + b"x" * (MOST_SILENT + 200_000) + b'"/>', "never comes to its point"),
        (b"<" + b"x" * (MOST_SILENT + 200_000) + b"/>", "never comes to its point"),
        (b"<d:response " + b" ".join(b'a%d="1"' % number for number in range(9000)) + b"/>", "too large"),
        (b"<d:response>" + b"<d:x/>" * 1000 + b"</d:response>", "too large"),
        (b"<d:response>" + b"<d:x>" * 50, "too deep"),
        (b"<d:response><d:href>" + b"x" * 100_000 + b"</d:href></d:response>", "too long"),
        (b"<d:x/>" * 100_000, "too large"),
        (b"x" * 100_000, "too long"),
    ],
)
def test_what_swells_is_refused(inside: bytes, sentence: str):
    """Comments, names, attributes, elements and texts without end, inside entries and between them."""
    document = HEAD + response("") + inside
    with pytest.raises(Hostile, match=sentence):
        list(listed([document[start : start + 65_536] for start in range(0, len(document), 65_536)] + [TAIL]))


def test_too_many_entries_are_refused():
    """One entry may be listed twice as well: every one counts."""
    with pytest.raises(Hostile, match="entries"):
        for _ in listed([HEAD, *[b"<d:response/>" * 1000] * (MOST_ENTRIES // 1000 + 2), TAIL]):
            pass


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html><body>Log in</body></html>",
        HEAD + response(""),
        HEAD + response("") + b"</d:wrong>",
        b'<?xml version="1.0" encoding="no-such"?>' + HEAD[21:] + TAIL,
        b"\x00\x01\x02",
        HEAD.replace(b"DAV:", b"other:") + TAIL,
    ],
)
def test_what_is_no_listing_is_told(document: bytes):
    """Nothing, a page, half of one, garbage."""
    with pytest.raises(Unreachable):
        list(listed([document]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
@pytest.mark.parametrize(
    "doctype", ['<!DOCTYPE x [<!ENTITY a "b">]>', "<!DOCTYPE d:multistatus>", '<!DOCTYPE x SYSTEM "y">']
)
def test_a_doctype_is_refused_in_every_encoding(encoding: str, doctype: str):
    """Where a search for its letters would find nothing; also one that does no harm."""
    text = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}<d:multistatus xmlns:d="DAV:"></d:multistatus>'
    with pytest.raises(Hostile, match="DOCTYPE"):
        list(listed([text.encode(encoding)]))


def test_a_folder_that_does_not_list_itself_is_refused():
    """What stands there is of another folder."""
    with pytest.raises(Hostile, match="something else"):
        list(listed([HEAD, response("a.jpg"), TAIL]))
    with pytest.raises(Hostile, match="something else"):
        list(listed([HEAD, TAIL]))


def test_the_folder_comes_first_wherever_it_stands():
    """The standard promises no order."""
    assert [item.path for item in listed([HEAD, response("a.jpg"), response(""), response("b.jpg"), TAIL])] == [
        "Photos", "Photos/a.jpg", "Photos/b.jpg",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ('<d:getetag>"abc"</d:getetag>', ('"abc"', 0.0, "", "")),
        ('<d:getetag>W/"abc"</d:getetag>', ('W/"abc"', 0.0, "", "")),
        ("<d:getetag>abc</d:getetag>", ("", 0.0, "", "")),
        ('<d:getetag>"a\r\nX-Evil: 1"</d:getetag>', ("", 0.0, "", "")),
        ("<d:getlastmodified>Tue, 14 Nov 2023 22:13:20 GMT</d:getlastmodified>", ("", 1_700_000_000.0, "", "")),
        ("<d:getlastmodified>Mon, 31 Feb 2023 00:00:00 GMT</d:getlastmodified>", ("", 0.0, "", "")),
        ("<d:getlastmodified>1700000000</d:getlastmodified>", ("", 0.0, "", "")),
        (f"<d:getlastmodified>{'9' * 5000}</d:getlastmodified>", ("", 0.0, "", "")),
        ("<oc:fileid>00000042oc</oc:fileid>", ("", 0.0, "00000042oc", "")),
        ("<oc:fileid>4 2</oc:fileid>", ("", 0.0, "", "")),
        ("<oc:checksums><oc:checksum>MD5:00</oc:checksum></oc:checksums>", ("", 0.0, "", "MD5:00")),
        ("<oc:checksums><oc:checksum>none at all</oc:checksum></oc:checksums>", ("", 0.0, "", "")),
    ],
)
def test_properties_are_what_they_should_look_like_or_nothing(properties: str, found: tuple[str, float, str, str]):
    """A header can be made of an ETag, a time of a date, and nothing else of either."""
    item = one(properties)
    assert (item.etag, item.mtime, item.file_id, item.checksum) == found


@pytest.mark.parametrize("length", ["-3", "3.5", "ten", "9" * 30, "٣", "1e3"])
def test_an_entry_whose_length_is_none_is_refused(length: str):
    """It could not be verified."""
    refused: dict[str, str] = {}
    entry = response("a.jpg").replace(b">3<", f">{length}<".encode())

    assert [item.path for item in listed([HEAD, response(""), entry, TAIL], refused)] == ["Photos"]
    assert list(refused.values()) == ["its length is no number of bytes"]


def test_an_entry_without_properties_is_refused():
    """The server has an error where the entry should be."""
    refused: dict[str, str] = {}
    failed = response("a.jpg", status="<d:status>HTTP/1.1 403 Forbidden</d:status>")

    assert [item.path for item in listed([HEAD, response(""), failed, TAIL], refused)] == ["Photos"]
    assert list(refused.values()) == ["the server tells nothing of it"]
