"""Answers of a child are only believed within their types and bounds."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from serve_apps.media.protocol import (
    LENGTH_BYTES,
    MAX_MESSAGE,
    Decoded,
    DecodeRequest,
    Failure,
    Metadata,
    Region,
    answers,
    framed,
    requests,
)

WHOLE: dict[str, Any] = {
    "content_id": "0" * 32, "size": 1, "mtime_ns": -1, "kind": "image", "format": "jpeg", "width": 2, "height": 3,
    "metadata": Metadata(), "flags": [], "derived": {"preview": 4},
}  # fmt: skip


def returned(message: Any) -> Any:
    """A message as the other side sees it."""
    return answers.decode(framed(message)[LENGTH_BYTES:])


def test_an_answer_arrives_as_it_was_sent() -> None:
    """Times keep their microseconds, texts their letters, floats their bits."""
    metadata = Metadata(
        taken_at=datetime(1900, 2, 3, 4, 5, 6, 789, UTC), taken_offset_min=-570, latitude=-33.1234567, title="Ægir 🏔",
        regions=[Region("a", 0.1, 0.2, 0.3, 0.4)], keywords=["b"], rating=-1,
    )  # fmt: skip
    assert returned(Decoded(**{**WHOLE, "metadata": metadata})) == Decoded(**{**WHOLE, "metadata": metadata})
    assert returned(Failure("memory", "why")) == Failure("memory", "why")


def test_a_request_carries_any_bytes_as_a_path() -> None:
    """Paths are bytes, whatever their encoding."""
    request = DecodeRequest(b"/\xff\n.jpg", None, "name", False, 30)
    assert requests.decode(framed(request)[LENGTH_BYTES:]) == request


@pytest.mark.parametrize(
    "change",
    [
        {"content_id": "../../../../etc/passwd"}, {"content_id": "0" * 33}, {"size": -1}, {"width": 0}, {"kind": "xmp"},
        {"format": "x" * 17}, {"flags": ["x"] * 17}, {"derived": {"x" * 201: 1}},
        {"placeholder": "A" * 31}, {"placeholder": "<" * 32}, {"placeholder": "A" * 32 + "\n"},
        {"metadata": Metadata(latitude=91)}, {"metadata": Metadata(rating=9)}, {"metadata": Metadata(title="x" * 501)},
        {"metadata": Metadata(keywords=["x"] * 501)}, {"metadata": Metadata(orientation=9)},
        {"metadata": Metadata(regions=[Region("a", 0, 0, 1.1, 1)])},
        {"metadata": Metadata(taken_source="hearsay")},  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_an_answer_out_of_bounds_is_refused(change: dict[str, Any]) -> None:
    """Whatever a child that was taken over may send."""
    with pytest.raises(msgspec.ValidationError):
        returned(Decoded(**{**WHOLE, **change}))


@pytest.mark.parametrize(
    "field", ["latitude", "longitude", "altitude", "f_number", "exposure_s", "focal_mm", "duration_s"]
)
def test_a_number_that_is_none_is_refused(field: str) -> None:
    """NaN passes every bound, and is refused all the same; so is infinity."""
    body = framed(Decoded(**WHOLE))[LENGTH_BYTES:]
    for number in (float("nan"), float("inf")):
        tampered = msgspec.msgpack.decode(body)
        tampered["metadata"][field] = number
        with pytest.raises(msgspec.ValidationError):
            answers.decode(msgspec.msgpack.encode(tampered))


def test_the_largest_answer_fits_into_a_message() -> None:
    """The bounds of the fields add up to less than the bound of a message."""
    letter = "\U0001f3d4"
    metadata = Metadata(
        taken_at=datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=14))), camera_make=letter * 200,
        keywords=[letter * 200] * 500, regions=[Region(letter * 200, 0.1, 0.2, 0.3, 0.4)] * 500, title=letter * 500,
        description=letter * 4000,
    )  # fmt: skip
    assert len(framed(Decoded(**{**WHOLE, "metadata": metadata}))) < MAX_MESSAGE
