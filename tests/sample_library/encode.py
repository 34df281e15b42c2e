"""Pictures as files: JPEG, PNG, WebP, TIFF, AVIF, HEIC, GIF, BMP and camera RAW. The same picture, the same bytes.

pillow-simd has no WebP or AVIF, libvips' wheel no HEVC: each format is written by whoever can.
"""

from io import BytesIO

import numpy as np
import piexif
import pillow_heif
import pyvips
from numpy.typing import NDArray
from piexif import ImageIFD
from PIL.Image import Image, Transpose

BAYER_RGGB = (0, 1, 1, 2)
CFA_PHOTOMETRIC = 32803
WHITE = 4095  # 12 bits
XYZ_TO_SRGB = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
D65 = 21

# What a camera held this way stores: the inverse of what a viewer does for the orientation.
STORED = {
    2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_270,
}  # fmt: skip


def stored(upright: Image, orientation: int) -> Image:
    """The picture as it lies in a file of this EXIF orientation."""
    return upright.transpose(STORED[orientation]) if orientation in STORED else upright


def picture_bytes(picture: Image, suffix: str, exif: bytes) -> bytes:
    """A picture as a file of the suffix's format, with EXIF when there is some."""
    match suffix.lower():
        case ".webp":
            return by_vips(picture, ".webp", exif, Q=85, effort=2)
        case ".avif":
            return by_vips(picture, ".avif", exif, Q=75, effort=1)
        case ".heic":
            return heic(picture, exif)
        case ".jpg":
            return by_pillow(picture, "JPEG", exif, quality=92)
    return by_pillow(picture, {".png": "PNG", ".tif": "TIFF", ".gif": "GIF", ".bmp": "BMP"}[suffix.lower()], exif)


def by_pillow(picture: Image, format: str, exif: bytes, **options: int) -> bytes:
    """A picture in one of the formats that pillow-simd writes."""
    out = BytesIO()
    picture.save(out, format, **options, **({"exif": exif} if exif else {}))
    return out.getvalue()


def by_vips(picture: Image, suffix: str, exif: bytes, **options: int) -> bytes:
    """A picture in one of the formats that libvips writes."""
    array = np.asarray(picture)
    height, width, bands = array.shape
    image = pyvips.Image.new_from_memory(array.tobytes(), width, height, bands, "uchar").copy(interpretation="srgb")
    if exif:
        image.set_type(pyvips.GValue.blob_type, "exif-data", exif)
    return image.write_to_buffer(suffix, **options)


def heic(picture: Image, exif: bytes) -> bytes:
    """A picture as HEIC; x265 on one thread, since its bytes depend on how many it has."""
    out = BytesIO()
    one_thread = {"x265:pools": "1", "x265:frame-threads": "1"}
    pillow_heif.from_pillow(picture).save(out, quality=75, exif=exif or None, enc_params=one_thread)
    return out.getvalue()


def dng(picture: Image, exif: dict[str, dict[int, object]]) -> bytes:
    """A picture as an uncompressed 12-bit Bayer DNG without a preview, with its EXIF."""
    mosaic = bayer(np.asarray(picture))
    head = dng_head(mosaic.shape, exif, 0)
    return dng_head(mosaic.shape, exif, len(head)) + mosaic.tobytes()


def bayer(rgb: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """What a sensor behind an RGGB filter sees: one linear, big-endian 12-bit value a pixel."""
    even = rgb[: rgb.shape[0] & ~1, : rgb.shape[1] & ~1]
    linear = ((even / 255) ** 2.2 * WHITE).astype(">u2")
    mosaic = linear[..., 1].copy()
    mosaic[0::2, 0::2] = linear[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = linear[1::2, 1::2, 2]
    return mosaic


def dng_head(shape: tuple[int, ...], exif: dict[str, dict[int, object]], pixels_at: int) -> bytes:
    """The TIFF structure of a DNG whose pixels lie in one strip at a byte offset."""
    height, width = shape
    tags = {
        ImageIFD.NewSubfileType: 0, ImageIFD.ImageWidth: width, ImageIFD.ImageLength: height,
        ImageIFD.BitsPerSample: 16, ImageIFD.Compression: 1, ImageIFD.PhotometricInterpretation: CFA_PHOTOMETRIC,
        ImageIFD.StripOffsets: pixels_at, ImageIFD.SamplesPerPixel: 1, ImageIFD.RowsPerStrip: height,
        ImageIFD.StripByteCounts: width * height * 2, ImageIFD.PlanarConfiguration: 1,
        ImageIFD.CFARepeatPatternDim: (2, 2), ImageIFD.CFAPattern: BAYER_RGGB,
        ImageIFD.DNGVersion: (1, 4, 0, 0), ImageIFD.DNGBackwardVersion: (1, 1, 0, 0),
        ImageIFD.UniqueCameraModel: exif["0th"][ImageIFD.Model],
        ImageIFD.BlackLevel: (0, 1), ImageIFD.WhiteLevel: WHITE,
        ImageIFD.ColorMatrix1: tuple((round(value * 10_000), 10_000) for value in XYZ_TO_SRGB),
        ImageIFD.AsShotNeutral: (1, 1, 1), ImageIFD.CalibrationIlluminant1: D65,
    }  # fmt: skip
    return piexif.dump(exif | {"0th": exif["0th"] | tags})[len(b"Exif\0\0") :]
