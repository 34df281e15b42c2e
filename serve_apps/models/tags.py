"""Words for what is seen: the classes of ImageNet, or any vocabulary through a model of pictures and texts."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from cluster.errors import SettingsError
from cluster.settings import ModelSpec
from serve_apps.models.checkpoints import locate
from serve_apps.models.device import Device
from serve_apps.models.efficientnet import load_classifier
from serve_apps.models.pairs import open_pair
from serve_apps.models.pixels import Pixels
from serve_apps.models.protocol import Embedding, Image, Tag
from serve_apps.models.vocabulary import PROMPTS, WORDS

MAX_TAGS = 5


class ImageNetTags:
    """EfficientNet-Lite0's likeliest classes.

    Options: `min_score` (0.1) below which a class is dropped, `max_tags` (5).
    """

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.device = Device.of(spec)
        self.min_score, self.max_tags = limits(spec)
        model, transform, labels = load_classifier(locate(spec, weights))
        self.model = self.device.place(model, channels_last=True)
        self.pixels = Pixels.of(transform, self.device)
        self.labels = [label.split(", ")[0] for label in labels]

    def predict(self, batch: Sequence[Image]) -> list[list[Tag]]:
        """The tags of each picture, the likeliest first."""
        tags: list[list[Tag]] = []
        for part in self.device.batches(batch):
            with self.device.inference():
                likelihoods = self.model(self.pixels(part)).float().softmax(1)
            tags.extend(best(self.labels, row, self.min_score, self.max_tags) for row in likelihoods.tolist())
        return tags


def limits(spec: ModelSpec) -> tuple[float, int]:
    """The lowest score and the largest number of tags that a spec asks for."""
    return float(spec.options.get("min_score", 0.1)), int(spec.options.get("max_tags", MAX_TAGS))


def best(labels: Sequence[str], scores: Iterable[float], min_score: float, count: int) -> list[Tag]:
    """The `count` highest scores with their labels, the highest first; a label that two classes share comes once."""
    highest: dict[str, float] = {}
    for score, label in sorted(zip(scores, labels, strict=True), key=lambda pair: (-pair[0], pair[1])):
        if score < min_score or len(highest) == count:
            break
        highest.setdefault(label, score)
    return [Tag(label, score) for label, score in highest.items()]


class ZeroShotTags:
    """The words of a vocabulary that a picture is likeliest of, by a model of pictures and texts.

    SigLIP judges each word for itself, CLIP one against the others. Options: `vocabulary` (a file, a word per line),
    `prompts` (sentences with {}), `min_score` (0.1), `max_tags` (5).
    """

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.pair = open_pair(spec, weights)
        self.min_score, self.max_tags = limits(spec)
        words = vocabulary(spec)
        self.labels = [bare(word) for word in words]
        self.words = self.embedded([str(prompt) for prompt in spec.options.get("prompts", PROMPTS)], words)
        self.scale, self.bias = self.pair.logits()

    def predict(self, batch: Sequence[Image]) -> list[list[Tag]]:
        """The tags of each picture, the likeliest first."""
        tags: list[list[Tag]] = []
        for part in self.pair.device.batches(batch):
            rows = self.likelihoods(self.pair.embed_images(part))
            tags.extend(best(self.labels, row, self.min_score, self.max_tags) for row in rows.tolist())
        return tags

    def embedded(self, prompts: Sequence[str], words: Sequence[str]) -> Embedding:
        """(W, D) the unit mean over the prompts of each word."""
        sentences = [prompt.format(word) for prompt in prompts for word in words]
        rows = np.concatenate([self.pair.embed_texts(part) for part in self.pair.device.batches(sentences)])
        mean = rows.reshape(len(prompts), len(words), -1).mean(0)
        unit: Embedding = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return unit

    def likelihoods(self, pictures: Embedding) -> Embedding:
        """(N, W) how likely each word is of each picture (N, D)."""
        logits = torch.from_numpy(self.scale * (pictures @ self.words.T) + (self.bias or 0.0))
        rows: Embedding = (logits.softmax(1) if self.bias is None else logits.sigmoid()).numpy()
        return rows


def vocabulary(spec: ModelSpec) -> list[str]:
    """The words of the file that a spec's options name, one a line, or the built-in ones.

    Raises SettingsError when the file is not there or has none.
    """
    if "vocabulary" not in spec.options:
        return list(WORDS)
    file = Path(spec.options["vocabulary"]).expanduser()
    if not file.is_file():
        raise SettingsError(f"options.vocabulary: there is no file {file}; name one with a word per line")
    words = [line.strip() for line in file.read_text("utf8").splitlines() if line.strip()]
    if not words:
        raise SettingsError(f"options.vocabulary: {file} has no words; write one per line")
    return words


def bare(word: str) -> str:
    """The word without its article, as a label."""
    article, _, rest = word.partition(" ")
    return rest if rest and article in ("a", "an", "the") else word
