"""The bare work, without Brightroom: loops that do just what has to be done, on the same cores."""

import hashlib
import io
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

SIZES = {"big": 500, "square": 250, "small": 120}


def ingest_all(paths: Sequence[Path], out: Path, workers: int) -> float:
    """Seconds for hash, EXIF, decode, preview and thumbnails of all files, with so many processes."""
    out.mkdir(parents=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(warm, range(workers)))  # imports are not the work
        began = time.perf_counter()
        list(pool.map(ingest_one, paths, [out] * len(paths), chunksize=8))
        return time.perf_counter() - began


def warm(_: int) -> None:
    """Import what the work needs."""
    import exifread
    import PIL.Image
    import pyvips
    import simplejpeg

    assert all((exifread, PIL.Image, pyvips, simplejpeg))


def ingest_one(path: Path, out: Path) -> None:
    """The cheapest way we know: scaled DCT decode, each size from the next larger, all four files written."""
    import exifread
    import numpy as np
    import simplejpeg
    from PIL import Image

    data = path.read_bytes()
    name = hashlib.sha256(data).hexdigest()[:32]
    exifread.process_file(io.BytesIO(data), details=False)
    picture = Image.fromarray(simplejpeg.decode_jpeg(data, "RGB", min_width=1440))
    preview = picture.resize(fitted(picture.size, 1440), Image.Resampling.BICUBIC)
    encoded = simplejpeg.encode_jpeg(np.ascontiguousarray(np.asarray(preview)), 80, "RGB", "420")
    (out / f"{name}.preview.jpg").write_bytes(encoded)
    for size, longest in SIZES.items():
        preview = preview.resize(fitted(preview.size, longest), Image.Resampling.BICUBIC)
        (out / f"{name}.{size}.webp").write_bytes(webp(np.ascontiguousarray(np.asarray(preview))))


def fitted(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """A size with its longer side at most `longest`."""
    share = min(1, longest / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def webp(pixels: Any) -> bytes:
    """WebP of quality 80 at the effort that Brightroom uses."""
    import pyvips

    height, width, bands = pixels.shape
    data: bytes = pyvips.Image.new_from_memory(pixels.tobytes(), width, height, bands, "uchar").webpsave_buffer(
        Q=80, effort=1
    )
    return data


def analyse_all(models: dict[str, Any], previews: Sequence[Path], longest: int, batch: int) -> dict[str, float]:
    """Seconds of each model over all previews, in batches, alone in this process; `read` is the decoding."""
    from serve_apps.media.preview import read_preview

    began = time.perf_counter()
    images = [read_preview(path, longest) for path in previews]
    spent = {"read": time.perf_counter() - began}
    for name, model in models.items():
        model.predict(images[:batch])  # the first call of a model pays for its threads and buffers
        began = time.perf_counter()
        for start in range(0, len(images), batch):
            model.predict(images[start : start + batch])
        spent[name] = time.perf_counter() - began
    return spent
