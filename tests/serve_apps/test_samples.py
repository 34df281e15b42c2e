"""The tiny inputs with which replicas are asked whether they still answer: each kind has one that its model answers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest

from cluster.settings import ModelSpec, Settings
from cluster.specs import KINDS_OF, OPTIONS
from serve_apps.applications import application
from serve_apps.media.protocol import Decoded, Metadata
from serve_apps.models import load
from serve_apps.models.protocol import Caption, CaptionRequest, DetectedFace, SentenceRequest, Tag, Text
from serve_apps.samples import PREFIX, SIDE, picture, sample

EMBEDDED = {
    "clip": "embedded:clip",
    "faces": "embedded:dlib-resnet",
    "imagenet-tags": "embedded:efficientnet-lite0",
    "zero-shot-tags": "embedded:clip",
    "ocr": "",
    "template": "",
    "similarity": "",
    "thumbnail": "",
    "exif": "",
}
FETCHED = {"blip": CaptionRequest, "llm": SentenceRequest}  # kinds whose checkpoints come from the hub
ANSWERS: dict[str, Any] = {
    "faces": list[DetectedFace], "imagenet-tags": Tag, "zero-shot-tags": Tag, "ocr": Text, "template": Caption,
    "thumbnail": Decoded, "exif": Metadata,
}  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path, weights: Path) -> Settings:
    """Settings with a root of their own."""
    return Settings(root=tmp_path, weights=weights)


@contextmanager
def loaded(settings: Settings, kind: str) -> Iterator[tuple[Any, Any]]:
    """An embedded model, loaded as a replica loads it, and its sample."""
    service = next(name for name, kinds in KINDS_OF.items() if kind in kinds)
    spec = application(settings, service, ModelSpec(kind=kind, checkpoint=EMBEDDED[kind], revision="1")).spec
    model: Any = load(spec, settings.weights_dir)
    yield model, sample(spec)
    for decoder in getattr(getattr(model, "thumbnails", model), "decoders", {}).values():
        decoder.close()


def test_every_kind_of_model_is_among_them():
    """A new one needs a sample, and a line here."""
    assert set(EMBEDDED) | set(FETCHED) == set(OPTIONS)


@pytest.mark.parametrize("kind", EMBEDDED)
def test_an_embedded_model_answers_its_sample(settings: Settings, kind: str):
    """With an output of its kind, not with an excuse."""
    with loaded(settings, kind) as (model, asked):
        (output,) = model.predict([asked])
        (again,) = model.predict([asked])  # as it is asked every few seconds

    assert type(again) is type(output)
    match kind:
        case "clip":
            assert np.linalg.norm(output) == pytest.approx(1, abs=1e-3)
        case "similarity" | "faces":
            assert output == []
        case "imagenet-tags" | "zero-shot-tags":
            assert all(isinstance(tag, Tag) for tag in output)
        case _:
            assert isinstance(output, ANSWERS[kind])


@pytest.mark.parametrize("kind", FETCHED)
def test_a_model_that_has_to_be_fetched_is_asked_what_it_is_asked_in_earnest(kind: str):
    """Its own tests ask a tiny checkpoint such things."""
    asked = sample(ModelSpec(kind=kind, checkpoint="owner/name"))

    assert type(asked) is FETCHED[kind]


def test_a_picture_is_small_and_not_of_one_colour():
    """A model that only looks at the first pixel would not do its work on it."""
    shown = picture()

    assert (shown.shape, shown.dtype, shown.flags.c_contiguous) == ((SIDE, SIDE, 3), np.uint8, True)
    assert len(np.unique(shown)) == SIDE


def test_the_store_is_read_for_the_sample_of_who_searches_it(settings: Settings):
    """A store that cannot be read is found out."""
    libraries = Path(settings.store_uri) / "libraries"
    libraries.mkdir(parents=True)
    (libraries / "somebody").write_text("no folder")

    with loaded(settings, "similarity") as (model, asked), pytest.raises((RuntimeError, OSError)):
        model.predict([asked])


def test_each_question_to_a_model_of_files_does_the_work_again(settings: Settings):
    """Pictures derived once are written anew, so that a full disk is noticed."""
    with loaded(settings, "thumbnail") as (model, asked):
        model.predict([asked])
        (first,) = [path for path in Path(asked.derived).rglob("*") if ".small." in path.name]
        first.write_bytes(b"")
        model.predict([asked])

    assert first.stat().st_size > 0


def test_folders_of_samples_of_processes_that_have_ended_go():
    """A replica is killed without a chance to tidy up; what others have in use stays."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = Path(mkdtemp(prefix=f"{PREFIX}{ended.pid}-"))
    (left / "sample.jpg").write_bytes(b"x")
    used = Path(mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))

    asked = sample(ModelSpec(kind="exif"))

    assert not left.exists()
    assert used.exists()
    assert Path(os.fsdecode(asked.path)).is_file()
    used.rmdir()
