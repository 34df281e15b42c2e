"""Regions of pictures shrunk by area."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from cluster.settings import ModelSpec
from serve_apps.models.area_means import AreaMeans
from serve_apps.models.device import Device
from serve_apps.models.protocol import Image

CPU = Device.of(ModelSpec(kind="faces", cpus=2))


def noise(height: int, width: int) -> Image:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


def by_torch(image: Image, size: tuple[int, int]) -> torch.Tensor:
    return interpolate(torch.from_numpy(image).permute(2, 0, 1)[None].float(), size=size, mode="area")


@pytest.mark.parametrize("size", [(24, 24), (7, 100), (60, 61), (1, 1), (120, 90)])
def test_a_whole_picture_is_shrunk_as_torch_does(size: tuple[int, int]) -> None:
    """Also where cells split pixels, and where the picture grows."""
    image = noise(60, 45)

    ours = AreaMeans([image], CPU)(torch.tensor([0]), torch.tensor([[0, 0, 45, 60]]), *size)

    assert torch.allclose(ours, by_torch(image, size), atol=1e-3)


def test_regions_of_several_pictures_are_cut_at_once() -> None:
    """Each region comes from its own picture, though sizes differ."""
    images = [noise(60, 45), noise(30, 80)]
    owner = torch.tensor([1, 0, 1])
    regions = torch.tensor([[5, 2, 70, 29], [0, 10, 45, 11], [79, 0, 80, 30]])

    ours = AreaMeans(images, CPU)(owner, regions, 12, 12)

    for crop, place, (left, top, right, bottom) in zip(ours, owner, regions, strict=True):
        assert torch.allclose(crop[None], by_torch(images[place][top:bottom, left:right], (12, 12)), atol=1e-3)


def test_sums_beyond_int32_wrap_back() -> None:
    """A white picture of nine megapixels overflows its table, and its means are white all the same."""
    means = AreaMeans([np.full((3000, 3000, 3), 255, np.uint8)], CPU)

    corner = means(torch.tensor([0]), torch.tensor([[2900, 2900, 3000, 3000]]), 4, 4)

    assert corner.min() == corner.max() == 255


def test_boxes_are_cut_at_the_edge_and_empty_beyond_it() -> None:
    """Pixels are counted from one, as MTCNN does; a box outside has no pixels."""
    means = AreaMeans([noise(60, 45)], CPU)

    regions = means.regions(
        torch.tensor([0, 0, 0]), torch.tensor([[-3.5, 2.9, 10.2, 99.0], [50.0, 5.0, 60.0, 9.0], [1.0, 1.0, 45.0, 60.0]])
    )

    assert regions[0].tolist() == [0, 1, 10, 60]
    assert regions[1, 0] >= regions[1, 2]
    assert regions[2].tolist() == [0, 0, 45, 60]
