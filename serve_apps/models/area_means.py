"""Shrink regions of pictures by area, thousands at once: summed-area tables make every cell four look-ups.

The cells are those of torch's adaptive average pooling (`interpolate(mode="area")`), and so are the means.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from serve_apps.models.device import Device
from serve_apps.models.protocol import Image


class AreaMeans:
    """Pictures of any sizes, ready to be cut and shrunk."""

    def __init__(self, images: Sequence[Image], device: Device) -> None:
        self.sizes = [(image.shape[0], image.shape[1]) for image in images]  # height, width
        tables = [table(image, device) for image in images]
        starts = np.cumsum([0] + [len(sums) for sums in tables[:-1]])
        self.sums = torch.cat(tables) if len(tables) > 1 else tables[0]
        self.starts = torch.from_numpy(starts).to(device.name)
        self.shapes = torch.tensor(self.sizes, device=device.name)

    def regions(self, owner: Tensor, boxes: Tensor) -> Tensor:
        """(K, 4) the whole pixels of boxes, counted from one and cut at their pictures' edges; empty when outside."""
        corners = boxes.trunc().long()
        sizes = self.shapes[owner].flip(1)  # width, height
        return torch.cat([corners[:, :2].clamp_min(1) - 1, torch.minimum(corners[:, 2:], sizes)], 1)

    def __call__(self, owner: Tensor, regions: Tensor, height: int, width: int) -> Tensor:
        """(K, 3, height, width) float32, channels last: each region (K, 4) of picture `owner` (K,), shrunk."""
        left, top, right, bottom = regions.T
        stride = (self.shapes[owner, 1] + 1)[:, None]
        start = self.starts[owner][:, None]
        x0, x1 = edges(left, right, width)
        y0, y1 = edges(top, bottom, height)
        above, below = start + y0 * stride, start + y1 * stride
        total = self.at(below, x1) - self.at(above, x1) - self.at(below, x0) + self.at(above, x0)
        count = ((y1 - y0)[:, :, None] * (x1 - x0)[:, None, :])[..., None]
        return (total / count).permute(0, 3, 1, 2)

    def at(self, rows: Tensor, columns: Tensor) -> Tensor:
        """(K, H, W, 3) the sums where rows (K, H), as places in the table, meet columns (K, W)."""
        places = rows[:, :, None] + columns[:, None, :]
        return self.sums.index_select(0, places.flatten()).view(*places.shape, 3)


def table(image: Image, device: Device) -> Tensor:
    """((H + 1)(W + 1), 3) int32 on the device: at each corner of pixels, the sum of all above and left of it.

    The sums of a large picture wrap round, and so do their differences, back to the right ones.
    """
    if not device.cuda:
        return torch.from_numpy(cv2.integral(image)).view(-1, 3)
    pixels = device.put(torch.from_numpy(np.array(image)))  # a quarter of the sums' bytes
    sums = pixels.cumsum(0, dtype=torch.int32).cumsum(1, dtype=torch.int32)
    return pad(sums, (0, 0, 1, 0, 1, 0)).view(-1, 3)


def edges(first: Tensor, last: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """(K, count) where each of `count` cells between two edges (K,) begins and ends; cells share split pixels."""
    steps = torch.arange(count, device=first.device)
    length = (last - first)[:, None]
    begins = steps * length // count
    ends = ((steps + 1) * length + count - 1) // count
    return first[:, None] + begins, first[:, None] + ends
