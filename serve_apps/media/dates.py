"""When a picture was taken, from whatever says so: EXIF, ISO 8601, QuickTime, a file's name, its mtime.

A time without an offset is the camera's wall clock; it is kept as if it were UTC, and its offset is None.
Leaves out which of several times wins (metadata.py).
"""

import re
from datetime import UTC, datetime, timedelta

from serve_apps.media.protocol import Metadata

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = datetime(1826, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)  # the first photograph; a slip
NEVER = (datetime(1904, 1, 1, tzinfo=UTC), EPOCH)  # zero in QuickTime's clock, in Unix's
EXIF_TIME = re.compile(r"(\d{4})[:\-/.](\d\d)[:\-/.](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?")
LEAP_SECOND = re.compile(r"(?<=\d\d:\d\d):60")
OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)$")
NAME_SECOND = re.compile(
    r"(?<!\d)((?:18|19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
    r"(?:[ _.\-T]|\s?at\s){0,3}([01]\d|2[0-3]|\d(?=[.:]))[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d)[-_.]?(\d{3})?(?!\d)"
    r"(?:\s?([AaPp])\.?\s?[Mm](?![A-Za-z]))?"
)
NAME_DAY = re.compile(r"(?<!\d)((?:18|19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
NAME_EPOCH = re.compile(r"(?<!\d)(1\d{9})(\d{3})(?!\d)")  # milliseconds since 1970, 2001 to 2033: messengers
ZONED = ("exif", "quicktime", "xmp")  # sources whose offset is that of the place; the others only know UTC
UTC_NAMES = ("PXL_",)  # phones that name their pictures by UTC


def plausible(moment: datetime | None) -> datetime | None:
    """The moment in UTC, None when no camera can have meant it."""
    if moment is None:
        return None
    try:
        utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
    return utc if EARLIEST <= utc < LATEST and utc not in NEVER else None


def taken(moment: datetime | None, source: str) -> Metadata:
    """Metadata of a moment and where it was found; empty when it is not plausible."""
    at = plausible(moment)
    if moment is None or at is None:
        return Metadata()
    offset = moment.utcoffset() if source in ZONED else None
    minutes = round(offset.total_seconds() / 60) if offset is not None else None
    return Metadata(taken_at=at, taken_offset_min=minutes, taken_source=source)  # type: ignore[arg-type]


def of_exif(text: str, subseconds: str, offset: str) -> datetime | None:
    """The moment of EXIF's three texts: `2024:05:06 07:08:09`, `123`, `+02:00`."""
    found = EXIF_TIME.match(text.strip())
    if not found:
        return None
    year, month, day, hour, minute, second = found.groups()
    digits = re.match(r"\d{0,6}", subseconds.strip())
    fraction = digits[0].ljust(6, "0") if digits else "000000"
    return of_iso(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}.{fraction}{iso_offset(offset.strip())}")


def iso_offset(text: str) -> str:
    """`+02:00`, `+0200` or `Z` as ISO 8601 has it; empty for anything else."""
    found = OFFSET.match(text)
    if found and int(found[2]) <= 14 and int(found[3]) <= 59:
        return f"{found[1]}{found[2]}:{found[3]}"
    return "+00:00" if text in ("Z", "z") else ""


def of_iso(text: str) -> datetime | None:
    """The moment of an ISO 8601 text with at least a day; None for anything else. A leap second is the one before."""
    try:
        return datetime.fromisoformat(LEAP_SECOND.sub(":59", text.strip()))
    except ValueError:
        return None


def of_name(name: str) -> datetime | None:
    """The moment in a file's name, as phones, messengers and screenshots write them; a path's folders say nothing."""
    name = name.rpartition("/")[2]
    if found := NAME_SECOND.search(name):
        year, _, month, day, hour, minute, second, milli, half = found.groups()
        offset = "+00:00" if name.startswith(UTC_NAMES) else ""
        time = f"{of_24(int(hour), half):02}:{minute}:{second}.{milli or '000'}"
        return of_iso(f"{year}-{month}-{day}T{time}{offset}")
    if found := NAME_EPOCH.search(name):
        return EPOCH + timedelta(seconds=int(found[1]), milliseconds=int(found[2]))
    found = NAME_DAY.search(name)
    return of_iso(f"{found[1]}-{found[3]}-{found[4]}") if found else None


def of_24(hour: int, half: str | None) -> int:
    """The hour of the day, where `half` may be the A or P of a clock that goes to twelve twice."""
    if half is None or not 1 <= hour <= 12:
        return hour
    return hour % 12 + (12 if half in "Pp" else 0)


def of_mtime(mtime_ns: int) -> datetime | None:
    """The moment a file was last written."""
    try:
        return EPOCH + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:
        return None
