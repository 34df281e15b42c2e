"""EXIF: time, place, camera, exposure, rating - and nothing a damaged block could do."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import piexif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serve_apps.media import exif
from serve_apps.media.protocol import Metadata

Make = Callable[..., bytes]
PARIS = {1: b"N", 2: ((48, 1), (51, 1), (3024, 100)), 3: b"E", 4: ((2, 1), (17, 1), (4020, 100))}


def read(block: bytes) -> Metadata:
    """The metadata of a block that still has its prefix."""
    return exif.read(block.removeprefix(b"Exif\0\0"))


def test_a_cameras_facts_are_read(exif_bytes: Make) -> None:
    """Make, model, lens, exposure, orientation, rating, description."""
    known = read(
        exif_bytes(
            {271: b"ACME ", 272: b"Box 1", 270: b"A door", 18246: 4},
            {33434: (1, 250), 33437: (28, 10), 34855: 400, 37386: (505, 10), 42036: b"50mm f/1.8"},
            orientation=6,
        )
    )
    assert (known.camera_make, known.camera_model, known.lens) == ("ACME", "Box 1", "50mm f/1.8")
    assert (known.exposure_s, known.f_number, known.iso, known.focal_mm) == (0.004, 2.8, 400, 50.5)
    assert (known.orientation, known.rating, known.description) == (6, 4, "A door")


def test_apex_values_stand_in_for_missing_ones(exif_bytes: Make) -> None:
    """Old cameras write logarithms."""
    known = read(exif_bytes(exif={37377: (8, 1), 37378: (3, 1)}))
    assert (known.exposure_s, known.f_number) == (2**-8, 2.8)


@pytest.mark.parametrize(
    ("gps", "position"),
    [
        ({**PARIS, 5: 0, 6: (355, 10)}, (48.8584, 2.294500, 35.5)),
        ({**PARIS, 1: b"S", 3: b"W", 5: 1, 6: (4, 1)}, (-48.8584, -2.294500, -4.0)),
        ({**PARIS, 1: b"South", 3: b"west"}, (-48.8584, -2.294500, None)),
        ({**PARIS, 1: b"north", 3: b"East"}, (48.8584, 2.294500, None)),
        ({**PARIS, 2: ((488584, 10000), (0, 1), (0, 1)), 4: ((22945, 10000), (0, 1), (0, 1))}, (48.8584, 2.2945, None)),
        ({**PARIS, 6: (1, 0)}, (48.8584, 2.294500, None)),
        ({**PARIS, 2: ((0, 1), (0, 1), (0, 1)), 4: ((0, 1), (0, 1), (0, 1))}, (None, None, None)),
        ({**PARIS, 2: ((91, 1), (0, 1), (0, 1))}, (None, None, None)),
        ({**PARIS, 2: ((0, 0), (0, 0), (0, 0))}, (None, None, None)),
        ({1: b"N", 2: PARIS[2]}, (None, None, None)),
        ({}, (None, None, None)),
    ],
)
def test_a_place_has_its_signs_or_is_none(
    exif_bytes: Make, gps: dict[int, Any], position: tuple[float | None, ...]
) -> None:
    """Hemispheres, below the sea, no fix, and nonsense."""
    known = read(exif_bytes(gps=gps))
    assert (known.latitude, known.longitude, known.altitude) == pytest.approx(position, abs=2e-6)


@pytest.mark.parametrize(
    ("zeroth", "shot", "moment", "offset"),
    [
        ({306: b"2020:01:01 00:00:00"}, {36867: b"2022:03:04 05:06:07", 37521: b"25", 36881: b"-05:30"},
         datetime(2022, 3, 4, 10, 36, 7, 250_000, UTC), -330),
        ({306: b"2020:01:01 00:00:00"}, {36868: b"2022:03:04 05:06:07", 37522: b"001"},
         datetime(2022, 3, 4, 5, 6, 7, 1000, UTC), None),
        ({306: b"2020:01:01 00:00:00"}, {36867: b"0000:00:00 00:00:00"}, datetime(2020, 1, 1, tzinfo=UTC), None),
        ({306: b"2020:01:01 00:00:00"}, {36880: b"+01:00"}, datetime(2019, 12, 31, 23, tzinfo=UTC), 60),
        ({}, {36867: b"soon"}, None, None),
    ],
)  # fmt: skip
def test_the_time_is_when_the_shutter_opened(
    exif_bytes: Make, zeroth: Any, shot: Any, moment: datetime | None, offset: int | None
) -> None:
    """Else when it was digitized, else when it was changed; each with its own sub-seconds and offset."""
    known = read(exif_bytes(zeroth, shot))
    assert (known.taken_at, known.taken_offset_min) == (moment, offset)
    assert known.taken_source == ("exif" if moment else "")


@pytest.mark.parametrize(("written", "stars"), [(0, 0), (5, 5), (25, 2), (99, 5), (6, None), (100, None)])
def test_a_rating_is_stars_or_percent(exif_bytes: Make, written: int, stars: int | None) -> None:
    """Windows writes both, and nothing else is a rating."""
    assert read(exif_bytes({18246: written})).rating == stars


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_nobody_defined_is_upright(exif_bytes: Make, orientation: int) -> None:
    """There are eight."""
    assert read(exif_bytes({274: orientation})).orientation == 1


def test_texts_that_are_no_utf_8_keep_their_letters(exif_bytes: Make) -> None:
    """Old cameras write Latin-1."""
    assert read(exif_bytes({271: "Zürich".encode("latin-1"), 272: b"a\x1b[31m\nb"})).camera_make == "Zürich"
    assert read(exif_bytes({272: b"a\x1b[31m\nb"})).camera_model == "a[31m b"


def test_a_maker_note_that_hangs_other_readers_is_not_read(exif_bytes: Make) -> None:
    """A count of 1.6 billion in a maker note costs nothing."""
    block = bytearray(exif_bytes({271: b"Canon"}, {37500: bytes(64)})[6:])
    at = block.index(b"\x92\x7c\x00\x07") + 4
    block[at : at + 4] = b"\x60\x00\x00\x3c"
    assert exif.read(bytes(block)).camera_make == "Canon"


def test_nothing_is_read_from_nothing() -> None:
    """No block, no metadata."""
    assert exif.read(b"") == Metadata()
    assert exif.read(b"not EXIF at all") == Metadata()


@given(flips=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=10), cut=st.integers(0, 700))
@settings(database=None, max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_block_gives_metadata_or_none(exif_bytes: Make, flips: list[tuple[int, int]], cut: int) -> None:
    """Whatever is in it, no exception leaves, and every field is within its bounds."""
    import msgspec

    block = bytearray(
        exif_bytes({271: b"ACME", 306: b"2020:01:01 00:00:00"}, {36867: b"2022:03:04 05:06:07"}, PARIS, orientation=3)[
            6:
        ]
    )
    for at, value in flips:
        block[at % len(block)] = value
    for data in (bytes(block), bytes(block[:cut])):
        known = exif.read(data)
        assert msgspec.convert(msgspec.to_builtins(known), Metadata) == known


def test_piexif_and_we_agree_on_a_whole_camera_file(exif_bytes: Make) -> None:
    """The block that the other tests read is one that another reader understands."""
    assert piexif.load(exif_bytes({271: b"ACME"}, gps=PARIS))["GPS"][2] == PARIS[2]
