"""The bare work, without Brightroom: loops that do just what has to be done, on the same cores.

A program, so that its processes are set up as Brightroom's are. It prints seconds and its peak of memory as JSON.
"""

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cluster.settings import load_settings
from serve_apps.deployment import ENVIRONMENT
from tests.benchmarks.memory import peak_memory

SIZES = {"big": 500, "square": 250, "small": 120}
MODELS = ("clip_embeddings", "face_recognition", "tags", "ocr")  # the template captioner computes nothing


def measured(what: str, photos: Path, out: Path, workers: int) -> dict[str, float]:
    """Run `ingest` or `analyse` as a program of its own; seconds by part, and `peak` in GiB."""
    command = [sys.executable, "-m", "tests.benchmarks.bare", what, str(photos), str(out), str(workers)]
    told = subprocess.run(command, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE, check=True).stdout
    figures: dict[str, float] = json.loads(told)
    return figures


def main() -> None:
    """What is asked for, and what it took."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bare")
    parser.add_argument("what", choices=["ingest", "analyse"])
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("workers", type=int)
    asked = parser.parse_args()
    with peak_memory() as memory:
        if asked.what == "ingest":
            spent = {"ingest": ingest_all(sorted(asked.photos.iterdir()), asked.out, asked.workers)}
        else:
            spent = analyse_all(sorted(asked.out.glob("*.preview.jpg")), asked.workers)
    print(json.dumps({**spent, **memory}))


def ingest_all(paths: Sequence[Path], out: Path, workers: int) -> float:
    """Seconds for hash, EXIF, decode, preview and thumbnails of all files, with so many processes."""
    out.mkdir(parents=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(warm, range(workers)))  # imports are not the work
        began = time.perf_counter()
        list(pool.map(ingest_one, paths, [out] * len(paths), chunksize=2))
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


def analyse_all(previews: Sequence[Path], workers: int) -> dict[str, float]:
    """Seconds of each model over all previews, alone on all cores, a batch a thread; `read` is the decoding."""
    from serve_apps.media.preview import read_preview
    from serve_apps.models import load

    settings = load_settings()
    spent = {}
    with ThreadPoolExecutor(workers) as threads:
        began = time.perf_counter()
        images = list(threads.map(lambda path: read_preview(path, settings.scan.analysis_px), previews))
        spent["read"] = time.perf_counter() - began
        size = settings.scan.batch_size
        batches = [images[start : start + size] for start in range(0, len(images), size)]
        for name in MODELS:
            spec = settings.services[name]
            assert spec is not None
            model = load(spec, settings.weights_dir)
            list(threads.map(model.predict, batches[:workers]))  # first calls pay for threads and buffers
            began = time.perf_counter()
            list(threads.map(model.predict, batches))
            spent[name] = time.perf_counter() - began
    return spent


if __name__ == "__main__":
    main()
