"""Pictures as arrays in, one normalised tensor out: what a checkpoint's own preprocessing does, a batch at a time.

Resizing runs on PIL over decoded pixels; they cross to the device as bytes and become floats there.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import numpy as np
import PIL.Image
import torch
from torch import Tensor
from torchvision.transforms import Normalize, ToTensor

from serve_apps.models.device import Device
from serve_apps.models.protocol import Image


class Pixels:
    """A checkpoint's preprocessing, split into geometry (per picture) and arithmetic (per batch, on the device)."""

    def __init__(self, geometry: Sequence[Callable[[Any], Any]], normalize: Normalize, device: Device) -> None:
        self.geometry = tuple(geometry)
        self.device = device
        self.threads = ThreadPoolExecutor(device.threads)  # PIL resizes without holding the interpreter
        # x / 255, minus the mean, over the deviation, as one multiplication and one addition
        mean, std = torch.as_tensor(normalize.mean), torch.as_tensor(normalize.std)
        self.scale = (1 / (255 * std)).view(1, 3, 1, 1).to(device.name)
        self.shift = (-mean / std).view(1, 3, 1, 1).to(device.name)

    @classmethod
    def of(cls, transform: Any, device: Device) -> Self:
        """The same as a torchvision Compose of resizing and cropping, a conversion to a tensor, and Normalize."""
        steps = list(transform.transforms)
        cut = next(n for n, step in enumerate(steps) if is_to_tensor(step))
        normalize = next(step for step in steps[cut:] if isinstance(step, Normalize))
        return cls(steps[:cut], normalize, device)

    def __call__(self, images: Sequence[Image]) -> Tensor:
        """(N, 3, H, W) float32 on the device, channels last in memory."""
        stack = np.stack(list(self.threads.map(self.shaped, images)))  # (N, H, W, 3) uint8
        bytes_there = self.device.put(torch.from_numpy(stack))
        return bytes_there.permute(0, 3, 1, 2).float().mul_(self.scale).add_(self.shift)

    def shaped(self, image: Image) -> Image:
        """One picture at the checkpoint's size, (H, W, 3) uint8."""
        picture: Any = PIL.Image.fromarray(image)
        for step in self.geometry:
            picture = step(picture)
        return np.asarray(picture)


def is_to_tensor(step: Any) -> bool:
    """Whether a step turns a picture into a float tensor (torchvision's, timm's and open_clip's own all say so)."""
    return isinstance(step, ToTensor) or type(step).__name__ == "MaybeToTensor"
