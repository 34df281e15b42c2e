"""Each fault of a listing does what its name says."""

import time
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes
from xml.etree.ElementTree import ParseError

import httpx
import pytest
from defusedxml import DTDForbidden
from defusedxml.ElementTree import fromstring

from tests.nextcloud.conftest import BODY, NAMES, Asking
from tests.nextcloud.hostile_names import SORTS, hrefs
from tests.nextcloud.listing_faults import entry

HERE = "/remote.php/dav/files/ann/Photos/"
TRUE = [HERE, f"{HERE}Trip/", f"{HERE}a.jpg", f"{HERE}b.jpg"]


def texts(answered: httpx.Response, name: str) -> list[str]:
    """All texts of a property, or the hrefs, in order."""
    return [found.text or "" for found in fromstring(answered.content).iterfind(f".//{name}", NAMES)]


@pytest.mark.parametrize("sort", SORTS)
def test_hostile_hrefs_are_listed_beside_the_true_ones(shared: Asking, sort: str):
    """Every one of a sort, as it is written, and the first also as a folder."""
    shared.cloud.faults.at(f"href_{sort}")
    told = texts(shared.propfind("Photos"), "d:href")

    made = [href.decode("latin1") for href in hrefs(sort, HERE.encode())]
    assert told == [*TRUE, *made, made[0].rstrip("/") + "/"]
    assert texts(shared.propfind("Photos"), "d:href") == TRUE


def test_the_hostile_hrefs_are_what_they_are_called():
    """Once decoded: a NUL, a newline, 255 bytes and more, no UTF-8, twins, other users."""

    def decoded(sort: str) -> list[bytes]:
        return [unquote_to_bytes(href).removeprefix(HERE.encode()) for href in hrefs(sort, HERE.encode())]

    assert all(b"\0" in name for name in decoded("nul"))
    assert all(b"\n" in name for name in decoded("newline"))
    assert all(len(name) > 255 for name in decoded("long"))
    assert len({name.lower() for name in decoded("case_twins")}) == 1
    assert all(b".." in name for name in [*decoded("parent"), *decoded("parent_encoded")])
    assert all(b"/files/ann/" not in name for name in decoded("other_user"))
    for name in decoded("not_utf8"):
        with pytest.raises(UnicodeDecodeError):
            name.decode("utf8")


@pytest.mark.parametrize("kind", ["listing_truncated", "listing_broken"])
def test_a_listing_is_cut_or_broken(shared: Asking, kind: str):
    """It came whole, says its length, and is no XML."""
    shared.cloud.faults.at(kind)
    answered = shared.propfind("Photos")

    assert answered.status_code == 207
    with pytest.raises(ParseError):
        fromstring(answered.content)


@pytest.mark.parametrize("kind", ["xml_bomb", "xml_doctype", "xml_doctype_utf16"])
def test_a_listing_has_a_doctype(shared: Asking, kind: str):
    """A parser that forbids it says so; in UTF-16 its letters are not to be found."""
    shared.cloud.faults.at(kind)
    answered = shared.propfind("Photos")

    with pytest.raises(DTDForbidden):
        fromstring(answered.content, forbid_dtd=True)
    assert (b"<!DOCTYPE" in answered.content) == (kind != "xml_doctype_utf16")


def test_a_listing_is_deep(shared: Asking):
    """A hundred thousand elements one in the other."""
    shared.cloud.faults.at("xml_deep")

    assert shared.propfind("Photos").content.count(b"<d:a>") == 100_000


def test_a_huge_listing_is_streamed(shared: Asking):
    """So many entries as told, all different, without a length; the first comes long before the last."""
    shared.cloud.faults.measures.entries = 5000
    shared.cloud.faults.at("huge_listing")
    answered = shared.propfind("Photos")

    assert "content-length" not in answered.headers
    assert len(set(texts(answered, "d:href"))) == 5004
    assert len(set(texts(answered, "oc:fileid"))) == 5004


