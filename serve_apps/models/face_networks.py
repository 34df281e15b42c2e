"""The networks that turn an aligned face into numbers, each with the form it wants its faces in.

dlib's (128 numbers) comes composed; InceptionResnetV1's (512) are the operator's, or fetched by facenet-pytorch.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import numpy as np
import torch
from facenet_pytorch import InceptionResnetV1
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from cluster.errors import Unavailable
from cluster.settings import ModelSpec
from serve_apps.models.checkpoints import PICKLED, SAFE, found, locate
from serve_apps.models.dlib_resnet import CHIP_PX, load_dlib_resnet

FACENET = "facenet:"
PRETRAINED = ("vggface2", "casia-webface")

# Where MTCNN's eyes, nose and mouth corners lie, left and right as seen: in dlib's chips of 150 px with a padding of a
# quarter, and in MTCNN's own boxes stretched to 160 px (what InceptionResnetV1 was trained on). Medians over ORL.
DLIB_TEMPLATE = ((46.10, 47.19), (102.23, 46.85), (74.39, 77.30), (49.35, 104.62), (98.69, 104.72))
FACENET_TEMPLATE = ((48.80, 59.86), (116.15, 60.14), (82.21, 95.56), (52.95, 125.92), (111.16, 127.05))


@dataclass(frozen=True)
class FaceNetwork:
    """A network, and the faces it wants: their size, where the landmarks lie in them, and the range of values."""

    module: nn.Module
    size_px: int
    template: NDArray[np.float32]  # (5, 2) px
    middle: float  # subtracted from 0..255
    spread: float  # divided by

    def __call__(self, faces: Tensor) -> Tensor:
        """(N, 3, size, size) uint8 to (N, D)."""
        vectors: Tensor = self.module((faces.float() - self.middle) / self.spread)
        return vectors


def face_network(spec: ModelSpec, weights: Path) -> FaceNetwork:
    """The network a spec's checkpoint names: `facenet:` InceptionResnetV1, any other a folder of dlib's.

    Raises Unavailable when its weights are not there.
    """
    if spec.checkpoint.startswith(FACENET):
        module = facenet(spec.checkpoint.removeprefix(FACENET), weights / "facenet")
        return FaceNetwork(module, 160, np.array(FACENET_TEMPLATE, np.float32), 127.5, 128.0)
    return FaceNetwork(load_dlib_resnet(locate(spec, weights)), CHIP_PX, np.array(DLIB_TEMPLATE, np.float32), 0.0, 1.0)


def facenet(name: str, kept: Path) -> InceptionResnetV1:
    """InceptionResnetV1 with the weights of a file or folder, or of a name: kept as a file of that name, or fetched."""
    file = weight_file(Path(name).expanduser()) or weight_file(kept, name)
    if file is None:
        return fetched(name, kept)
    state = load_file(file) if file.suffix == ".safetensors" else torch.load(file, weights_only=True)
    module = InceptionResnetV1()
    module.load_state_dict({key: value for key, value in state.items() if not key.startswith("logits.")})
    return module


def weight_file(path: Path, stem: str = "*") -> Path | None:
    """The file itself, or the first weights of that stem in a folder, safe ones first; None when there are none."""
    if path.is_file():
        return path
    return next(iter(found(path, [stem + pattern[1:] for pattern in (*SAFE, *PICKLED)])), None)


def fetched(name: str, kept: Path) -> InceptionResnetV1:
    """InceptionResnetV1 as facenet-pytorch fetches it into torch's cache; raises Unavailable when it cannot."""
    if name not in PRETRAINED:
        raise Unavailable(
            f"there are no weights in {name}; name a .pt or .safetensors file, or {' or '.join(PRETRAINED)}"
        )
    try:
        return InceptionResnetV1(pretrained=name)
    except (URLError, OSError) as error:
        raise Unavailable(
            f"the weights facenet:{name} could not be fetched ({error}); copy them to {kept / name}.pt, or connect "
            f"this machine once"
        ) from error
