"""Pictures and words in one space: any open_clip checkpoint, embedded, local or from a hub.

Search, ranking and distances are the library's business; this only embeds.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import open_clip
from torch import Tensor, nn

from cluster.errors import Unavailable
from cluster.settings import ModelSpec
from serve_apps.models.checkpoints import EMBEDDED, HUB, LOCAL, locate
from serve_apps.models.device import Device
from serve_apps.models.pixels import Pixels
from serve_apps.models.protocol import Embedding, Image

CONFIG = "open_clip_config.json"
HERE = "."  # a text tower or tokenizer whose files lie in the checkpoint's own folder

Tokenizer = Callable[[list[str]], Tensor]


class ClipModel:
    """An open_clip model of two towers: pictures and texts, mixed in any order, become unit vectors."""

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.device = Device.of(spec)
        model, transform, self.tokenizer = open_checkpoint(spec, weights)
        self.model = self.device.place(model, channels_last=True)
        self.pixels = Pixels.of(transform, self.device)

    def predict(self, batch: Sequence[Image | str]) -> list[Embedding]:
        """A (D,) float32 vector of unit length for each picture and each text."""
        texts = [n for n, item in enumerate(batch) if isinstance(item, str)]
        images = [n for n, item in enumerate(batch) if not isinstance(item, str)]
        rows: dict[int, Embedding] = {}
        for places, embed in ((images, self.embed_images), (texts, self.embed_texts)):
            for part in self.device.batches(places):
                rows.update(zip(part, embed([batch[n] for n in part]), strict=True))
        return [rows[n] for n in range(len(batch))]

    def embed_images(self, images: Sequence[Any]) -> Embedding:
        """(N, D) of one batch of pictures."""
        with self.device.inference():
            return unit_rows(self.model.encode_image(self.pixels(images)))  # type: ignore[operator]

    def embed_texts(self, texts: Sequence[Any]) -> Embedding:
        """(N, D) of one batch of texts; a text longer than the model's context is cut."""
        with self.device.inference():
            return unit_rows(self.model.encode_text(self.device.put(self.tokenizer(list(texts)))))  # type: ignore[operator]

    def logits(self) -> tuple[float, float | None]:
        """What cosines are multiplied by, and what is added: a number for SigLIP, None for CLIP."""
        return scale_and_bias(self.model)


def unit_rows(vectors: Tensor) -> Embedding:
    """The rows at unit length, on the CPU, float32 whatever the precision they were computed in."""
    normal: Embedding = nn.functional.normalize(vectors.float(), dim=1).cpu().numpy()
    return normal


def scale_and_bias(model: Any) -> tuple[float, float | None]:
    """The logit scale of a model, no longer as a logarithm, and its logit bias if it has one."""
    bias = getattr(model, "logit_bias", None)
    return float(model.logit_scale.exp()), None if bias is None else float(bias)


def open_checkpoint(spec: ModelSpec, weights: Path) -> tuple[nn.Module, Any, Tokenizer]:
    """The model, its transform for inference and its tokenizer, from open_clip.

    Raises Unavailable when the checkpoint is not there or cannot be fetched.
    """
    if is_tagged(spec.checkpoint):
        name, tag = spec.checkpoint.split(":", 1)
        return builtin(name, tag, weights / "hub")
    return from_folder(locate(spec, weights, prefer="open_clip"))


def is_tagged(checkpoint: str) -> bool:
    """Whether a checkpoint is an architecture and a tag that open_clip knows: `ViT-B-32:laion2b_s34b_b79k`."""
    return ":" in checkpoint and not checkpoint.startswith((EMBEDDED, LOCAL, HUB))


def from_folder(folder: Path) -> tuple[nn.Module, Any, Tokenizer]:
    """The three of a checkpoint folder; a text tower kept in the folder itself is found wherever the folder lies.

    Raises Unavailable when the folder holds no open_clip checkpoint.
    """
    if not (folder / CONFIG).exists():
        raise Unavailable(
            f"{folder} holds no open_clip checkpoint: it has no {CONFIG}; mend `checkpoint` in the settings"
        )
    config = json.loads((folder / CONFIG).read_text("utf8"))
    text = config["model_cfg"]["text_cfg"]
    # open_clip would look for "." in the working directory
    moved = {"text_cfg": {**text, "hf_model_name": str(folder)}} if text.get("hf_model_name") == HERE else {}
    name = f"{LOCAL}{folder}"
    model, _, transform = open_clip.create_model_and_transforms(name, pretrained_text=False, **moved)
    return model, transform, open_clip.get_tokenizer(name)


def builtin(name: str, pretrained: str, cache: Path) -> tuple[nn.Module, Any, Tokenizer]:
    """The three of an architecture and a tag that open_clip knows, fetched into the cache.

    The tag is the pin: open_clip takes no revision for these.
    """
    try:
        model, _, transform = open_clip.create_model_and_transforms(name, pretrained=pretrained, cache_dir=str(cache))
    except (RuntimeError, OSError) as error:
        raise Unavailable(f"the checkpoint {name}:{pretrained} could not be loaded: {error}") from error
    return model, transform, open_clip.get_tokenizer(name, cache_dir=str(cache))
