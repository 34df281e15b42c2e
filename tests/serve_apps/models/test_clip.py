"""Pictures and words in one space."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import PIL.Image
import pytest
import torch
from safetensors.torch import save_file

from cluster.errors import Unavailable
from cluster.settings import ModelSpec
from serve_apps.models.clip import CONFIG, ClipModel
from serve_apps.models.protocol import Image

TEXTS = ["a cat", "a cup of coffee", "rocket launch", "a portrait of an astronaut in an orange suit, smiling"]
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def reference(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any]:
    """open_clip called directly on the embedded checkpoint, with the absolute path that it wants there."""
    folder = tmp_path_factory.mktemp("reference")
    for file in (weights / "clip").iterdir():
        (folder / file.name).symlink_to(file)
    config = json.loads((folder / CONFIG).read_text())
    config["model_cfg"]["text_cfg"]["hf_model_name"] = str(folder)
    (folder / CONFIG).unlink()
    (folder / CONFIG).write_text(json.dumps(config))
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}", pretrained_text=False)
    return model.eval(), transform, open_clip.get_tokenizer(f"local-dir:{folder}")


def test_pictures_have_the_vectors_that_open_clip_gives_them(
    clip: Any, reference: tuple[Any, Any, Any], photos: dict[str, Image], cosine: Callable[..., float]
) -> None:
    """Our preprocessing and batching change nothing."""
    model, transform, _ = reference
    images = list(photos.values())
    with torch.inference_mode():
        stack = torch.stack([transform(PIL.Image.fromarray(image)) for image in images])
        theirs = model.encode_image(stack, normalize=True).numpy()

    assert cosine(clip.predict(images), theirs) > 0.9999


def test_texts_have_the_vectors_that_open_clip_gives_them(
    clip: Any, reference: tuple[Any, Any, Any], cosine: Callable[..., float]
) -> None:
    """Also one by one, and in a batch with others."""
    model, _, tokenizer = reference
    with torch.inference_mode():
        theirs = model.encode_text(tokenizer(TEXTS), normalize=True).numpy()

    assert cosine(clip.predict(TEXTS), theirs) > 0.9999
    assert cosine([clip.predict([text])[0] for text in TEXTS], theirs) > 0.9999


def test_pictures_and_texts_come_back_in_order(
    clip: Any, photos: dict[str, Image], cosine: Callable[..., float]
) -> None:
    """A batch may mix both."""
    alone = [clip.predict([item])[0] for item in (photos["coffee"], "a cat", photos["chelsea"], "tea")]

    together = clip.predict([photos["coffee"], "a cat", photos["chelsea"], "tea"])

    assert cosine(together, alone) > 0.9999


def test_vectors_are_float32_of_unit_length(clip: Any, photos: dict[str, Image]) -> None:
    """Whatever the input."""
    vectors = clip.predict([photos["page"], "", "word " * 500])

    assert all(vector.dtype == np.float32 and vector.shape == (384,) for vector in vectors)
    assert np.allclose([np.linalg.norm(vector) for vector in vectors], 1, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "name"),
    [("a cat", "chelsea"), ("a cup of coffee", "coffee"), ("rocket launch", "rocket"), ("a tripod", "camera")],
)
def test_a_text_is_nearest_to_the_photo_it_describes(text: str, name: str, clip: Any, photos: dict[str, Image]) -> None:
    """The embedded checkpoint carries meaning."""
    *pictures, words = clip.predict([*photos.values(), text])

    scores = {photo: float(vector @ words) for photo, vector in zip(photos, pictures, strict=True)}

    assert max(scores, key=lambda photo: scores[photo]) == name


def test_an_empty_batch_is_no_work(clip: Any) -> None:
    """Nothing in, nothing out."""
    assert clip.predict([]) == []


def test_small_batches_change_nothing(
    clip: Any, loaded: Callable[..., Any], photos: dict[str, Image], cosine: Callable[..., float]
) -> None:
    """The spec's batch size is a matter of memory only."""
    by_two = loaded("clip", "embedded:clip", batch_size=2)

    assert cosine(by_two.predict(list(photos.values())), clip.predict(list(photos.values()))) > 0.9999


def test_the_embedded_checkpoint_may_be_moved(
    clip: Any, weights: Path, tmp_path: Path, cosine: Callable[..., float]
) -> None:
    """Nothing in it says where it lay when it was composed."""
    shutil.copytree(weights / "clip", tmp_path / "else where" / "clip")

    moved = ClipModel(ModelSpec(kind="clip", checkpoint="embedded:clip", cpus=2), tmp_path / "else where")

    assert cosine(moved.predict(TEXTS), clip.predict(TEXTS)) > 0.9999


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer CLIP of open_clip's own class, saved to a folder."""
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    model = open_clip.CLIP(TINY["embed_dim"], TINY["vision_cfg"], TINY["text_cfg"])
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    (folder / CONFIG).write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": {"resize_mode": "squash"}}))
    return folder


@pytest.mark.parametrize("prefix", ["", "local-dir:"])
def test_any_open_clip_checkpoint_loads_from_a_folder(
    prefix: str, tiny: Path, tmp_path: Path, photos: dict[str, Image], cosine: Callable[..., float]
) -> None:
    """A CLIP as its authors publish it runs through the same code, and equals open_clip."""
    ours = ClipModel(ModelSpec(kind="clip", checkpoint=f"{prefix}{tiny}", cpus=2), tmp_path)

    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{tiny}")
    tokens = open_clip.get_tokenizer(f"local-dir:{tiny}")(["a cat"])
    with torch.inference_mode():
        picture = model.eval().encode_image(transform(PIL.Image.fromarray(photos["coffee"]))[None], normalize=True)
        theirs = torch.cat([picture, model.encode_text(tokens, normalize=True)]).numpy()
    assert cosine(ours.predict([photos["coffee"], "a cat"]), theirs) > 0.9999


@pytest.mark.parametrize("checkpoint", ["ViT-B-32:no-such-tag", "no-such-model:openai"])
def test_a_tag_that_open_clip_does_not_know_is_unavailable(checkpoint: str, tmp_path: Path) -> None:
    """The reason is a sentence that names the checkpoint."""
    with pytest.raises(Unavailable, match=f"{checkpoint} could not be loaded"):
        ClipModel(ModelSpec(kind="clip", checkpoint=checkpoint), tmp_path)


def test_a_folder_without_open_clips_configuration_is_said_so(tmp_path: Path) -> None:
    """With the file that is missing."""
    with pytest.raises(Unavailable, match=r"holds no open_clip checkpoint: it has no open_clip_config.json"):
        ClipModel(ModelSpec(kind="clip", checkpoint=str(tmp_path)), tmp_path)


@pytest.mark.gpu
@pytest.mark.parametrize(("dtype", "least"), [("float32", 0.9999), ("float16", 0.999), ("bfloat16", 0.99)])
def test_vectors_on_cuda_are_those_of_the_cpu(
    dtype: str,
    least: float,
    clip: Any,
    loaded: Callable[..., Any],
    photos: dict[str, Image],
    cosine: Callable[..., float],
) -> None:
    """Close enough to share a table but in bfloat16, whose numbers have three digits."""
    items = [*photos.values(), *TEXTS]

    there = loaded("clip", "embedded:clip", gpus=0.5, gpu_memory_gb=4, dtype=dtype)

    assert there.device.cuda
    assert cosine(there.predict(items), clip.predict(items)) > least
