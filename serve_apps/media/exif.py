"""EXIF by exifread, of a TIFF block or a TIFF-like file: time, place, camera, exposure, rating, orientation.

Maker notes are never read (`details=False`): they can hang the reader; live.py takes the one tag we want from them.
Leaves out XMP (xmp.py).
"""

import io
import math
import struct
from collections.abc import Mapping
from typing import Any, TypeAlias

import exifread
from exifread.core.exceptions import ExifError

from serve_apps.media.dates import of_exif, taken
from serve_apps.media.live import live_id
from serve_apps.media.protocol import Metadata
from serve_apps.media.texts import name, number, paragraph, within

Tags: TypeAlias = Mapping[str, Any]

FAULTS = (  # what a damaged block makes exifread raise
    ExifError, ArithmeticError, LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError,
    struct.error,
)  # fmt: skip
TIMES = (  # time, sub-seconds, offset: when the shutter opened, when it was digitized, when it was last changed
    ("EXIF DateTimeOriginal", "EXIF SubSecTimeOriginal", "EXIF OffsetTimeOriginal"),
    ("Image DateTimeOriginal", "EXIF SubSecTimeOriginal", "EXIF OffsetTimeOriginal"),
    ("EXIF DateTimeDigitized", "EXIF SubSecTimeDigitized", "EXIF OffsetTimeDigitized"),
    ("Image DateTime", "EXIF SubSecTime", "EXIF OffsetTime"),
)
BELOW_SEA = 1  # GPSAltitudeRef
STARS = {25: 2, 50: 3, 75: 4, 99: 5}  # ratings written as percent


def read(block: bytes) -> Metadata:
    """The metadata of an EXIF block; empty when there is none or it cannot be read."""
    if not block:
        return Metadata()
    try:
        tags: Tags = exifread.process_file(io.BytesIO(block), details=False, extract_thumbnail=False)
    except FAULTS:
        return Metadata()
    return metadata_of(tags, live_id(block))


def metadata_of(tags: Tags, live: str) -> Metadata:
    """The tags as metadata."""
    when = time_of(tags)
    latitude, longitude, altitude = position_of(tags)
    return Metadata(
        taken_at=when.taken_at,
        taken_offset_min=when.taken_offset_min,
        taken_source=when.taken_source,
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        camera_make=name(text(tags, "Image Make")),
        camera_model=name(text(tags, "Image Model")),
        lens=name(text(tags, "EXIF LensModel")) or name(text(tags, "Image LensModel")),
        iso=whole(first(tags, "EXIF ISOSpeedRatings", "Image ISOSpeedRatings"), 1, (1 << 31) - 1),
        f_number=within(first(tags, "EXIF FNumber", "Image FNumber"), 0.01, 1e4) or aperture(tags),
        exposure_s=within(first(tags, "EXIF ExposureTime", "Image ExposureTime"), 1e-9, 1e7) or shutter(tags),
        focal_mm=within(first(tags, "EXIF FocalLength", "Image FocalLength"), 0.01, 1e6),
        rating=stars(tags),
        orientation=whole(first(tags, "Image Orientation"), 1, 8) or 1,
        live_id=live,
        description=paragraph(text(tags, "Image ImageDescription")),
    )


def time_of(tags: Tags) -> Metadata:
    """The first plausible time among the tags, with its sub-seconds and offset."""
    for time, subseconds, offset in TIMES:
        found = taken(of_exif(text(tags, time), text(tags, subseconds), text(tags, offset)), "exif")
        if found.taken_at:
            return found
    return Metadata()


def position_of(tags: Tags) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude, altitude in degrees and metres; all None without a fix."""
    latitude = degrees(tags, "GPS GPSLatitude", "S", 90)
    longitude = degrees(tags, "GPS GPSLongitude", "W", 180)
    if latitude is None or longitude is None or latitude == longitude == 0:  # cameras without a fix write zeros
        return None, None, None
    altitude = within(first(tags, "GPS GPSAltitude"), -20_000, 1_000_000)
    below = number(first(tags, "GPS GPSAltitudeRef")) == BELOW_SEA
    return latitude, longitude, -altitude if altitude is not None and below else altitude


def degrees(tags: Tags, tag: str, negative: str, most: float) -> float | None:
    """Degrees, minutes and seconds with their hemisphere as one signed number."""
    parts = [number(value) for value in values(tags, tag)[:3]]
    known = [part for part in parts if part is not None and part >= 0]
    if not known or len(known) != len(parts):
        return None
    angle = math.fsum(part / 60**power for power, part in enumerate(known))
    hemisphere = text(tags, tag + "Ref").strip().upper()  # some write whole words
    return within(-angle if hemisphere.startswith(negative) else angle, -most, most)


def aperture(tags: Tags) -> float | None:
    """The f-number of an APEX aperture."""
    apex = within(first(tags, "EXIF ApertureValue"), 0.01, 20)
    return round(2 ** (apex / 2), 1) if apex else None


def shutter(tags: Tags) -> float | None:
    """The exposure time in seconds of an APEX shutter speed."""
    apex = within(first(tags, "EXIF ShutterSpeedValue"), -20, 20)
    return round(2**-apex, 9) if apex else None


def stars(tags: Tags) -> int | None:
    """The rating from 0 to 5."""
    found = whole(first(tags, "Image Rating"), 0, 99)
    return STARS.get(found, found if found <= 5 else None) if found is not None else None


def whole(value: object, least: int, most: int) -> int | None:
    """A whole number between two bounds, else None."""
    found = within(value, least, most)
    return None if found is None else round(found)


def first(tags: Tags, *names: str) -> object:
    """The first value of the first of these tags that is there."""
    return next((value for tag in names for value in values(tags, tag)[:1]), None)


def values(tags: Tags, tag: str) -> list[object]:
    """A tag's values; exifread wraps those of some types once more."""
    found = getattr(tags.get(tag), "values", [])
    listed = found if isinstance(found, list) else [found]
    return [value[0] if isinstance(value, tuple) and value else value for value in listed]


def text(tags: Tags, tag: str) -> str:
    """A tag's text, empty when it has none."""
    found = getattr(tags.get(tag), "values", "")
    if isinstance(found, bytes):
        return found.decode("latin-1")
    return found if isinstance(found, str) else ""
