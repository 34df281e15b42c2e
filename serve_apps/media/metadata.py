"""One answer out of several sources that each know a part: who is believed for what, and faces turned upright.

The order for the time is fixed: EXIF, the container, XMP, the file's name, its mtime. For everything else a sidecar
comes first, because a person wrote it later. Leaves out reading any of the sources.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from serve_apps.media import dates
from serve_apps.media.picture import SIDEWAYS, UPRIGHT
from serve_apps.media.protocol import Metadata, Region
from serve_apps.media.texts import names
from serve_apps.media.xmp import Packet

SINGLE = (  # fields of which the first that says anything is taken
    "camera_make", "camera_model", "lens", "iso", "f_number", "exposure_s", "focal_mm", "rating", "live_id", "title",
    "description", "duration_s",
)  # fmt: skip


class Packets(NamedTuple):
    """The XMP beside a picture and the XMP inside it."""

    sidecar: Packet
    inside: Packet


def merged(exif: Metadata, container: Metadata, packets: Packets, name: str, mtime_ns: int) -> Metadata:
    """What is known of a file but for its regions, which are still in the coordinates of their packet."""
    sidecar, inside = (packet.metadata for packet in packets)
    found = (sidecar, exif, container, inside)
    when = taken((exif, container, inside, sidecar), name, mtime_ns)
    where = next((source for source in found if source.latitude is not None), Metadata())
    single = {key: next(filter(is_said, (getattr(source, key) for source in found)), None) for key in SINGLE}
    return Metadata(
        taken_at=when.taken_at,
        taken_offset_min=when.taken_offset_min,
        taken_source=when.taken_source,
        latitude=where.latitude,
        longitude=where.longitude,
        altitude=where.altitude,
        orientation=exif.orientation,
        keywords=names(word for source in found for word in source.keywords),
        **{key: value for key, value in single.items() if value is not None},
    )


def is_said(value: object) -> bool:
    """Whether a field says anything; a rating or an altitude of 0 does."""
    return value not in (None, "")


def taken(sources: Sequence[Metadata], name: str, mtime_ns: int) -> Metadata:
    """The time of the first source that has one, else that of the file's name, else its mtime."""
    last = (dates.taken(dates.of_name(name), "name"), dates.taken(dates.of_mtime(mtime_ns), "mtime"))
    return next((source for source in (*sources, *last) if source.taken_at), Metadata())


def upright_regions(packets: Packets, orientation: int, width: int, height: int) -> list[Region]:
    """The faces of the first packet that names any, as fractions of the upright picture of this width and height.

    Editors draw on the stored picture. Where their dimensions show that they drew on the upright one, nothing is
    turned.
    """
    packet = next((packet for packet in packets if packet.metadata.regions), Packet())
    turn = turn_of(packet.dimensions, orientation, width, height)
    return [turned(region, turn) for region in packet.metadata.regions]


def turn_of(dimensions: tuple[float, float] | None, orientation: int, width: int, height: int) -> int:
    """The orientation of the picture that regions were drawn on, given its dimensions and the upright ones.

    A square one is the stored one: its dimensions show nothing.
    """
    if orientation in SIDEWAYS and dimensions and width != height:
        drawn_upright = (width > height) == (dimensions[0] > dimensions[1])
        return UPRIGHT if drawn_upright else orientation
    return orientation


def turned(region: Region, orientation: int) -> Region:
    """A region of the stored picture as one of the upright picture."""
    left, top, right, bottom = region.left, region.top, region.right, region.bottom
    if orientation in SIDEWAYS:  # transposed first, then mirrored as below
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 6, 7):
        left, right = 1 - right, 1 - left
    if orientation in (3, 4, 7, 8):
        top, bottom = 1 - bottom, 1 - top
    return msgspec.structs.replace(region, left=left, top=top, right=right, bottom=bottom)
