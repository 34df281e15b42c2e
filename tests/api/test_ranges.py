"""Which bytes a Range header asks for."""

from hypothesis import given
from hypothesis import strategies as st

from api.ranges import Span, matches, requested_span
from tests.api.world import STEADY


@STEADY
@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_span_lies_in_the_file_or_is_empty(size: int, first: int, last: int) -> None:
    """Compared with slicing, for every shape of a range and every size."""
    data = bytes(range(size))
    both = requested_span(f"bytes={first}-{last}", size)

    if last < first:
        assert both is None
    else:
        assert sliced(data, both) == data[first : last + 1]
    assert sliced(data, requested_span(f"bytes={first}-", size)) == data[first:]
    assert sliced(data, requested_span(f"bytes=-{last}", size)) == (data[-last:] if last else b"")


def sliced(data: bytes, span: Span | None) -> bytes:
    """The bytes of a span that must be there."""
    assert span is not None
    assert 0 <= span.start <= span.stop <= len(data)
    return data[span.start : span.stop]


@STEADY
@given(st.text(max_size=40))
def test_any_header_is_understood_or_ignored(header: str) -> None:
    """Nothing raises, and no span leaves the file."""
    span = requested_span(header, 10)

    assert span is None or 0 <= span.start <= span.stop <= 10


def test_an_etag_is_compared_weakly() -> None:
    """As HTTP wants it for If-None-Match."""
    assert matches('W/"a"', '"a"')
    assert matches('"b" , "a"', '"a"')
    assert matches("*", '"a"')
    assert not matches("", '"a"')
    assert not matches('"ab"', '"a"')
