"""Cursors: what we gave out comes back, and nothing else gets in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paging import decode, encode
from cluster.errors import Invalid
from tests.api.world import STEADY


@STEADY
@given(st.datetimes(timezones=st.just(UTC)), st.text(max_size=20))
def test_a_position_comes_back_as_it_was(moment: datetime, name: str) -> None:
    """To the microsecond, and safe in a URL."""
    cursor = encode((moment, name))

    assert decode(cursor, tuple[datetime, str]) == (moment, name)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?#% ")


def test_no_cursor_is_the_beginning() -> None:
    """The first page has no place before it."""
    assert decode("", str) is None


@STEADY
@given(st.text(min_size=1, max_size=30))
def test_any_other_text_is_refused_as_invalid(text: str) -> None:
    """Never an error inside."""
    with pytest.raises(Invalid, match="first page"):
        decode(text, tuple[datetime, str])


def test_a_cursor_of_another_list_is_refused() -> None:
    """A list of jobs does not take the cursor of a list of errors."""
    with pytest.raises(Invalid):
        decode(encode("an id"), tuple[datetime, str])