def test_a_client_may_leave_a_huge_listing(shared: Asking):
    """200,000 entries are not made for somebody who left after the first."""
    shared.cloud.faults.at("huge_listing")
    with shared.stream("PROPFIND", f"{shared.cloud.dav}/Photos", content=BODY) as answered:
        assert next(answered.iter_raw(1000))
    assert shared.propfind("Photos").status_code == 207

    whole = shared.cloud.faults.measures.entries * len(entry(b"x"))
    assert shared.cloud.seen("PROPFIND")[0].sent < whole // 2


def test_properties_are_not_what_they_should_be(shared: Asking):
    """Etags of wrong forms or none, no ids, lengths and dates that are none, an etag of megabytes."""
    shared.cloud.faults.at("etags_weird")
    assert texts(shared.propfind("Photos"), "d:getetag") == ["", "unquoted", 'W/"weak"', '"']
    shared.cloud.faults.clear()
    shared.cloud.faults.at("etags_missing")
    assert texts(shared.propfind("Photos"), "d:getetag") == []
    shared.cloud.faults.clear()
    shared.cloud.faults.at("ids_missing")
    assert texts(shared.propfind("Photos"), "oc:fileid") == []
    shared.cloud.faults.clear()
    shared.cloud.faults.at("sizes_wrong")
    told = texts(shared.propfind("Photos"), "d:getcontentlength")
    assert [text for text in told if text][:2] == ["-5", "many"]
    shared.cloud.faults.clear()
    shared.cloud.faults.at("dates_wrong")
    assert texts(shared.propfind("Photos"), "d:getlastmodified")[0] == "yesterday"
    shared.cloud.faults.clear()
    shared.cloud.faults.at("huge_text")
    assert max(map(len, texts(shared.propfind("Photos"), "d:getetag"))) == 8 << 20


def test_a_clock_is_a_day_ahead(shared: Asking):
    """In the headers and in the listing; a download's bytes stay as they are."""
    right = shared.propfind("Photos")
    shared.cloud.faults.at("clock_off", times=2)
    wrong, download = shared.propfind("Photos"), shared.fetch("Photos/a.jpg")

    for told, true in zip(texts(wrong, "d:getlastmodified"), texts(right, "d:getlastmodified"), strict=True):
        assert parsedate_to_datetime(told).timestamp() - parsedate_to_datetime(true).timestamp() == 86_400
    assert parsedate_to_datetime(wrong.headers["date"]).timestamp() - time.time() > 86_000
    assert download.headers["last-modified"] == "Wed, 15 Nov 2023 22:13:20 GMT"
    assert download.content == shared.cloud.tree().files()["Photos/a.jpg"]


def test_entries_come_twice(shared: Asking):
    """Each of them, with the same properties."""
    shared.cloud.faults.at("duplicates")

    assert texts(shared.propfind("Photos"), "d:href") == [href for href in TRUE for _ in range(2)]


def test_some_entries_have_nothing_but_a_status(shared: Asking):
    """One with properties under 403, one with a status of its own."""
    shared.cloud.faults.at("refused_inside")
    answered = shared.propfind("Photos")

    assert texts(answered, "d:href") == [*TRUE, f"{HERE}refused.jpg", f"{HERE}bare.jpg"]
    assert "HTTP/1.1 403 Forbidden" in texts(answered, "d:status")


def test_a_folder_is_in_itself(shared: Asking):
    """Itself, the folder above, and itself again without the slash."""
    shared.cloud.faults.at("lists_itself")

    assert texts(shared.propfind("Photos"), "d:href")[4:] == [HERE, "/remote.php/dav/files/ann/", HERE.rstrip("/")]


def test_folders_never_end(shared: Asking):
    """However deep one goes, there is one more."""
    shared.cloud.faults.always("endless_folders")
    path = "Photos/"
    for _ in range(20):
        told = texts(shared.propfind(path), "d:href")
        assert told[-1] == f"/remote.php/dav/files/ann/{path}loop/"
        path += "loop/"
    assert shared.cloud.faults.counted["endless_folders"] == 20
