"""How a photo's page tells when, where and how it was taken, and which piece of the map it shows."""

from typing import Any

import pytest

from api.pages import shot
from api.pages.world_map import AROUND, piece

NOTHING = {
    "camera_make": "", "camera_model": "", "lens": "", "iso": None, "f_number": None, "exposure_s": None,
    "focal_mm": None,
}  # fmt: skip


def detail(taken_at: str | None, offset: int | None, source: str = "exif", **exif: Any) -> dict[str, Any]:
    """What of a photo is told here."""
    photo = {"taken_at": taken_at, "taken_offset_min": offset}
    return {"photo": photo, "taken_source": source, "exif": {**NOTHING, **exif}}


@pytest.mark.parametrize(
    ("offset", "day", "clock", "zone"),
    [
        (None, "Friday, 17 May 2024", "23:30", ""),
        (0, "Friday, 17 May 2024", "23:30", "UTC"),
        (120, "Saturday, 18 May 2024", "01:30", "UTC+2"),
        (-570, "Friday, 17 May 2024", "14:00", "UTC-9:30"),
        (345, "Saturday, 18 May 2024", "05:15", "UTC+5:45"),
    ],
)
def test_a_photo_is_dated_by_the_clock_of_its_place(offset: int | None, day: str, clock: str, zone: str) -> None:
    """Midnight passes where it was taken, not where it is looked at."""
    told = shot.taken(detail("2024-05-17T23:30:00Z", offset))

    assert (told.day, told.clock, told.zone, told.source) == (day, clock, zone, "")


def test_where_a_date_comes_from_is_told_when_it_is_not_the_camera() -> None:
    """A name or a file's time may be wrong; nothing is told of no date."""
    assert "name" in shot.taken(detail("2024-05-17T12:00:00Z", None, "name")).source
    assert "noted none" in shot.taken(detail("2024-05-17T12:00:00Z", None, "mtime")).source
    assert shot.taken(detail(None, None)).day == ""


@pytest.mark.parametrize(
    ("exif", "told"),
    [
        ({"exposure_s": 0.004}, "1/250 s"),
        ({"exposure_s": 0.25}, "1/4 s"),
        ({"exposure_s": 0.5}, "0.5 s"),
        ({"exposure_s": 30.0}, "30 s"),
        ({"f_number": 1.8}, "ƒ/1.8"),
        ({"f_number": 4.0}, "ƒ/4"),
        ({"focal_mm": 5.1}, "5.1 mm"),
        ({"iso": 3200}, "ISO 3200"),
        ({"camera_make": "NIKON CORPORATION", "camera_model": "NIKON D750"}, "NIKON D750"),
        ({"camera_make": "Apple", "camera_model": "iPhone 13"}, "Apple iPhone 13"),
        ({"camera_model": "X100"}, "X100"),
        ({"camera_make": "Apple"}, "Apple"),
    ],
)
def test_the_camera_is_told_as_photographers_write_it(exif: dict[str, Any], told: str) -> None:
    """Fractions of a second as such, a make once, and only what is known."""
    assert [text for _, text in shot.camera(detail(None, None, **exif))] == [told]


def test_positions_are_told_by_hemisphere_and_height() -> None:
    """South and west have no minus; below the sea neither."""
    assert shot.where({"latitude": -33.86, "longitude": 151.2, "altitude": None}) == ["33.8600° S, 151.2000° E"]
    assert shot.where({"latitude": 31.5, "longitude": -35.4, "altitude": -430.2})[1] == "430 m below the sea"
    assert shot.where(None) == []


@pytest.mark.parametrize(
    ("latitude", "longitude", "copies"),
    [
        (48.0, 2.0, [0]),
        (52.0, 179.0, [0, AROUND]),
        (-18.0, -179.0, [-AROUND, 0]),
        (90.0, 0.0, [0]),
        (-90.0, 180.0, [0, AROUND]),
    ],
)
def test_the_map_goes_on_at_its_edges(latitude: float, longitude: float, copies: list[int]) -> None:
    """The place is in the middle of its piece; where 180 degrees are near, the world is drawn once more beside."""
    shown = piece({"latitude": latitude, "longitude": longitude})

    assert shown is not None
    assert abs(shown.x + shown.width / 2 - (longitude + 180) * 10) <= 1
    assert abs(shown.y + shown.height / 2 - (90 - latitude) * 10) <= 1
    assert shown.copies == copies
