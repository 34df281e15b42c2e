"""What the parent and its decode child say to each other: a few structs, length first, as MessagePack.

The child is not believed: every answer is decoded against these types, whose texts and lists are bounded, and pickle is
nowhere near. Leaves out how long either side waits (box.py) and what the child may do (child.py).
"""

import math
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from serve_apps.media.kinds import MediaKind

MAX_MESSAGE = 4 << 20  # bytes of one answer; the bounds below keep it well under
LENGTH_BYTES = 4
BAD_SIDECAR = "bad-sidecar"  # a flag: the photo was decoded without it

Name: TypeAlias = Annotated[str, Meta(max_length=200)]
Line: TypeAlias = Annotated[str, Meta(max_length=500)]
Paragraph: TypeAlias = Annotated[str, Meta(max_length=4000)]
ContentId: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Fraction: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Side: TypeAlias = Annotated[int, Meta(ge=1, le=1 << 31)]
Bytes: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 62)]
Reason: TypeAlias = Literal["unreadable", "too large", "memory", "storage"]


class Region(msgspec.Struct, frozen=True):
    """A named face: edges as fractions of the width and height of the upright picture."""

    name: Name
    left: Fraction
    top: Fraction
    right: Fraction
    bottom: Fraction


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself; None and empty mean that it does not say.

    Times are UTC; a time without an offset is the camera's wall clock read as UTC, and `taken_offset_min` is None then.
    """

    taken_at: datetime | None = None
    taken_offset_min: Annotated[int, Meta(ge=-1440, le=1440)] | None = None
    taken_source: Literal["", "exif", "quicktime", "xmp", "name", "mtime"] = ""
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    altitude: Annotated[float, Meta(ge=-20_000, le=1_000_000)] | None = None  # metres, below the sea negative
    camera_make: Name = ""
    camera_model: Name = ""
    lens: Name = ""
    iso: Annotated[int, Meta(ge=0, le=(1 << 31) - 1)] | None = None
    f_number: Annotated[float, Meta(ge=0, le=1e4)] | None = None
    exposure_s: Annotated[float, Meta(ge=0, le=1e7)] | None = None
    focal_mm: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    rating: Annotated[int, Meta(ge=-1, le=5)] | None = None  # -1: rejected
    orientation: Annotated[int, Meta(ge=1, le=8)] = 1  # as EXIF counts
    keywords: Annotated[list[Name], Meta(max_length=500)] = []
    regions: Annotated[list[Region], Meta(max_length=500)] = []
    live_id: Name = ""
    title: Line = ""
    description: Paragraph = ""
    duration_s: Annotated[float, Meta(ge=0, le=1e9)] | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that are no numbers: bounds let NaN through."""
        numbers = (self.latitude, self.longitude, self.altitude, self.f_number, self.exposure_s, self.focal_mm)
        if any(number is not None and math.isnan(number) for number in (*numbers, self.duration_s)):
            raise ValueError("a number is not a number")


class DecodeRequest(msgspec.Struct, frozen=True, tag="decode"):
    """Read, hash and decode a file, and write its derived pictures."""

    path: bytes
    sidecar: bytes | None
    name: str  # what people call the file; dates are read from it
    force: bool  # write derived pictures anew though they are there
    cpu_s: int
    expected: str = ""  # the content id that the file must have, if it matters


class IdentifyRequest(msgspec.Struct, frozen=True, tag="identify"):
    """Read and hash a file, and what metadata costs next to nothing."""

    path: bytes
    cpu_s: int


class RgbRequest(msgspec.Struct, frozen=True, tag="rgb"):
    """Decode a file to pixels, left in the shared memory."""

    path: bytes
    longest: int
    name: str  # what people call the file: its ending tells camera RAW from other TIFF files
    cpu_s: int


class Setup(msgspec.Struct, frozen=True):
    """What a child is told once: where derived pictures go, how large they are, and its limits."""

    parent_pid: int
    derived: bytes
    preview_px: int
    big_px: int
    square_px: int
    small_px: int
    quality: int
    max_pixels: int
    max_file_bytes: int
    memory_bytes: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The child has started."""


class Decoded(msgspec.Struct, frozen=True, tag="decoded"):
    """A file that was decoded and whose derived pictures are there."""

    content_id: ContentId
    size: Bytes
    mtime_ns: int
    kind: MediaKind
    format: Annotated[str, Meta(max_length=16)]
    width: Side  # of the whole picture, upright
    height: Side
    metadata: Metadata
    flags: Annotated[list[Name], Meta(max_length=16)]  # truncated, damaged, preview-only, bad-xmp, bad-sidecar
    derived: Annotated[dict[Name, Bytes], Meta(max_length=8)]  # size name -> bytes of the file
    placeholder: Annotated[str, Meta(pattern="^([0-9A-Za-z+/]{32})?$", max_length=32)] = ""  # see placeholder.py


class Identity(msgspec.Struct, frozen=True, tag="identity"):
    """Which bytes a file holds."""

    content_id: ContentId
    size: Bytes
    mtime_ns: int
    metadata: Metadata | None


class Pixels(msgspec.Struct, frozen=True, tag="pixels"):
    """(height, width, 3) bytes lie in the shared memory: upright, sRGB."""

    height: Annotated[int, Meta(ge=1, le=1 << 14)]
    width: Annotated[int, Meta(ge=1, le=1 << 14)]


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """Why a file cannot be read, in words for a person."""

    reason: Reason
    sentence: Line


Request: TypeAlias = DecodeRequest | IdentifyRequest | RgbRequest
Answer: TypeAlias = Ready | Decoded | Identity | Pixels | Failure

requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
setups = msgspec.msgpack.Decoder(Setup)


def framed(message: Request | Answer | Setup) -> bytes:
    """A message as it goes over the socket: its length, then itself."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "little") + body
