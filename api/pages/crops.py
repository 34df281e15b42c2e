"""Which part of which thumbnail shows a face, as the numbers of an SVG; js/faces.js does the same for scripts."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

Shown: TypeAlias = Mapping[str, Any]  # a Cover or FaceView of the API
ROOM = 1.35  # how much more than the face is seen of the picture, so that heads keep their hair
SHARP = 1.6  # pixels of a picture for each of the page: most screens have two
BIG_PX = 500  # longest side of the big thumbnail, as MediaSettings have it


class Crop(msgspec.Struct, frozen=True):
    """A square of a picture: where it is, in the photo's own pixels, and the address of the thumbnail."""

    x: int
    y: int
    side: int
    width: int
    height: int
    address: str


def crop(face: Shown | None, size: int) -> Crop | None:
    """How a face is shown `size` pixels large; None while its photo has no pictures."""
    if not face or not face["thumbnails"] or not (face["width"] and face["height"]):
        return None
    width, height, box = face["width"], face["height"], face["box"]
    left, top, right, bottom = box["left"] * width, box["top"] * height, box["right"] * width, box["bottom"] * height
    side = min(ROOM * max(right - left, bottom - top), width, height)
    x = min(max((left + right - side) / 2, 0), width - side)
    y = min(max((top + bottom - side) / 2, 0), height - side)
    sharp = side / max(width, height) * BIG_PX >= SHARP * size
    address = face["thumbnails"]["big" if sharp else "preview"]
    return Crop(round(x), round(y), max(1, round(side)), width, height, address)
