"""Pictures become the tensors that a checkpoint's own preprocessing would make."""

from typing import Any

import numpy as np
import open_clip
import PIL.Image
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from timm.data import create_transform

from cluster.settings import ModelSpec
from serve_apps.models.device import Device
from serve_apps.models.pixels import Pixels
from serve_apps.models.protocol import Image

CPU = Device.of(ModelSpec(kind="clip", cpus=2))
TRANSFORMS = {
    "open_clip shortest": image_transform_v2(PreprocessCfg(size=224, resize_mode="shortest"), is_train=False),
    "open_clip squash": image_transform_v2(PreprocessCfg(size=96, resize_mode="squash"), is_train=False),
    "open_clip longest": image_transform_v2(PreprocessCfg(size=96, resize_mode="longest"), is_train=False),
    "timm": create_transform((3, 224, 224), interpolation="bicubic", crop_pct=0.875),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("size", [(480, 720), (720, 480), (64, 301), (10, 10), (224, 224)])
def test_a_batch_equals_the_transform_of_each_picture(name: str, size: tuple[int, int]) -> None:
    """Resizing, cropping and normalizing are the transform's own, to the last bit but one."""
    image: Image = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    transform: Any = TRANSFORMS[name]

    ours = Pixels.of(transform, CPU)([image, image[::-1].copy()])

    theirs = torch.stack([transform(PIL.Image.fromarray(each)) for each in (image, image[::-1].copy())])
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_pixels_are_channels_last() -> None:
    """Convolutions get the layout they are fastest in without a copy."""
    image = np.zeros((50, 50, 3), np.uint8)

    ours = Pixels.of(TRANSFORMS["timm"], CPU)([image, image])

    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_open_clip_still_preprocesses_the_way_it_is_taken_apart() -> None:
    """The conversion to a tensor is found in open_clip's own list of steps."""
    steps = [type(step).__name__ for step in TRANSFORMS["open_clip shortest"].transforms]

    assert "Normalize" in steps, open_clip.__version__
