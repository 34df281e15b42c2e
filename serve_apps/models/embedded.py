"""The embedded checkpoints: composed once, out of installed packages, into a folder. Nothing is fetched.

What each is made of is its recipe's business; here is how it gets onto the disk: one process at a time, whole or
not at all, with a manifest of what was written.
"""

import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

Recipe: TypeAlias = tuple[str, int]  # a module with compose(folder), and its version: a new one composes anew
RECIPES: dict[str, Recipe] = {
    "dlib-resnet": ("serve_apps.models.dlib_resnet", 1),
    "efficientnet-lite0": ("serve_apps.models.efficientnet", 1),
    "clip": ("serve_apps.models.embedded_clip", 1),
}
MANIFEST = "manifest.json"

log = logging.getLogger(__name__)


def compose(weights: Path, recipes: Mapping[str, Recipe] = RECIPES) -> None:
    """Compose every embedded checkpoint that a folder lacks, as <weights>/<name>; about half a minute the first time.

    Safe to call from several processes at once and to kill at any moment. Raises Unavailable when a package is missing.
    """
    if all(composed(weights / name, version) for name, (_, version) in recipes.items()):
        return
    weights.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(weights / ".lock"):
        for name, (recipe, version) in recipes.items():
            if not composed(weights / name, version):
                compose_one(weights / name, recipe, version)


def composed(folder: Path, version: int) -> bool:
    """Whether a folder holds a checkpoint of this version, every file of its manifest with its size."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        sizes = {name: (folder / name).stat().st_size for name in manifest["files"]}
    except (FileNotFoundError, NotADirectoryError):
        return False
    return bool(manifest["version"] == version) and all(
        sizes[name] == file["size"] for name, file in manifest["files"].items()
    )


def compose_one(folder: Path, recipe: str, version: int) -> None:
    """Run a recipe into a scratch folder beside the checkpoint's, and put it in that one's place."""
    started = perf_counter()
    log.info("composing the checkpoint %s", folder.name)
    with scratch(folder) as made:
        import_module(recipe).compose(made)
        write_manifest(made, version)
        replace(made, folder)
    log.info("composed the checkpoint %s in %.0f s", folder.name, perf_counter() - started)


def write_manifest(folder: Path, version: int) -> None:
    """Flush every file of a folder to disk and write down its size and SHA-256."""
    files = {}
    for path in sorted(folder.iterdir()):
        path.chmod(0o644)  # safetensors writes for the owner alone, and others may run the models
        flush(path)
        files[path.name] = {"size": path.stat().st_size, "sha256": sha256(path)}
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"version": version, "files": files}, indent=1), "utf8")
    flush(manifest)
    flush(folder)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(made: Path, folder: Path) -> None:
    """Put one folder in another's place; the old one, if there is one, goes."""
    if folder.exists():
        folder.rename(made.with_suffix(".old"))
    made.rename(folder)
    flush(folder.parent)
    shutil.rmtree(made.with_suffix(".old"), ignore_errors=True)


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A new folder beside another, gone afterwards unless it was moved; those of killed processes go first."""
    for left_behind in folder.parent.glob(f".{folder.name}-*"):
        shutil.rmtree(left_behind)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    made.chmod(0o755)  # mkdtemp's is the owner's alone
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """A context that one process of this machine is in at a time; a killed one leaves it."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
