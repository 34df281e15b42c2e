"""Our cascade finds what facenet-pytorch's own does, and survives what that does not."""

from itertools import chain

import numpy as np
import pytest
from facenet_pytorch import MTCNN

from cluster.settings import ModelSpec
from serve_apps.models.device import Device
from serve_apps.models.mtcnn import Found, Mtcnn
from serve_apps.models.protocol import Image


@pytest.fixture(scope="module")
def detector() -> Mtcnn:
    return Mtcnn(Device.of(ModelSpec(kind="faces", cpus=2)), 20)


@pytest.fixture(scope="module")
def group(orl: list[tuple[int, Image]]) -> Image:
    """Twelve portraits in one picture."""
    images = [image for _, image in orl[::2][:12]]
    return np.concatenate([np.concatenate(images[row : row + 4], 1) for row in (0, 4, 8)])


def by_area(faces: list[Found]) -> list[Found]:
    return sorted(faces, key=lambda face: -float(np.prod(face.box[2:] - face.box[:2])))


@pytest.mark.parametrize("name", ["astronaut", "camera", "group"])
def test_faces_are_those_of_the_reference(name: str, detector: Mtcnn, photos: dict[str, Image], group: Image) -> None:
    """Boxes, landmarks and scores agree with facenet-pytorch's to a hundredth of a pixel."""
    image = (photos | {"group": group})[name]
    boxes, scores, points = MTCNN(keep_all=True, device="cpu").detect(image, landmarks=True)

    found = by_area(detector.find([image])[0])

    assert len(found) == len(boxes)
    assert np.abs(np.stack([face.box for face in found]) - boxes.astype(float)).max() < 0.01
    assert np.abs(np.stack([face.points for face in found]) - points.astype(float)).max() < 0.01
    assert np.abs(np.array([face.score for face in found]) - scores.astype(float)).max() < 1e-4


def test_pictures_of_unlike_sizes_go_through_together(
    detector: Mtcnn, photos: dict[str, Image], orl: list[tuple[int, Image]]
) -> None:
    """What is found in a picture does not depend on its neighbours."""
    images = [photos["astronaut"], orl[0][1], photos["chelsea"], orl[5][1]]
    together = Mtcnn(detector.device, 20)
    together.at_once = 4

    found = together.find(images)

    alone = [detector.find([image])[0] for image in images]
    assert [len(faces) for faces in found] == [len(faces) for faces in alone] == [1, 1, 0, 1]
    for here, there in zip(chain(*found), chain(*alone), strict=True):
        assert np.abs(here.box - there.box).max() < 0.01


@pytest.mark.parametrize("size", [(1, 1), (19, 400), (20, 20), (20, 900), (900, 21), (37, 41)])
@pytest.mark.parametrize("value", ["black", "noise"])
def test_odd_pictures_have_no_faces_and_do_no_harm(size: tuple[int, int], value: str, detector: Mtcnn) -> None:
    """Smaller than a face, thin as a line, empty or noisy: facenet-pytorch raises on some of these."""
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    image = noise if value == "noise" else np.zeros_like(noise)

    assert detector.find([image]) == [[]]


def test_faces_smaller_than_asked_for_are_not_looked_for(detector: Mtcnn, photos: dict[str, Image]) -> None:
    """The smallest face is an option: here larger than the astronaut's."""
    assert Mtcnn(detector.device, 300).find([photos["astronaut"]]) == [[]]
