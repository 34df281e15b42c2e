"""dlib's face network, and the reader of its file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from serve_apps.models.alignment import aligned
from serve_apps.models.dlib_resnet import (
    CHIP_PX,
    DlibResNet,
    grown,
    installed,
    integer,
    load_dlib_resnet,
    parameters,
    state_of,
)
from serve_apps.models.face_networks import DLIB_TEMPLATE
from serve_apps.models.protocol import Image


@pytest.mark.parametrize(
    ("data", "value", "end"), [(b"\x01\x05", 5, 2), (b"\x02\x80\x12", 4736, 3), (b"\x81\x07", -7, 2), (b"\x00", 0, 1)]
)
def test_dlibs_integers_are_read(data: bytes, value: int, end: int) -> None:
    """A control byte, then as many bytes as its low bits say; its high bit is the sign."""
    assert integer(data, 0) == (value, end)


def test_parameters_are_read_layer_by_layer() -> None:
    """Other layers, and what follows a tensor, are passed over."""
    tensor = b"\x01\x02" + b"\x01\x01" * 3 + b"\x01\x02" + np.array([1.5, -2], "<f4").tobytes()
    other = b"\x01\x0amax_pool_2\x01\x03"
    data = b"\x01\x01" + other + b"\x01\x05con_4" + tensor + b"\x01\x07" + other + b"\x01\x05con_4" + tensor

    assert [values.tolist() for values in parameters(data, b"con_4")] == [[1.5, -2], [1.5, -2]]


def test_every_parameter_of_the_package_s_file_has_its_place() -> None:
    """29 convolutions with their scales, and the last layer: nothing is left over, nothing missing."""
    data = installed().read_bytes()

    network = DlibResNet()
    network.load_state_dict(state_of(data))

    assert len(list(parameters(data, b"con_4"))) == len(list(parameters(data, b"affine_"))) == 29
    assert sum(p.numel() for p in network.parameters()) == sum(v.numel() for v in state_of(data).values())


def test_unlike_shapes_are_filled_with_zeros() -> None:
    """As dlib adds them: after the last channel, row and column."""
    filled = grown(torch.ones(1, 2, 2, 1), [3, 2, 4])

    assert filled.shape == (1, 3, 2, 4)
    assert filled.sum() == 4
    assert filled[0, :2, :, 0].min() == 1


def test_distances_on_orl_are_dlibs_own(weights: Path, orl: list[tuple[int, Image]], faces: Any) -> None:
    """dlib itself measures 0.32 between photos of a person and 0.76 between people: so does this."""
    network = load_dlib_resnet(weights / "dlib-resnet").eval()
    template = np.array(DLIB_TEMPLATE, np.float32)
    found = faces.detector.find([image for _, image in orl])
    chips = [aligned(image, face[0].points, template, CHIP_PX) for (_, image), face in zip(orl, found, strict=True)]
    with torch.inference_mode():
        vectors = network(torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2).float())

    distances = torch.cdist(vectors, vectors).numpy()[np.triu_indices(len(orl), 1)]

    people = np.array([person for person, _ in orl])
    same = (people[:, None] == people)[np.triu_indices(len(orl), 1)]
    assert distances[same].mean() == pytest.approx(0.33, abs=0.05)
    assert distances[~same].mean() == pytest.approx(0.75, abs=0.04)
    assert roc_auc_score(same, -distances) > 0.999
