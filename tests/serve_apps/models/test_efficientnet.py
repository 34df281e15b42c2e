"""EfficientNet-Lite0 out of its package."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from serve_apps.models.efficientnet import FILE, installed, labels, load_classifier


def test_labels_are_imagenets_in_order() -> None:
    """The first and the last class, with their synonyms."""
    assert len(labels()) == 1000
    assert labels()[0] == "tench, Tinca tinca"
    assert labels()[999].startswith("toilet tissue")


def test_every_weight_of_the_package_is_kept(weights: Path) -> None:
    """Under other names, in the same order, with the same values."""
    source = torch.load(installed(), weights_only=True)

    kept = load_file(weights / "efficientnet-lite0" / FILE)

    model, _, names = load_classifier(weights / "efficientnet-lite0")
    assert len(names) == 1000
    for value, key in zip(source.values(), model.state_dict(), strict=True):
        assert torch.equal(value, kept[key])
