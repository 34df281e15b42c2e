"""Camera RAW by LibRaw: the JPEG that the camera put inside, or the sensor's pixels when there is none or it is small.

Leaves out developing: what comes out is a picture to find and look at, not a print.
"""

import io
from dataclasses import replace

import rawpy

from cluster.errors import Unreadable
from serve_apps.media import jpeg, vips
from serve_apps.media.dates import plausible
from serve_apps.media.picture import SIDEWAYS, UPRIGHT, Image, Picture, must_fit, rgb
from serve_apps.media.protocol import Metadata
from serve_apps.media.texts import line
from serve_apps.media.tiff import bytes_of

ENOUGH = 1024  # a longest side from which the camera's own preview is preferred
TURNS = {3: 3, 5: 8, 6: 6}  # LibRaw's flip as an EXIF orientation
TIFF_LIKE = (b"II", b"MM")
TIFF = (b"II*\0", b"MM\0*")
XMP_TAG = 700


def decode(data: bytes, longest: int, max_pixels: int) -> Picture:
    """A RAW picture with a longest side of about `longest`; raises Unreadable, TooLarge.

    What LibRaw does not know and is a TIFF file is decoded as such.
    """
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            return developed(raw, data, longest, max_pixels)
    except rawpy.LibRawUnsufficientMemoryError:
        raise MemoryError from None
    except rawpy.LibRawError as error:
        if data.startswith(TIFF):
            return vips.decode(data, "tiff", longest, max_pixels)
        text = error.args[0].decode("ascii", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise Unreadable(f"this RAW file cannot be decoded ({text[:120]}); restore it, or export a JPEG") from None


def developed(raw: rawpy.RawPy, data: bytes, longest: int, max_pixels: int) -> Picture:
    """The camera's preview or the sensor's pixels, with what is known of the shot."""
    width, height, turn = raw.sizes.width, raw.sizes.height, TURNS.get(raw.sizes.flip, UPRIGHT)
    must_fit(width, height, max_pixels)
    preview = preview_of(raw, longest, max_pixels)
    shown = preview if preview and is_enough(preview, longest) else from_sensor(raw, preview, longest)
    if turn in SIDEWAYS and (shown.width < shown.height) != (width < height):  # the camera turned its preview
        width, height, turn = height, width, UPRIGHT
    return replace(
        shown,
        width=width,
        height=height,
        exif=data if data.startswith(TIFF_LIKE) else shown.exif,
        xmp=bytes_of(data, XMP_TAG) or shown.xmp,
        orientation=turn,
        facts=facts_of(raw),
    )


def is_enough(preview: Picture, longest: int) -> bool:
    """Whether the camera's preview is large enough to be preferred."""
    return max(preview.width, preview.height) >= min(ENOUGH, longest)


def from_sensor(raw: rawpy.RawPy, preview: Picture | None, longest: int) -> Picture:
    """The sensor's pixels with the preview's metadata; the preview itself where LibRaw cannot decode the sensor."""
    try:
        pixels = sensor(raw, longest)
    except rawpy.LibRawNonFatalError:
        if preview is None:
            raise
        return replace(preview, flags=("preview-only",))
    height, width = pixels.shape[:2]
    beside = preview or Picture(pixels=pixels, width=width, height=height)
    return replace(beside, pixels=pixels, width=width, height=height, profile=b"", flags=())


def preview_of(raw: rawpy.RawPy, longest: int, max_pixels: int) -> Picture | None:
    """The picture the camera put inside, if it can be decoded."""
    try:
        inside = raw.extract_thumb()
        if inside.format == rawpy.ThumbFormat.JPEG and isinstance(inside.data, bytes):
            return jpeg.decode(inside.data, longest, max_pixels)
    except (rawpy.LibRawNonFatalError, Unreadable):
        return None
    if isinstance(inside.data, bytes):
        return None
    return Picture(pixels=rgb(inside.data), width=inside.data.shape[1], height=inside.data.shape[0])


def sensor(raw: rawpy.RawPy, longest: int) -> Image:
    """(H, W, 3) from the sensor, as stored; at half size where that is enough, which is four times as fast."""
    half = max(raw.sizes.width, raw.sizes.height) >= 2 * longest
    return rgb(raw.postprocess(half_size=half, use_camera_wb=True, output_bps=8, user_flip=0))


def facts_of(raw: rawpy.RawPy) -> Metadata:
    """What LibRaw itself read of the shot, for files whose EXIF nobody else finds."""
    shot = raw.other
    return Metadata(
        taken_at=plausible(shot.timestamp),
        taken_source="exif" if plausible(shot.timestamp) else "",
        iso=round(shot.iso_speed) if 0 < shot.iso_speed < 1e8 else None,
        f_number=positive(shot.aperture, 1e4),
        exposure_s=positive(shot.shutter_speed, 1e7),
        focal_mm=positive(shot.focal_length, 1e6),
        lens=line(raw.lens.model),
    )


def positive(number: float, limit: float) -> float | None:
    """A number over zero and under a limit, else None."""
    return round(float(number), 6) if 0 < number < limit else None
