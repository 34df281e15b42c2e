"""dlib's face network (dlib_face_recognition_resnet_model_v1, 128 numbers a face) in torch, and a reader of its file.

The reader knows just enough of dlib's serialization to find the layers' parameters; the network's shape is written
here. Each per-channel scale is multiplied into the convolution before it, so what is left is plain convolutions.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, pad, relu

from cluster.errors import Unavailable

PACKAGE = "face_recognition_models"
SOURCE = "models/dlib_face_recognition_resnet_model_v1.dat"
FILE = "model.safetensors"
CHIP_PX = 150
WIDTH = 128
MEAN_RGB = (122.782, 117.001, 104.298)
BLOCKS = (  # channels in, channels out, halves the resolution
    (32, 32, False), (32, 32, False), (32, 32, False),
    (32, 64, True), (64, 64, False), (64, 64, False), (64, 64, False),
    (64, 128, True), (128, 128, False), (128, 128, False),
    (128, 256, True), (256, 256, False), (256, 256, False),
    (256, 256, True),
)  # fmt: skip

Floats = NDArray[np.float32]


class Residual(nn.Module):
    """Two 3x3 convolutions beside a short cut."""

    def __init__(self, channels_in: int, channels_out: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, 2 if halves else 1, 0 if halves else 1)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C', H', W')."""
        y = self.conv2(relu(self.conv1(x)))
        if self.halves:
            x = avg_pool2d(x, 2, 2)
            shape = [max(sizes) for sizes in zip(x.shape[1:], y.shape[1:], strict=True)]
            x, y = grown(x, shape), grown(y, shape)  # dlib adds tensors of unlike shape as if zeros filled the rest
        return relu(x + y)


def grown(x: Tensor, shape: list[int]) -> Tensor:
    """The tensor with zeros after its last channel, row and column, up to a shape (C, H, W)."""
    channels, height, width = (target - size for target, size in zip(shape, x.shape[1:], strict=True))
    return pad(x, (0, width, 0, height, 0, channels))


class DlibResNet(nn.Module):
    """The network: aligned RGB faces of 150 px, 0..255, become 128 numbers each."""

    mean: Tensor  # of the values per channel

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, 2)
        self.blocks = nn.Sequential(*(Residual(*block) for block in BLOCKS))
        self.head = nn.Linear(256, WIDTH, bias=False)
        self.register_buffer("mean", torch.tensor(MEAN_RGB).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 150, 150) to (N, 128), nearly of unit length."""
        x = max_pool2d(relu(self.stem((x - self.mean) / 256)), 3, 2)
        head: Tensor = self.head(self.blocks(x).mean((2, 3)))
        return head


def load_dlib_resnet(folder: Path) -> DlibResNet:
    """The network with the weights that `compose` left in a folder."""
    network = DlibResNet()
    network.load_state_dict(load_file(folder / FILE))
    return network


def compose(folder: Path) -> None:
    """Write the weights of the installed package's dlib file to a folder, as safetensors."""
    save_file(state_of(installed().read_bytes()), folder / FILE)


def installed() -> Path:
    """The dlib file inside its package, which is not imported: its __init__ wants pkg_resources.

    Raises Unavailable when the package is not installed.
    """
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise Unavailable(f"the package {PACKAGE} is not installed; run `make` to install what is missing")
    return Path(package.submodule_search_locations[0]) / SOURCE


def state_of(data: bytes) -> dict[str, Tensor]:
    """The state of a DlibResNet out of the bytes of dlib's file."""
    names = ["stem", *(f"blocks.{n}.conv{half}" for n in range(len(BLOCKS)) for half in (1, 2))]
    shapes = {name: tensor.shape for name, tensor in DlibResNet().state_dict().items()}
    state = {}
    layers = zip(names, parameters(data, b"con_4"), parameters(data, b"affine_"), strict=True)
    for name, convolution, affine in layers:
        shape = shapes[f"{name}.weight"]
        gamma, beta = np.split(affine, 2)
        weight, bias = np.split(convolution, [convolution.size - shape[0]])
        state[f"{name}.weight"] = torch.from_numpy(weight.reshape(shape) * gamma[:, None, None, None])
        state[f"{name}.bias"] = torch.from_numpy(bias * gamma + beta)
    (head,) = parameters(data, b"fc_2", integers_before=2)
    state["head.weight"] = torch.from_numpy(head.reshape(256, WIDTH).T.copy())
    return state


def parameters(data: bytes, layer: bytes, integers_before: int = 0) -> Iterator[Floats]:
    """The parameters of every layer of a kind, from the input on, each flat: dlib saves the innermost first."""
    marker = b"\x01" + bytes([len(layer)]) + layer  # a string: its length as an integer, then its characters
    at = data.find(marker)
    while at >= 0:
        at += len(marker)
        for _ in range(integers_before):
            _, at = integer(data, at)
        values, at = tensor(data, at)
        yield values
        at = data.find(marker, at)


def tensor(data: bytes, at: int) -> tuple[Floats, int]:
    """A tensor, flat, and the place after it: a version, four sizes, then raw little-endian float32."""
    count = 1
    _, at = integer(data, at)
    for _ in range(4):
        size, at = integer(data, at)
        count *= size
    return np.frombuffer(data, "<f4", count, at).copy(), at + 4 * count


def integer(data: bytes, at: int) -> tuple[int, int]:
    """An integer and the place after it: a control byte (bytes that follow, and the sign), then little-endian bytes."""
    control = data[at]
    end = at + 1 + (control & 15)
    size = int.from_bytes(data[at + 1 : end], "little")
    return (-size if control & 128 else size), end
