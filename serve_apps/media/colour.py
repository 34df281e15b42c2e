"""ICC profiles of RGB pictures: which are simple enough to be carried along, and the way from them to sRGB.

A profile is untrusted bytes, and previews carry theirs to processes that must not hand them to a C parser. So the
common kind, three curves and a matrix, is read here in plain Python; decoders convert pictures with any other at once.
Leaves out that other kind (tables, CMYK, grey, Lab): vips.py.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from serve_apps.media.picture import Image

HEADER_BYTES = 132
MAX_PROFILE = 1 << 20
MAX_TAGS = 100
TABLES = (b"A2B0", b"A2B1", b"D2B0", b"D2B1")  # a profile with these means more than its curves and matrix say
SRGB_D50 = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)  # linear sRGB to XYZ as profiles count it, for the D50 white
FINE = 1 << 14  # steps of the table that encodes linear light
INVISIBLE = 1  # levels of 255 by which a profile may differ from sRGB and pass as sRGB


@dataclass(frozen=True)
class Transform:
    """From a profile's RGB to linear sRGB: a curve of 256 steps per channel (3, 256), then a matrix (3, 3)."""

    curves: NDArray[np.float32]
    matrix: NDArray[np.float32]


def to_srgb(pixels: Image, profile: bytes) -> Image:
    """The pixels (H, W, 3) in sRGB; those of no profile, or of one that cannot be read, are taken for sRGB already."""
    transform = transform_of(profile)
    return pixels if transform is None or is_srgb(profile) else converted(pixels, transform)


@lru_cache(maxsize=16)
def is_srgb(profile: bytes) -> bool:
    """Whether the profile is sRGB by another name: no colour would visibly change."""
    transform = transform_of(profile)
    if transform is None:
        return False
    levels = np.array([0, 64, 128, 192, 255], np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    return bool(np.abs(converted(probe, transform).astype(int) - probe).max() <= INVISIBLE)


def converted(pixels: Image, transform: Transform) -> Image:
    """The pixels (H, W, 3) after the transform, as sRGB levels; band by band, which is twice as fast as all at once."""
    bands = [curve.take(pixels[..., band]) for band, curve in enumerate(transform.curves)]
    result = np.empty_like(pixels)
    for band, weights in enumerate(transform.matrix * (FINE - 1)):
        light = sum(weight * linear for weight, linear in zip(weights, bands, strict=True))
        result[..., band] = encoding().take(np.clip(light, 0, FINE - 1).astype(np.int32))
    return result


@lru_cache(maxsize=16)
def transform_of(profile: bytes) -> Transform | None:
    """The transform of a profile of curves and a matrix; None for any other kind, and for a damaged one."""
    if not HEADER_BYTES <= len(profile) <= MAX_PROFILE or profile[36:40] != b"acsp":
        return None
    if profile[16:20] != b"RGB " or profile[20:24] != b"XYZ ":
        return None
    try:
        tags = tags_of(profile)
        if any(table in tags for table in TABLES):
            return None
        columns = [xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        with np.errstate(all="ignore"):  # whatever formula a stranger wrote
            curves = np.nan_to_num(np.stack([curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]))
    except (KeyError, ValueError, struct.error):
        return None
    matrix = np.linalg.inv(SRGB_D50) @ np.array(columns).T
    return Transform(np.clip(curves, 0, 1).astype(np.float32), matrix.astype(np.float32))


def tags_of(profile: bytes) -> dict[bytes, bytes]:
    """The profile's tags by their four letters."""
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, HEADER_BYTES + 12 * k) for k in range(min(count, MAX_TAGS)))
    return {name: profile[offset : offset + size] for name, offset, size in entries}


def xyz(tag: bytes) -> tuple[float, ...]:
    """The three numbers of an XYZ tag."""
    return tuple(value / 65536 for value in struct.unpack_from(">3i", tag, 8))


def curve(tag: bytes) -> NDArray[np.float64]:
    """256 steps of linear light of a tone curve tag; raises ValueError for a kind nobody defined."""
    x = np.arange(256) / 255
    if tag[:4] == b"para":
        return parametric(tag, x)
    if tag[:4] != b"curv":
        raise ValueError("no tone curve")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return x
    points = np.array(struct.unpack_from(f">{count}H", tag, 12), np.float64)
    curved: NDArray[np.float64] = x ** (points[0] / 256)
    return curved if count == 1 else np.interp(x, np.linspace(0, 1, count), points / 65535)


def parametric(tag: bytes, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of a parametric curve: one of five formulas with up to seven numbers."""
    (kind,) = struct.unpack_from(">H", tag, 8)
    counts = (1, 3, 4, 5, 7)
    if kind >= len(counts):
        raise ValueError("no formula of that number")
    g, *rest = (value / 65536 for value in struct.unpack_from(f">{counts[kind]}i", tag, 12))
    a, b, c, d, e, f = (*rest, *(0.0,) * (6 - len(rest))) if rest else (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    power: NDArray[np.float64] = np.maximum(a * x + b, 0) ** g
    if kind < 3:  # below -b/a nothing, or the constant c
        return np.asarray(np.where(a * x + b >= 0, power, 0) + c, np.float64)
    return np.asarray(np.where(x >= d, power + e, c * x + f), np.float64)


@lru_cache(maxsize=1)
def encoding() -> NDArray[np.uint8]:
    """The sRGB level of each of FINE steps of linear light."""
    light = np.linspace(0, 1, FINE)
    level = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(level).astype(np.uint8)
