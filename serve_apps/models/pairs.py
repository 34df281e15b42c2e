"""A tower for pictures and one for words: what zero-shot tagging asks of a model, from open_clip or transformers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from transformers import AutoModel, AutoProcessor
from transformers.utils.logging import disable_progress_bar

from cluster.settings import ModelSpec
from serve_apps.models.checkpoints import HUB, locate
from serve_apps.models.clip import CONFIG, ClipModel, is_tagged, scale_and_bias, unit_rows
from serve_apps.models.device import Device
from serve_apps.models.protocol import Embedding, Image


class Pair(Protocol):
    """Two towers with one space between them."""

    device: Device

    def embed_images(self, images: Sequence[Image]) -> Embedding:
        """(N, D) unit rows of one batch of pictures."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Embedding:
        """(N, D) unit rows of one batch of texts."""
        ...

    def logits(self) -> tuple[float, float | None]:
        """What cosines are multiplied by, and what is added: a number for SigLIP, None for CLIP."""
        ...


def open_pair(spec: ModelSpec, weights: Path) -> Pair:
    """The pair of a spec's checkpoint: transformers' for `OWNER/NAME` and its folders, open_clip's for all else."""
    tagged_or_hub = is_tagged(spec.checkpoint) or spec.checkpoint.startswith(HUB)
    if tagged_or_hub or (locate(spec, weights) / CONFIG).exists():
        return ClipModel(spec, weights)
    return TransformersPair(spec, weights)


class TransformersPair:
    """SigLIP, SigLIP 2 or CLIP as transformers keeps them."""

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.device = Device.of(spec)
        folder = locate(spec, weights)
        disable_progress_bar()  # of shards of weights: a replica has nobody to show it to
        self.processor = AutoProcessor.from_pretrained(folder)
        self.model = self.device.place(AutoModel.from_pretrained(folder, weights_only=True))
        self.words = self.model.config.text_config.max_position_embeddings

    def embed_images(self, images: Sequence[Image]) -> Embedding:
        """(N, D) unit rows of one batch of pictures."""
        copies = [np.array(image) for image in images]  # torch warns of arrays that may not be written to
        ready = self.processor.image_processor(images=copies, return_tensors="pt", input_data_format="channels_last")
        with self.device.inference():
            return unit_rows(self.model.get_image_features(**self.there(ready)).pooler_output)

    def embed_texts(self, texts: Sequence[str]) -> Embedding:
        """(N, D) unit rows of one batch of texts."""
        # SigLIP was trained on texts filled up to its full length
        tokens = self.processor.tokenizer(
            list(texts), padding="max_length", max_length=self.words, truncation=True, return_tensors="pt"
        )
        with self.device.inference():
            return unit_rows(self.model.get_text_features(**self.there(tokens)).pooler_output)

    def there(self, inputs: Any) -> dict[str, torch.Tensor]:
        """A processor's tensors, on the device."""
        return {name: self.device.put(tensor) for name, tensor in inputs.items()}

    def logits(self) -> tuple[float, float | None]:
        """What cosines are multiplied by, and what is added: a number for SigLIP, None for CLIP."""
        return scale_and_bias(self.model)
