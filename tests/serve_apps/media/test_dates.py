"""Times as cameras, phones, messengers and editors write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from serve_apps.media.dates import of_exif, of_iso, of_mtime, of_name, plausible, taken

MOMENT = datetime(2024, 5, 6, 7, 8, 9)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("IMG_20240506_070809.jpg", MOMENT),
        ("20240506_070809(0).jpg", MOMENT),
        ("VID_20240506_070809_HDR.mp4", MOMENT),
        ("PXL_20240506_070809123.jpg", MOMENT.replace(microsecond=123_000, tzinfo=UTC)),
        ("Screenshot_20240506-070809.png", MOMENT),
        ("Screenshot 2024-05-06 at 07.08.09.png", MOMENT),
        ("Screenshot 2024-05-06 at 7.08.09 AM.png", MOMENT),
        ("Screenshot 2024-05-06 at 7.08.09\u202fPM.png", MOMENT.replace(hour=19)),
        ("Screenshot 2024-05-06 at 10.08.09 PM (2).png", MOMENT.replace(hour=22)),
        ("Screenshot 2024-05-06 at 12.08.09 a.m..png", MOMENT.replace(hour=0)),
        ("WhatsApp Image 2024-05-06 at 12.08.09 pm.jpeg", MOMENT.replace(hour=12)),
        ("WhatsApp Image 2024-05-06 at 22.08.09 PM.jpeg", MOMENT.replace(hour=22)),
        ("20240506_070809 pmoore.jpg", MOMENT),
        ("2024-05-06 07.08.09.jpg", MOMENT),
        ("photo_2024-05-06_07-08-09.jpg", MOMENT),
        ("signal-2024-05-06-070809.jpg", MOMENT),
        ("WhatsApp Image 2024-05-06 at 07.08.09.jpeg", MOMENT),
        ("2024-05-06T07:08:09.jpg", MOMENT),
        ("1714979289123.jpg", MOMENT.replace(microsecond=123_000, tzinfo=UTC)),
        ("FB_IMG_1714979289123.jpg", MOMENT.replace(microsecond=123_000, tzinfo=UTC)),
        ("IMG-20240506-WA0001.jpg", datetime(2024, 5, 6)),
        ("holiday 2024-05-06.jpg", datetime(2024, 5, 6)),
        ("IMG_20240506_994242.jpg", datetime(2024, 5, 6)),
        ("2019-01-01 old phone/IMG-20240506-WA0001.jpg", datetime(2024, 5, 6)),
        ("2019/PXL_20240506_070809123.jpg", MOMENT.replace(microsecond=123_000, tzinfo=UTC)),
        ("2019-01-01 old phone/DSC_0123.jpg", None),
        ("DSC_0123.jpg", None),
        ("IMG_20241306_070809.jpg", None),
        ("IMG_20240230_070809.jpg", None),
        ("report 12024050612.jpg", None),
        ("3024-05-06.jpg", None),
        ("a" * 255, None),
    ],
)
def test_a_name_says_when(name: str, moment: datetime | None) -> None:
    """Phones that name by UTC are known; a day alone begins at midnight; impossible days are none.

    Clocks may go to twelve twice. Folders are named after when they were made, so they say nothing.
    """
    assert of_name(name) == moment


@pytest.mark.parametrize(
    ("text", "subseconds", "offset", "moment"),
    [
        ("2024:05:06 07:08:09", "", "", MOMENT),
        ("2024:05:06 07:08:09", "5", "", MOMENT.replace(microsecond=500_000)),
        ("2024:05:06 07:08:09", "123456789", "+05:45", MOMENT.replace(
            microsecond=123_456, tzinfo=timezone(timedelta(hours=5, minutes=45)))),
        ("2024:05:06 07:08:09", " x", "-0330", MOMENT.replace(tzinfo=timezone(-timedelta(hours=3.5)))),
        ("2024-05-06T07:08:09", "", "Z", MOMENT.replace(tzinfo=UTC)),
        ("2024:05:06 07:08:09", "", "+99:00", MOMENT),
        ("2024:05:06 07:08", "", "", datetime(2024, 5, 6, 7, 8)),
        ("2024:05:06 07:08:60", "5", "", datetime(2024, 5, 6, 7, 8, 59, 500_000)),
        ("2024:05:06 07:08:61", "", "", None),
        ("0000:00:00 00:00:00", "", "", None),
        ("2024:02:30 07:08:09", "", "", None),
        ("    :  :     :  :  ", "", "", None),
        ("", "", "", None),
    ],
)  # fmt: skip
def test_exif_says_when(text: str, subseconds: str, offset: str, moment: datetime | None) -> None:
    """Sub-seconds and offset are optional, and nonsense in them does no harm."""
    assert of_exif(text, subseconds, offset) == moment


def test_iso_times_may_be_short_but_not_shorter_than_a_day() -> None:
    """XMP allows a year or a month alone; those are no moments."""
    assert of_iso("2024-05-06") == datetime(2024, 5, 6)
    assert of_iso(" 2024-05-06T07:08:09.5+0200 ") == datetime(2024, 5, 6, 5, 8, 9, 500_000, UTC)
    assert of_iso("2024-05-06T07:59:60Z") == datetime(2024, 5, 6, 7, 59, 59, tzinfo=UTC)
    assert of_iso("2024-05") is None
    assert of_iso("May") is None


@pytest.mark.parametrize(
    "moment",
    [None, datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), datetime(1700, 1, 1), datetime(2200, 1, 1),
     datetime(1904, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)],
)  # fmt: skip
def test_times_nobody_can_have_meant_are_none(moment: datetime | None) -> None:
    """Before photography, far in the future, or the zero of some clock."""
    assert plausible(moment) is None


def test_a_moment_is_kept_in_utc_with_the_offset_it_had() -> None:
    """A wall clock without an offset is kept as if it were UTC, and its offset is None."""
    east = taken(MOMENT.replace(tzinfo=timezone(timedelta(hours=2))), "exif")
    assert (east.taken_at, east.taken_offset_min) == (datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC), 120)
    wall = taken(MOMENT, "xmp")
    assert (wall.taken_at, wall.taken_offset_min) == (MOMENT.replace(tzinfo=UTC), None)
    assert taken(of_mtime(0), "mtime").taken_source == ""


def test_an_mtime_keeps_its_microseconds() -> None:
    """Also before 1970, and none that no calendar has."""
    assert of_mtime(1_714_979_289_123_456_789) == datetime(2024, 5, 6, 7, 8, 9, 123_456, UTC)
    assert of_mtime(-1_000_000_000) == datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert of_mtime(1 << 80) is None
