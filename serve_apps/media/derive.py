"""The pictures people see: a JPEG preview and three WebP thumbnails, each made from the next larger.

They are named after the content they show and written to a temporary name first, so they are whole or absent, and made
once. Leaves out durability: the writer's commit flushes the file system they are on.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyvips
import simplejpeg
from PIL import Image as Pil

from cluster.errors import StoreError
from serve_apps.media.addresses import EXTENSIONS, derived_path, is_there
from serve_apps.media.colour import is_srgb
from serve_apps.media.picture import Picture, pixels_of, resized, upright
from serve_apps.media.protocol import Setup
from serve_apps.media.segments import with_profile

ABANDONED_S = 3600  # no child takes so long over a file
EFFORT = 1  # of the WebP encoder, 0 to 6: a little slower than 0 and a little smaller


def derive(picture: Picture, orientation: int, content_id: str, setup: Setup, force: bool) -> dict[str, int]:
    """Write the derived pictures that are not there yet (all of them when forced); the size in bytes of each.

    Raises StoreError when the file system does not take them.
    """
    paths = {size: derived_path(Path(os.fsdecode(setup.derived)), content_id, size) for size in EXTENSIONS}
    if force or not all(is_there(path) for path in paths.values()):
        folder = paths["preview"].parent
        with storing():
            folder.mkdir(parents=True, exist_ok=True)
            tidy(folder, content_id)
        for size, encoded in encoders(picture, orientation, setup).items():
            if force or not is_there(paths[size]):
                data = encoded()
                with storing():
                    write(paths[size], data)
    with storing():
        return {size: path.stat().st_size for size, path in paths.items()}


@contextmanager
def storing() -> Iterator[None]:
    """Raise StoreError for what the file system does not take; an OSError of a decoder never comes by here."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"derived pictures cannot be written ({error.strerror or error})") from None


def tidy(folder: Path, content_id: str) -> None:
    """Remove what children that were killed left of a content's pictures."""
    beginning = f".{content_id}."
    for name in [name for name in os.listdir(folder) if name.startswith(beginning)]:
        with suppress(OSError):  # another child may be quicker
            if is_abandoned(folder / name):
                (folder / name).unlink()


def is_abandoned(unfinished: Path) -> bool:
    """Whether nobody is writing a temporary file any more: the process in its name is gone, or it is an hour old."""
    writer = Path("/proc", unfinished.name.split(".")[-2])
    return not writer.exists() or time.time() - unfinished.stat().st_mtime > ABANDONED_S


def encoders(picture: Picture, orientation: int, setup: Setup) -> dict[str, Callable[[], bytes]]:
    """How to encode each size; the pixels are made at once, the bytes when asked for."""
    preview = upright(resized(Pil.fromarray(picture.pixels), setup.preview_px), orientation)
    big = resized(preview, setup.big_px)
    square = squared(big if min(big.size) >= setup.square_px else preview, setup.square_px)
    small = resized(big, setup.small_px)
    profile = b"" if is_srgb(picture.profile) else picture.profile
    return {
        "preview": lambda: jpeg_bytes(preview, profile, setup.quality),
        "big": lambda: webp_bytes(big, profile, setup.quality),
        "square": lambda: webp_bytes(square, profile, setup.quality),
        "small": lambda: webp_bytes(small, profile, setup.quality),
    }


def squared(image: Pil.Image, side: int) -> Pil.Image:
    """The middle of an image as a square of at most this side."""
    width, height = image.size
    edge = min(width, height)
    left, top = (width - edge) // 2, (height - edge) // 2
    return resized(image.crop((left, top, left + edge, top + edge)), side)


def jpeg_bytes(image: Pil.Image, profile: bytes, quality: int) -> bytes:
    """An image as JPEG, its profile inside."""
    encoded = simplejpeg.encode_jpeg(pixels_of(image), quality, "RGB", "420")
    return with_profile(encoded, profile)


def webp_bytes(image: Pil.Image, profile: bytes, quality: int) -> bytes:
    """An image as WebP, its profile inside; by libvips, because this PIL is built without WebP."""
    pixels = pixels_of(image)
    height, width, _ = pixels.shape
    picture = pyvips.Image.new_from_memory(pixels, width, height, 3, "uchar").copy(interpretation="srgb")
    if profile:
        picture.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return bytes(picture.webpsave_buffer(Q=quality, effort=EFFORT, keep="icc"))


def write(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside its place, then put it there."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
