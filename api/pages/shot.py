"""What is known of how, when and where a photo was taken, in the words that its page shows. Draws no map."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from api.pages.words import WORDS

SOURCES = {"name": "photo.taken_name", "mtime": "photo.taken_mtime", "xmp": "photo.taken_xmp"}  # that are worth a word
SHORT_S = 0.3  # exposures from here on are told as fractions of a second
MEGA = 1_000_000


class Taken(msgspec.Struct, frozen=True):
    """When a photo was taken, by the clock of the place."""

    day: str  # "" when unknown
    clock: str
    zone: str  # "UTC+2"; "" when unknown
    source: str  # how it is known, where that is worth a word
    iso: str  # for machines


def taken(detail: Mapping[str, Any]) -> Taken:
    """When a photo of the API was taken."""
    moment, offset, source = detail["photo"]["taken_at"], detail["photo"]["taken_offset_min"], detail["taken_source"]
    if moment is None:
        return Taken("", "", "", "", "")
    local = datetime.fromisoformat(moment).astimezone(UTC) + clamped(offset)
    day, clock = (local.strftime(WORDS(key)) for key in ("photo.date_format", "photo.time_format"))
    told = WORDS(SOURCES[source]) if source in SOURCES else ""
    return Taken(day, clock, zone(offset), told, local.replace(tzinfo=None).isoformat(timespec="seconds"))


def clamped(minutes: int | None) -> timedelta:
    """An offset that no date of ours overflows by."""
    return timedelta(minutes=min(900, max(-900, minutes or 0)))


def zone(minutes: int | None) -> str:
    """An offset as people write it: UTC+5:30."""
    if minutes is None:
        return ""
    hours, rest = divmod(abs(minutes), 60)
    return "UTC" + (f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "") if minutes else "")


def camera(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the camera noted: what it is, and its value."""
    return [(WORDS(f"photo.{name}"), text) for name, text in noted(detail["exif"]) if text]


def noted(exif: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The camera's notes by name, "" where there is none."""
    make, model = exif["camera_make"], exif["camera_model"]
    brand = make.partition(" ")[0].casefold()  # "NIKON CORPORATION" makes a "NIKON D750"
    yield "camera", model if brand and model.casefold().startswith(brand) else f"{make} {model}".strip()
    yield "lens", exif["lens"]
    yield "aperture", WORDS("photo.aperture_of", n=plain(exif["f_number"])) if exif["f_number"] else ""
    yield "exposure", exposure(exif["exposure_s"]) if exif["exposure_s"] else ""
    yield "iso", WORDS("photo.iso_of", n=exif["iso"]) if exif["iso"] else ""
    yield "focal", WORDS("photo.focal_of", n=plain(exif["focal_mm"])) if exif["focal_mm"] else ""


def exposure(seconds: float) -> str:
    """How long light came in: 1/250 s, 2.5 s."""
    if 0 < seconds < SHORT_S:
        return WORDS("photo.exposure_part", n=round(1 / seconds))
    return WORDS("photo.exposure_whole", n=plain(seconds))


def plain(value: float) -> str:
    """A number without needless places."""
    return f"{value:.1f}".removesuffix(".0")


def picture(photo: Mapping[str, Any]) -> str:
    """How large a photo is, in pixels and, where that is more than one, megapixels."""
    width, height = photo["width"], photo["height"]
    if not width or not height:
        return ""
    pixels = WORDS("photo.pixels_of", width=width, height=height)
    mega = width * height / MEGA
    return f"{pixels}, {WORDS('photo.megapixels', n=plain(mega))}" if mega >= 1 else pixels


def where(position: Mapping[str, Any] | None) -> list[str]:
    """A position as people write it, and its height."""
    if position is None:
        return []
    latitude, longitude, altitude = position["latitude"], position["longitude"], position["altitude"]
    north = WORDS("photo.north" if latitude >= 0 else "photo.south", n=f"{abs(latitude):.4f}")
    east = WORDS("photo.east" if longitude >= 0 else "photo.west", n=f"{abs(longitude):.4f}")
    if altitude is None:
        return [f"{north}, {east}"]
    return [f"{north}, {east}", WORDS("photo.height" if altitude >= 0 else "photo.depth", n=f"{abs(altitude):,.0f}")]
