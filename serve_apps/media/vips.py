"""PNG, WebP, GIF, TIFF, AVIF and difficult JPEG by libvips: one loader for each, chosen by us and not guessed by it.

Also turns colour spaces that are not RGB into sRGB, for the other decoders too. Leaves out HEIC and JPEG 2000, which
the libvips of the wheel cannot decode, and BMP, for which it has no loader of its own.
"""

from typing import Any

import numpy as np
import pyvips

from cluster.errors import Unreadable
from serve_apps.media.colour import transform_of
from serve_apps.media.picture import UPRIGHT, Image, Picture, fitted, must_fit

LOADERS = {
    "jpeg": "jpegload_source", "png": "pngload_source", "webp": "webpload_source", "gif": "gifload_source",
    "tiff": "tiffload_source", "avif": "heifload_source",
}  # fmt: skip
ENDS = {"jpeg": (b"\xff\xd9", 64), "png": (b"IEND", 64), "gif": (b";", 1)}  # what the last bytes of a file hold
RGB_SPACES = ("srgb", "rgb", "rgb16")
ABSOLUTE_SPACES = ("lab", "labs", "xyz")  # what their numbers mean is fixed, and no profile says more
LIGHT = (-0.25, 1.25)  # from 0 to 1, and by how much resizing overshoots
WHOLE_NUMBERS = ("uchar", "ushort")
WHITE = {"uchar": 255, "ushort": 65535}
JPEG_SHRINKS = (8, 4, 2)
ADVICE = "restore it from a backup"
PROFILE, EXIF, XMP = "icc-profile-data", "exif-data", "xmp-data"


def decode(data: bytes, format: str, longest: int, max_pixels: int, exif: bytes = b"", xmp: bytes = b"") -> Picture:
    """A picture with a longest side of `longest`, or its whole; blocks found already may be handed on.

    Raises Unreadable, TooLarge.
    """
    try:
        header = loaded(data, format)
        must_fit(header.width, header.height, max_pixels)
        pixels, profile, flags = whole_or_part(data, format, longest)
    except pyvips.Error as error:
        if "out of memory" in str(error):
            raise MemoryError from None
        raise Unreadable(f"this {format.upper()} cannot be decoded ({reason(error)}); {ADVICE}") from None
    return Picture(
        pixels=pixels,
        width=header.width,
        height=header.height,
        profile=profile,
        exif=exif or (data if format == "tiff" else block(header, EXIF).removeprefix(b"Exif\0\0")),
        xmp=xmp or block(header, XMP),
        orientation=UPRIGHT if format == "avif" else None,  # libheif has turned it
        flags=flags,
    )


def whole_or_part(data: bytes, format: str, longest: int) -> tuple[Image, bytes, tuple[str, ...]]:
    """Pixels and profile; what a damaged file still gives is taken, and flagged."""
    try:
        return *displayed(reduced(data, format, longest, "error")), ()
    except pyvips.Error:
        pixels, profile = displayed(reduced(data, format, longest, "none"))
        if format == "png" and (pixels == pixels[0, 0]).all():  # rows that cannot be decoded are left empty
            raise Unreadable(f"what is left of this PNG shows nothing; {ADVICE}") from None
        mark, tail = ENDS.get(format, (b"", 1))
        return pixels, profile, ("damaged" if mark in data[-tail:] else "truncated",)


def loaded(data: bytes, format: str, **options: Any) -> pyvips.Image:
    """The picture as libvips sees it, its pixels not read yet."""
    source = pyvips.Source.new_from_memory(data)  # the `_buffer` loaders would copy it
    return getattr(pyvips.Image, LOADERS[format])(source, access="sequential", **options)


def reduced(data: bytes, format: str, longest: int, fail_on: str) -> pyvips.Image:
    """The picture in memory with a longest side of at most `longest`, opaque, in the colour space of the file."""
    image = loaded(data, format, fail_on=fail_on)
    width, height = fitted(image.width, image.height, longest)
    image = loaded(data, format, fail_on=fail_on, **shrunk(format, image.width / width))
    if image.hasalpha() and image.format in WHITE:
        image = image.flatten(background=WHITE[image.format])
    if (width, height) != (image.width, image.height):
        image = image.resize(width / image.width, vscale=height / image.height)
    return image.copy_memory()


def shrunk(format: str, factor: float) -> dict[str, float]:
    """The options by which a loader itself makes a picture smaller, which saves time and memory; none for most."""
    if format == "jpeg":
        return {"shrink": next((shrink for shrink in JPEG_SHRINKS if factor >= shrink), 1)}
    return {"scale": 2 / factor} if format == "webp" and factor >= 4 else {}  # twice what is wanted, for a fine resize


def displayed(image: pyvips.Image) -> tuple[Image, bytes]:
    """Pixels (H, W, 3), and their profile where it is one of curves and a matrix; anything else becomes sRGB."""
    if image.interpretation in ABSOLUTE_SPACES:
        return pixels_of(image.colourspace("srgb")), b""
    if image.format not in WHOLE_NUMBERS:
        image = in_whole_numbers(image)
    profile = block(image, PROFILE)
    if image.interpretation in RGB_SPACES and (not profile or transform_of(profile)):
        return pixels_of(image.colourspace("srgb")), profile
    return pixels_of(in_srgb(image)), b""


def in_whole_numbers(image: pyvips.Image) -> pyvips.Image:
    """RGB between 0 and 1 as the light it is, linear unless a profile says otherwise; anything else is stretched.

    Those are measurements, whose least and greatest value nobody else knows.
    """
    if image.interpretation != "scrgb" or image.min() < LIGHT[0] or image.max() > LIGHT[1]:
        return image.scaleimage()
    if PROFILE in image.get_fields():
        return (image * WHITE["ushort"]).cast("ushort").copy(interpretation="rgb16")
    return image.colourspace("srgb")


def in_srgb(image: pyvips.Image) -> pyvips.Image:
    """The image in sRGB, by its own profile if that is any good."""
    usual = "cmyk" if image.interpretation == "cmyk" else "srgb"
    if PROFILE in image.get_fields() or usual == "cmyk":
        try:
            return image.icc_transform("srgb", embedded=True, input_profile=usual, intent="relative", depth=8)
        except pyvips.Error:
            pass  # a profile that does not go with its picture
    return image.colourspace("srgb")


def pixels_of(image: pyvips.Image) -> Image:
    """(H, W, 3) of an image in sRGB."""
    pixels = image.cast("uchar").numpy()
    pixels = pixels.reshape(image.height, image.width, -1)
    return np.ascontiguousarray(np.broadcast_to(pixels[..., :3], (*pixels.shape[:2], 3)))


def profile_dropped(pixels: Image, profile: bytes) -> tuple[Image, bytes]:
    """Pixels in sRGB and no profile, where it is not one of curves and a matrix; else both as they are."""
    if not profile or transform_of(profile):
        return pixels, profile
    image = pyvips.Image.new_from_array(pixels, interpretation="srgb")
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return pixels_of(in_srgb(image)), b""


def block(image: pyvips.Image, name: str) -> bytes:
    """A block of metadata, empty when absent."""
    return bytes(image.get(name)) if name in image.get_fields() else b""


def reason(error: pyvips.Error) -> str:
    """What libvips complained of, without its own words around it."""
    lines = [line.strip() for line in str(error.detail).splitlines() if line.strip()]
    return lines[0][:120] if lines else "no reason given"
