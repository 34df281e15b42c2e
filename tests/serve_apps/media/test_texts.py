"""Texts of strangers become plain, short and harmless."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_apps.media.texts import clean, name, names, number, within


@pytest.mark.parametrize(
    ("text", "clean_text"),
    [
        ("  two \t\n words\0", "two words"),
        ("\x1b[31mred\x07", "[31mred"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        (b"bytes\0and more", "bytes"),
        (b"caf\xe9", "caf\ufffd"),
        ("\udcff lone half", "lone half"),
        ("👨‍👩‍👧 and Ægir", "👨‍👩‍👧 and Ægir"),
        (None, ""),
        (7, ""),
    ],
)
def test_a_text_keeps_its_letters_and_loses_the_rest(text: object, clean_text: str) -> None:
    """Control and direction characters go, white space becomes single."""
    assert name(text) == clean_text


@given(st.text(), st.integers(1, 20))
@settings(database=None)
def test_any_text_is_cut_and_encodes(text: str, length: int) -> None:
    """Whatever comes, the result is no longer than asked, on one line, and UTF-8."""
    cleaned = clean(text, length)
    assert len(cleaned) <= length
    assert cleaned.splitlines() in ([], [cleaned])
    cleaned.encode()
    assert clean(cleaned, length) == cleaned


def test_a_list_of_names_keeps_its_order_and_each_name_once() -> None:
    """Empty ones go, and there are at most 500."""
    assert names(["b", " a", "", "b", None]) == ["b", "a"]
    assert len(names(str(n) for n in range(10_000))) == 500


@pytest.mark.parametrize("value", ["nan", "inf", "-1e999", "twelve", None, b"x", [1], 10**400])
def test_what_is_no_finite_number_is_none(value: object) -> None:
    """Neither words nor infinities pass."""
    assert number(value) is None


def test_numbers_out_of_bounds_are_none() -> None:
    """Both bounds belong to the range."""
    assert [within(value, 0, 5) for value in (-0.1, 0, "2.5", 5, 5.1)] == [None, 0, 2.5, 5, None]
