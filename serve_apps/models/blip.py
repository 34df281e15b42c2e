"""Captions by a model that looks at the picture: BLIP, or any image-to-text checkpoint of transformers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils.logging import disable_progress_bar

from cluster.settings import ModelSpec
from serve_apps.models.checkpoints import locate
from serve_apps.models.device import Device
from serve_apps.models.protocol import Caption, CaptionRequest, Image


class BlipCaptioner:
    """A captioning checkpoint; the same picture always gets the same sentence.

    Options: `max_new_tokens` (40), `num_beams` (3).
    """

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.device = Device.of(spec)
        self.made_by = spec.checkpoint
        self.options = {"max_new_tokens": 40, "num_beams": 3, "do_sample": False} | spec.options
        folder = locate(spec, weights)
        disable_progress_bar()  # of shards of weights: a replica has nobody to show it to
        self.processor = AutoProcessor.from_pretrained(folder)
        self.model = self.device.place(AutoModelForImageTextToText.from_pretrained(folder, weights_only=True))

    def predict(self, batch: Sequence[CaptionRequest]) -> list[Caption]:
        """A caption for each picture, in lower case as the model writes it; empty for a request without a picture."""
        seen = [(place, request.image) for place, request in enumerate(batch) if request.image is not None]
        texts = [""] * len(batch)
        for part in self.device.batches(seen):
            for (place, _), text in zip(part, self.describe([image for _, image in part]), strict=True):
                texts[place] = text
        return [Caption(text, self.made_by) for text in texts]

    def describe(self, images: Sequence[Image]) -> list[str]:
        """The sentences of one batch of pictures."""
        copies = [np.array(image) for image in images]  # torch warns of arrays that may not be written to
        pixels = self.processor(images=copies, return_tensors="pt")["pixel_values"]
        with self.device.inference():
            tokens = self.model.generate(pixel_values=self.device.put(pixels), **self.options)
        return [text.strip() for text in self.processor.batch_decode(tokens, skip_special_tokens=True)]
