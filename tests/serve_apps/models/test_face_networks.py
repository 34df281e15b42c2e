"""InceptionResnetV1 with weights of the operator's own."""

from pathlib import Path

import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from safetensors.torch import save_file

from cluster.errors import Unavailable
from cluster.settings import ModelSpec
from serve_apps.models import load
from serve_apps.models.face_networks import face_network
from serve_apps.models.protocol import Image


@pytest.fixture(scope="module")
def network() -> InceptionResnetV1:
    torch.manual_seed(0)
    return InceptionResnetV1().eval()


@pytest.fixture(scope="module")
def kept(network: InceptionResnetV1, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with the network's weights as safetensors and, with a classifier's head, as a .pt file."""
    weights = tmp_path_factory.mktemp("weights")
    (weights / "facenet").mkdir()
    save_file(network.state_dict(), weights / "facenet" / "vggface2.safetensors")
    torch.save(network.state_dict() | {"logits.weight": torch.zeros(3, 512)}, weights / "other.pt")
    return weights


def test_kept_weights_are_used_rather_than_fetched(kept: Path, network: InceptionResnetV1) -> None:
    """`facenet:vggface2` is a file of the weights folder where there is one."""
    loaded = face_network(ModelSpec(kind="faces", checkpoint="facenet:vggface2"), kept)
    loaded.module.eval()

    faces = torch.randint(0, 256, (2, 3, 160, 160), dtype=torch.uint8)
    with torch.inference_mode():
        assert torch.allclose(loaded(faces), network((faces - 127.5) / 128), atol=1e-5)


def test_a_file_anywhere_is_loaded_without_its_classifier(kept: Path, network: InceptionResnetV1) -> None:
    """`facenet:/path.pt` is read with weights_only, and a head of classes is left out."""
    loaded = face_network(ModelSpec(kind="faces", checkpoint=f"facenet:{kept / 'other.pt'}"), kept)

    theirs = network.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in loaded.module.state_dict().items())


def test_faces_become_512_numbers(kept: Path, orl: list[tuple[int, Image]]) -> None:
    """The whole face model runs with the other network; its weights here are random, so who is who is not asked."""
    model = load(ModelSpec(kind="faces", checkpoint="facenet:vggface2", cpus=2), kept)

    ((face,),) = model.predict([orl[0][1]])

    assert len(face.embedding) == 512
    assert torch.tensor(face.embedding).norm() == pytest.approx(1, abs=1e-5)


def test_weights_that_are_nowhere_are_said_so(tmp_path: Path) -> None:
    """With the names that can be fetched."""
    with pytest.raises(Unavailable, match=r"no weights in nobody; name a .pt or .safetensors file, or vggface2"):
        face_network(ModelSpec(kind="faces", checkpoint="facenet:nobody"), tmp_path)
