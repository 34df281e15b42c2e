"""How composed checkpoints get onto the disk."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from serve_apps.models.embedded import MANIFEST, RECIPES, compose

RECIPE = """
import os, signal, time
from pathlib import Path

def compose(folder):
    with (Path(__file__).parent / "log").open("a") as log:
        log.write("composed\\n")
    (folder / "weights").write_bytes(b"1" * 1000)
    time.sleep(0.3)
    if (Path(__file__).parent / "die").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / "labels").write_text("all")
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a recipe, importable here, that logs each run and dies half-way when a file `die` lies beside it."""
    name = f"recipe_of_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(RECIPE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def composing(folder: Path, recipe: str, weights: Path) -> subprocess.Popen[bytes]:
    """A process of its own that composes."""
    script = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); from pathlib import Path;"
        f"from serve_apps.models.embedded import compose; compose(Path({str(weights)!r}), {{'it': ({recipe!r}, 1)}})"
    )
    return subprocess.Popen([sys.executable, "-c", script])


def runs(folder: Path) -> int:
    return (folder / "log").read_text().count("composed")


def test_a_checkpoint_is_composed_once(tmp_path: Path, recipe: str) -> None:
    """The second time there is nothing to do; a new version of the recipe is work again."""
    weights = tmp_path / "weights"

    compose(weights, {"it": (recipe, 1)})
    compose(weights, {"it": (recipe, 1)})
    once = runs(tmp_path)
    compose(weights, {"it": (recipe, 2)})

    assert (once, runs(tmp_path)) == (1, 2)
    assert sorted(path.name for path in (weights / "it").iterdir()) == ["labels", MANIFEST, "weights"]
    assert sorted(path.name for path in weights.iterdir()) == [".lock", "it"]


def test_the_manifest_says_what_was_written(tmp_path: Path, recipe: str) -> None:
    """Sizes and SHA-256 of every file."""
    compose(tmp_path / "weights", {"it": (recipe, 1)})

    files = json.loads((tmp_path / "weights" / "it" / MANIFEST).read_text())["files"]

    assert files["labels"] == {"size": 3, "sha256": hashlib.sha256(b"all").hexdigest()}
    assert files["weights"]["size"] == 1000


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_checkpoint_is_composed_anew(damage: str, tmp_path: Path, recipe: str) -> None:
    """A file that is missing or has another size than the manifest says."""
    weights = tmp_path / "weights"
    compose(weights, {"it": (recipe, 1)})
    if damage == "cut":
        (weights / "it" / "weights").write_bytes(b"1")
    else:
        (weights / "it" / "weights").unlink()

    compose(weights, {"it": (recipe, 1)})

    assert (weights / "it" / "weights").read_bytes() == b"1" * 1000


def test_two_processes_at_once_compose_once(tmp_path: Path, recipe: str) -> None:
    """The second waits for the first and finds the work done."""
    both = [composing(tmp_path, recipe, tmp_path / "weights") for _ in range(2)]

    assert [process.wait(60) for process in both] == [0, 0]
    assert runs(tmp_path) == 1


def test_a_killed_process_leaves_nothing_behind(tmp_path: Path, recipe: str) -> None:
    """No half checkpoint is taken for a whole one, no lock stays, and its scratch folder goes with the next run."""
    weights = tmp_path / "weights"
    (tmp_path / "die").touch()
    killed = composing(tmp_path, recipe, weights).wait(60)
    half = (weights / "it").exists()
    (tmp_path / "die").unlink()

    compose(weights, {"it": (recipe, 1)})

    assert killed == -9
    assert not half
    assert sorted(path.name for path in weights.iterdir()) == [".lock", "it"]
    assert (weights / "it" / "labels").read_text() == "all"


def test_composing_again_gives_the_same_bytes(weights: Path, tmp_path: Path) -> None:
    """Every embedded checkpoint, file by file."""
    compose(tmp_path)

    for name in RECIPES:
        again = json.loads((tmp_path / name / MANIFEST).read_text())
        assert again == json.loads((weights / name / MANIFEST).read_text()), name


def test_a_check_of_composed_checkpoints_needs_no_torch(weights: Path) -> None:
    """So every start may make it."""
    script = (
        "import sys; from pathlib import Path; from serve_apps.models.embedded import compose;"
        f"compose(Path({str(weights)!r})); print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False"
