"""Where checkpoints lie."""

from pathlib import Path

import pytest

from cluster.errors import Unavailable
from cluster.settings import ModelSpec
from serve_apps.models.checkpoints import SAFE, fetch, found, locate


def spec(checkpoint: str) -> ModelSpec:
    return ModelSpec(kind="clip", checkpoint=checkpoint)


def test_an_embedded_checkpoint_lies_in_the_weights(tmp_path: Path) -> None:
    """By its name."""
    (tmp_path / "clip").mkdir()

    assert locate(spec("embedded:clip"), tmp_path) == tmp_path / "clip"


@pytest.mark.parametrize("prefix", ["", "local-dir:"])
def test_a_folder_may_be_named_with_or_without_its_prefix(prefix: str, tmp_path: Path) -> None:
    """open_clip's way of writing it, and the plain one."""
    assert locate(spec(f"{prefix}{tmp_path}"), tmp_path / "weights") == tmp_path


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    """With its path and the setting to mend."""
    with pytest.raises(Unavailable, match=f"{tmp_path}/none does not exist; mend `checkpoint`"):
        locate(spec(f"{tmp_path}/none"), tmp_path)


def test_the_files_of_the_first_pattern_come_first(tmp_path: Path) -> None:
    """Safe weights before pickled ones."""
    for name in ("b.safetensors", "a.pt", "a.safetensors"):
        (tmp_path / name).touch()

    names = [path.name for path in found(tmp_path, [*SAFE, "*.pt"])]

    assert names == ["a.safetensors", "b.safetensors", "a.pt"]


def test_a_hub_checkpoint_that_is_kept_whole_is_not_asked_for_again(tmp_path: Path) -> None:
    """At its revision, from the hub's cache in the weights; another revision is another checkpoint."""
    kept = tmp_path / "hub" / "models--owner--name"
    commit = kept / "snapshots" / ("a" * 40)
    commit.mkdir(parents=True)
    (commit / "model.safetensors").touch()
    (kept / "refs").mkdir()
    (kept / "refs" / "v2").write_text("a" * 40)
    (tmp_path / "hub" / "owner--name@v2.whole").touch()

    assert fetch("owner/name", "v2", tmp_path / "hub") == commit
    for name in ("owner/name", "hf-hub:owner/name"):
        assert locate(ModelSpec(kind="clip", checkpoint=name, revision="v2"), tmp_path) == commit


def test_a_hub_checkpoint_that_cannot_be_had_is_unavailable(tmp_path: Path) -> None:
    """The sentence names it, the reason, and a way without the hub."""
    with pytest.raises(Unavailable, match=r"no/such/name at main could not be fetched .* name a local folder"):
        locate(spec("hf-hub:no/such/name"), tmp_path)

    assert not list(tmp_path.rglob("*.whole"))
