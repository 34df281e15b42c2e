"""A piece of our map of the world around a place, as the numbers of an SVG; the map is `pictures/world.svg`.

A unit is a tenth of a degree. A piece is twice as wide as high, and squeezed as much as degrees are narrower there.
"""

from collections.abc import Mapping
from math import cos, radians
from typing import Any

import msgspec

HIGH = 120  # units
AROUND = 3600  # units around the world
BEYOND = 200  # how far land goes on beyond the map's edges
NARROWEST = 0.2  # of a degree's width at the equator


class Piece(msgspec.Struct, frozen=True):
    """A piece of the map, and where the map is to be drawn again so that it goes on at its edges."""

    x: int
    y: int
    width: int
    height: int
    copies: list[int]


def piece(position: Mapping[str, Any] | None) -> Piece | None:
    """The piece around a position of the API; None for none."""
    if position is None:
        return None
    latitude, longitude = position["latitude"], position["longitude"]
    width = round(2 * HIGH / max(NARROWEST, cos(radians(latitude))))
    x, y = round((longitude + 180) * 10 - width / 2), round((90 - latitude) * 10 - HIGH / 2)
    beside = {-AROUND: x < BEYOND, 0: True, AROUND: x + width > AROUND - BEYOND}
    return Piece(x, y, width, HIGH, [offset for offset, drawn in beside.items() if drawn])
