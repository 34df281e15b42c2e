"""A tiny real input for each kind of model, for those who ask whether it still answers."""

import os
import shutil
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Any

import numpy as np
import psutil

from cluster.settings import ModelSpec
from serve_apps.models.protocol import CaptionRequest, Image, SentenceRequest

SIDE = 64  # pixels
PREFIX = "brightroom-sample-"  # of folders, before a process's id


def sample(spec: ModelSpec) -> Any:
    """An input that a model of this kind answers quickly, and only by doing its work."""
    match spec.kind:
        case "thumbnail" | "exif":
            return file_of_its_own()
        case "similarity":
            return nobodys()
        case "template" | "blip":
            return CaptionRequest(image=picture(), tags=["cat"])
        case "llm":
            return SentenceRequest(caption="A cat.")
    return picture()


def picture() -> Image:
    """A small picture, no two pixels of a row alike."""
    ramp = np.linspace(0, 255, SIDE, dtype=np.uint8)
    return np.ascontiguousarray(np.stack([np.tile(ramp, (SIDE, 1))] * 3, axis=2))


def nobodys() -> Any:
    """A query that asks whether the store can be read."""
    from serve_apps.models.similarity import Query  # with Lance, which other models' processes need not load

    return Query(owner="", model="", limit=1)


def file_of_its_own() -> Any:
    """A small JPEG in a folder of this process, read and derived anew each time; those of ended processes go."""
    import simplejpeg

    from serve_apps.models.media_models import MediaRequest

    for left in Path(gettempdir()).glob(f"{PREFIX}*"):
        pid = left.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):  # a replica is killed without a chance to tidy up
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    file = folder / "sample.jpg"
    file.write_bytes(simplejpeg.encode_jpeg(picture(), colorspace="RGB"))
    return MediaRequest(bytes(file), str(folder / "derived"), force=True)
