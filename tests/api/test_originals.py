"""Under which names and types originals are sent."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.originals import MEDIA_TYPES, attachment, media_type
from tests.api.world import STEADY


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_1.JPG", "image/jpeg"),
        ("a.b.heic", "image/heic"),
        ("clip.MOV", "video/quicktime"),
        ("raw.cr3", "application/octet-stream"),
        ("page.html", "application/octet-stream"),
        ("drawing.svg", "application/octet-stream"),
        ("no ending", "application/octet-stream"),
        (".jpg", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_types_come_from_a_fixed_table(name: str, expected: str) -> None:
    """Never from the file, and never one that a browser would run."""
    assert media_type(name) == expected
    assert not {"text/html", "image/svg+xml", "text/javascript"} & set(MEDIA_TYPES.values())


def test_a_name_is_given_plainly_and_in_utf_8() -> None:
    """Old clients take the first, new ones the second (RFC 6266)."""
    told = attachment('Kraków 100% "x".jpg')

    assert told.startswith('attachment; filename="Krak_w 100_ _x_.jpg"; ')
    assert told.endswith("filename*=UTF-8''Krak%C3%B3w%20100%25%20%22x%22.jpg")


@pytest.mark.parametrize(
    "name", ["a\r\nSet-Cookie: x.jpg", "a\0b.jpg", "gpj.\u202etxt.exe", "../../etc/passwd", "a\\b", "\ud800"]
)
def test_what_could_deceive_or_break_out_is_replaced(name: str) -> None:
    """Line ends, direction marks, folders, lone surrogates."""
    told = attachment(name)

    shown = unquote(told.rpartition("''")[2])
    assert not set(shown) & set("\r\n\0/\\\u202e\ud800")


@STEADY
@given(st.text(max_size=300))
def test_any_name_makes_one_clean_header(name: str) -> None:
    """ASCII only, no control characters, and the UTF-8 name decodes."""
    told = attachment(name)

    assert told.isascii()
    assert told.isprintable()
    assert told.count('"') == 2
    unquote(told.rpartition("''")[2], errors="strict")
