"""Which part of a thumbnail shows a face."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.crops import crop
from tests.api.world import STEADY


def face(left: float, top: float, right: float, bottom: float, width: int = 4000, height: int = 3000) -> dict[str, Any]:
    """A face in a photo of which there are thumbnails."""
    box = {"left": left, "top": top, "right": right, "bottom": bottom}
    return {"box": box, "width": width, "height": height, "thumbnails": {"big": "/big", "preview": "/preview"}}


def test_a_face_is_in_the_middle_of_its_crop_with_room_around() -> None:
    """In the photo's own pixels."""
    part = crop(face(0.4, 0.4, 0.5, 0.5), 100)

    assert part
    assert (part.x + part.side / 2, part.y + part.side / 2) == pytest.approx((1800, 1350), abs=1)
    assert part.side == 540
    assert (part.width, part.height) == (4000, 3000)


def test_a_small_face_or_a_large_cover_takes_the_larger_thumbnail() -> None:
    """So that it is sharp; else the smaller one does, which loads sooner."""
    close, far = face(0.2, 0.1, 0.7, 0.8), face(0.4, 0.4, 0.45, 0.45)

    assert [crop(one, 96).address for one in (close, far)] == ["/big", "/preview"]  # type: ignore[union-attr]
    assert crop(close, 400).address == "/preview"  # type: ignore[union-attr]


def test_a_face_without_a_picture_has_no_crop() -> None:
    """Nor one of whose photo nobody knows how large it is."""
    assert crop(None, 96) is None
    assert crop({**face(0, 0, 1, 1), "thumbnails": {}}, 96) is None
    assert crop(face(0, 0, 1, 1, 0, 0), 96) is None


edge = st.floats(0, 1)


@STEADY
@given(edge, edge, edge, edge, st.integers(1, 9000), st.integers(1, 9000))
def test_a_crop_never_leaves_its_picture(a: float, b: float, c: float, d: float, width: int, height: int) -> None:
    """Wherever the face is."""
    part = crop(face(min(a, c), min(b, d), max(a, c), max(b, d), width, height), 96)

    assert part
    assert part.x >= 0
    assert part.y >= 0
    assert part.side >= 1
    assert part.x + part.side <= width + 2
    assert part.y + part.side <= height + 2
