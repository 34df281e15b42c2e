"""A decoded picture on its way from a decoder to the derived files: pixels as stored, and what the container held.

Leaves out decoding (a module per library) and encoding (derive.py).
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from cluster.errors import TooLarge, Unreadable
from serve_apps.media.protocol import Metadata

Image: TypeAlias = NDArray[np.uint8]  # (H, W, 3) RGB; the models' own alias would import the models with it

NOTHING = Metadata()
UPRIGHT = 1
SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height
TURNS = {
    2: Pil.Transpose.FLIP_LEFT_RIGHT,
    3: Pil.Transpose.ROTATE_180,
    4: Pil.Transpose.FLIP_TOP_BOTTOM,
    5: Pil.Transpose.TRANSPOSE,
    6: Pil.Transpose.ROTATE_270,
    7: Pil.Transpose.TRANSVERSE,
    8: Pil.Transpose.ROTATE_90,
}  # PIL turns counter-clockwise; EXIF says how the stored picture must be turned to be upright


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What a decoder returns: at least the pixels that were asked for, and the blocks of metadata beside them."""

    pixels: Image  # (H, W, 3) as stored, perhaps already reduced
    width: int  # of the whole picture as stored, in pixels
    height: int
    profile: bytes = b""  # ICC, matrix and curves only (colour.py); none: sRGB
    exif: bytes = b""  # a TIFF block, without any prefix
    xmp: bytes = b""
    orientation: int | None = None  # how the pixels lie; None: as EXIF says
    flags: tuple[str, ...] = ()
    facts: Metadata = NOTHING  # what only this decoder can know


def must_fit(width: int, height: int, max_pixels: int) -> None:
    """Raise TooLarge for a picture that its header says has too many pixels, and Unreadable for one of none."""
    if width < 1 or height < 1:
        raise Unreadable("the picture has no pixels; restore it from a backup")
    if width * height > max_pixels:
        size = f"{width:,} x {height:,} pixels ({width * height / 1e6:,.0f} megapixels)"
        limit = f"{max_pixels / 1e6:,.0f} megapixels"
        raise TooLarge(f"the picture has {size}, over the limit of {limit}; raise media.max_pixels if it is yours")


def fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height scaled down to a longest side; never up, never to nothing."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resized(image: Pil.Image, longest: int) -> Pil.Image:
    """The image scaled down to a longest side."""
    width, height = image.size
    size = fitted(width, height, longest)
    return image if size == image.size else image.resize(size, Pil.Resampling.BICUBIC)


def upright(image: Pil.Image, orientation: int) -> Pil.Image:
    """The image turned and mirrored as an EXIF orientation says."""
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def pixels_of(image: Pil.Image) -> Image:
    """(H, W, 3) contiguous pixels of an image."""
    return np.ascontiguousarray(np.asarray(image))


def rgb(pixels: NDArray[np.uint8]) -> Image:
    """(H, W, 3) of grey (H, W), grey with alpha (H, W, 2), RGB or RGBA pixels; alpha goes on white."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    bands = pixels.shape[2]
    if bands in (2, 4):
        pixels = on_white(pixels[..., : bands - 1], pixels[..., bands - 1 :])
    return np.ascontiguousarray(np.broadcast_to(pixels[..., :3], (*pixels.shape[:2], 3)))


def on_white(colour: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, C) colour laid on white by its alpha (H, W, 1)."""
    if alpha.min() == 255:
        return colour
    share = alpha.astype(np.uint16)
    return ((colour * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)
