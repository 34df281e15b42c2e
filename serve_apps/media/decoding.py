"""What the child does with a file: read it once, decode it once, and everything that follows from these two.

Each request is one function here. Leaves out the process around it (child.py) and the libraries behind it, which have a
module each.
"""

import os
from pathlib import PurePath

import msgspec
from PIL import Image as Pil

from cluster.errors import TooLarge, Unreadable
from serve_apps.media import exif, jpeg, metadata, vips, xmp
from serve_apps.media.colour import to_srgb
from serve_apps.media.derive import derive
from serve_apps.media.kinds import Format, kind_of, looks_like_text, sniff
from serve_apps.media.picture import SIDEWAYS, Image, Picture, pixels_of, resized, upright
from serve_apps.media.placeholder import placeholder
from serve_apps.media.protocol import (
    BAD_SIDECAR,
    Decoded,
    DecodeRequest,
    IdentifyRequest,
    Identity,
    Metadata,
    RgbRequest,
    Setup,
)
from serve_apps.media.source import Source
from serve_apps.media.texts import name as cleaned

OTHER = "the file was changed since it was scanned; scan again"


def decode(request: DecodeRequest, setup: Setup) -> Decoded:
    """Read, hash and decode a file, write its derived pictures, merge its metadata; raises Unreadable, TooLarge."""
    name = request.name or displayed(request.path)
    with Source(request.path) as source:
        format = recognised(source, name)
        picture, content_id = read(source, format, setup.preview_px, setup)
    if request.expected not in ("", content_id):
        raise Unreadable(OTHER)
    own = exif.read(picture.exif)
    orientation = picture.orientation or own.orientation
    sides = (picture.width, picture.height)
    width, height = reversed(sides) if orientation in SIDEWAYS else sides
    packets, broken = packets_of(picture, request.sidecar)
    known = metadata.merged(own, picture.facts, packets, name, source.mtime_ns)
    turn = orientation if format.kind == "video" else own.orientation
    regions = metadata.upright_regions(packets, turn, width, height)
    return Decoded(
        content_id=content_id,
        size=source.size,
        mtime_ns=source.mtime_ns,
        kind=format.kind,
        format=format.name,
        width=width,
        height=height,
        metadata=msgspec.structs.replace(known, orientation=turn, regions=regions),
        flags=[*picture.flags, *broken],
        derived=derive(picture, orientation, content_id, setup, request.force),
        placeholder=placeholder(picture, orientation),
    )


def identify(request: IdentifyRequest) -> Identity:
    """Read and hash a file; a sidecar's and a video's metadata come with it. Raises Unreadable.

    Regions of a sidecar are in its own coordinates: without its picture nobody knows which way is up.
    """
    name = displayed(request.path)
    with Source(request.path) as source:
        if kind_of(name) == "xmp":
            data, content_id = source.read(xmp.MAX_PACKET, xmp.TOO_LONG)
            return Identity(content_id, source.size, source.mtime_ns, xmp.read(data).metadata)
        content_id, format = source.content_id(), sniff(source.head(), name)
        known = video_facts(source, format) if format and format.kind == "video" else None
        source.must_be_unchanged()
        return Identity(content_id, source.size, source.mtime_ns, known)


def rgb(request: RgbRequest, setup: Setup) -> Image:
    """(H, W, 3) of a file with a longest side of at most `longest`, upright, in sRGB; raises Unreadable, TooLarge."""
    with Source(request.path) as source:
        name = request.name or displayed(request.path)
        picture, _ = read(source, recognised(source, name), request.longest, setup)
    small = resized(Pil.fromarray(picture.pixels), request.longest)
    orientation = picture.orientation or exif.read(picture.exif).orientation
    return to_srgb(pixels_of(upright(small, orientation)), picture.profile)


def displayed(path: bytes) -> str:
    """A path's last part as text; bytes that are no UTF-8 are shown as such."""
    return cleaned(os.path.basename(path).decode("utf-8", "backslashreplace"))


def recognised(source: Source, name: str) -> Format:
    """What a file's first bytes say it is; raises Unreadable when it is no picture and no video."""
    head = source.head()
    if format := sniff(head, name):
        return format
    if not head:
        raise Unreadable("the file is empty (0 bytes); restore it from a backup, or delete it")
    what = "text" if looks_like_text(head) else "no picture or video of a kind that Brightroom knows"
    ending = PurePath(name).suffix
    named = f", though its name ends in {ending!r}" if ending else ""
    raise Unreadable(f"the file is {what}{named}; restore it from a backup, or rename it")


def read(source: Source, format: Format, longest: int, setup: Setup) -> tuple[Picture, str]:
    """The picture and the content id of a file; videos are read in pieces, anything else in one."""
    if format.kind == "video":
        from serve_apps.media import video

        content_id = source.content_id()
        picture = video.decode(source.fd, format.name, longest, setup.max_pixels)
        source.must_be_unchanged()
        return picture, content_id
    data, content_id = source.read(setup.max_file_bytes)
    return decoded(data, format, longest, setup.max_pixels), content_id


def decoded(data: bytes, format: Format, longest: int, max_pixels: int) -> Picture:
    """The picture in these bytes, by the library for its format."""
    if format.kind == "raw":
        from serve_apps.media import raw

        return raw.decode(data, longest, max_pixels)
    if format.name == "jpeg":
        return jpeg.decode(data, longest, max_pixels)
    if format.name == "heic":
        from serve_apps.media import heif

        return heif.decode(data, longest, max_pixels)
    if format.name in ("bmp", "jp2"):
        from serve_apps.media import bitmap

        return bitmap.decode(data, format.name, max_pixels)
    return vips.decode(data, format.name, longest, max_pixels)


def video_facts(source: Source, format: Format) -> Metadata | None:
    """What a video says of itself; None when it cannot be opened."""
    from serve_apps.media import video

    try:
        return video.facts(source.fd, format.name)
    except Unreadable:
        return None


def packets_of(picture: Picture, sidecar: bytes | None) -> tuple[metadata.Packets, list[str]]:
    """What the sidecar and the packet inside the picture say, and flags: a broken one costs only itself."""
    inside, outside, flags = xmp.Packet(), xmp.Packet(), []
    if picture.xmp:
        try:
            inside = xmp.read(picture.xmp)
        except Unreadable:
            flags.append("bad-xmp")
    if sidecar is not None:
        try:
            with Source(sidecar) as source:
                outside = xmp.read(source.read(xmp.MAX_PACKET, xmp.TOO_LONG)[0])
        except (Unreadable, TooLarge):
            flags.append(BAD_SIDECAR)
    return metadata.Packets(outside, inside), flags
