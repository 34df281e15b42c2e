"""`python -m tests.benchmarks.models --config configs/gpu.yaml`: each model of the settings alone, on its own device.

Prints throughput and memory by batch size, and the batch size to set: the smallest within a twentieth of the best that
stays in the service's share of memory. What cannot be loaded here is told, and the others are measured.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from cluster.errors import BrightroomError
from cluster.settings import ModelSpec, Settings, load_settings
from serve_apps.models import load
from serve_apps.models.embedded import compose
from serve_apps.models.protocol import CaptionRequest, Model, SentenceRequest

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SECONDS = 3.0  # of measuring for each batch size, at least
ENOUGH = 0.95  # of the best throughput
PIXELS = 720  # longest side of what models see, as scan.analysis_px
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
out = Console(highlight=False)


def main() -> None:
    """Measure each model that looks at pictures or writes sentences."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.models")
    parser.add_argument("--config", type=Path, help="settings file; otherwise $BRIGHTROOM_CONFIG")
    parser.add_argument("--service", action="append", help="only this service; may be given several times")
    asked = parser.parse_args()
    settings = load_settings(asked.config)
    compose(settings.weights_dir)
    table = Table("service", "model", "device", "batch", "per second", "memory", "", box=None, padding=(0, 2))
    for service, spec in settings.models.items():
        if spec.kind not in ("similarity", "thumbnail", "exif") and service in (asked.service or [service]):
            report(table, service, spec, settings)
    out.print(table)


def report(table: Table, service: str, spec: ModelSpec, settings: Settings) -> None:
    """The rows of one model, the batch size to set marked."""
    try:
        model = load(spec.model_copy(update={"batch_size": max(BATCHES)}), settings.weights_dir)
    except BrightroomError as error:
        table.add_row(service, spec.name, "", "", "", "", str(error)[:80])
        return
    rows = list(measured(model, spec))
    best = max(speed for _, speed, _ in rows)
    chosen = next(size for size, speed, _ in rows if speed >= ENOUGH * best)
    for size, speed, memory in rows:
        held = f"{memory / 1e9:.2f} GB" if memory else ""
        mark = "best" if size == chosen else ""
        device = "cuda" if memory else "cpu"
        table.add_row(service, spec.name, device, str(size), f"{speed:.1f}", held, mark)


def measured(model: Model[Any, Any], spec: ModelSpec) -> Iterator[tuple[int, float, int]]:
    """Batch size, inputs a second and bytes of GPU memory, until one more doubling is slower or does not fit."""
    before = 0.0
    for size in BATCHES:
        batch = inputs(spec, size)
        try:
            model.predict(batch)  # whatever is set up at the first call of a size
            speed = throughput(model, batch)
        except torch.OutOfMemoryError:
            return
        yield size, speed, torch.cuda.max_memory_reserved() if torch.cuda.is_initialized() else 0
        if speed < 0.9 * before:
            return
        before = speed


def throughput(model: Model[Any, Any], batch: list[Any]) -> float:
    """Inputs a second."""
    began, rounds = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < SECONDS:
        model.predict(batch)
        rounds += 1
    return rounds * len(batch) / spent


def inputs(spec: ModelSpec, count: int) -> list[Any]:
    """So many inputs of the kind's own sort, no two pictures in a row the same."""
    if spec.kind == "llm":
        return [SentenceRequest(caption=f"Photo {number} of a cat.", tags=["cat", "sofa"]) for number in range(count)]
    pictures = [picture(PHOTOS[number % len(PHOTOS)]) for number in range(count)]
    captions = spec.kind in ("template", "blip")
    return [CaptionRequest(image=one, tags=["cat"]) for one in pictures] if captions else pictures


def picture(name: str) -> np.ndarray:
    """A photo as models see it."""
    image = Image.fromarray(getattr(skimage.data, name)())
    image.thumbnail((PIXELS, PIXELS))
    return np.array(image)


if __name__ == "__main__":
    main()
