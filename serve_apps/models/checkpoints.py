"""Where the checkpoint that a spec names lies on this machine; a hub's is fetched first, at the spec's revision.

`embedded:NAME` is a folder of the composed weights, `hf-hub:OWNER/NAME` or `OWNER/NAME` a hub repository, anything
else a path. Knows nothing of what is inside.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from cluster.errors import Unavailable
from cluster.settings import ModelSpec
from cluster.store.durable import locked

EMBEDDED, LOCAL, HUB = "embedded:", "local-dir:", "hf-hub:"
SAFE = ("*.safetensors",)
PICKLED = ("*.bin", "*.pt", "*.pth")  # read with weights_only=True
BESIDE = ("*.json", "*.txt", "*.model", "*.jinja")  # configurations, tokenizers, preprocessors, chat templates


def locate(spec: ModelSpec, weights: Path, prefer: str = "") -> Path:
    """The folder (or file) of the spec's checkpoint. `prefer` begins the names of the weight files wanted.

    Raises Unavailable when it is not there or cannot be fetched.
    """
    name = spec.checkpoint
    if name.startswith(EMBEDDED):
        return existing(weights / name.removeprefix(EMBEDDED), f"{name} is not composed", "run `brightroom up` once")
    path = Path(name.removeprefix(LOCAL)).expanduser()
    if name.startswith(LOCAL) or path.exists() or path.is_absolute():
        return existing(path.absolute(), f"the checkpoint {name} is not there", "mend `checkpoint` in the settings")
    return fetch(name.removeprefix(HUB), spec.revision, weights / "hub", prefer)


def existing(path: Path, fault: str, advice: str) -> Path:
    """The path itself; raises Unavailable with the fault and the advice when nothing is there."""
    if not path.exists():
        raise Unavailable(f"{fault}: {path} does not exist; {advice}")
    return path


def fetch(repository: str, revision: str, cache: Path, prefer: str = "") -> Path:
    """The folder of a hub repository at a revision; what was fetched whole once is never asked for again.

    A branch is pinned to the commit at which it was first fetched here: the ledger has one name for it, and that must
    mean one set of weights. Raises Unavailable when it is neither in the cache nor to be had.
    """
    kept = Kept(cache, repository, revision)
    try:
        return kept.whole(prefer) or fetched(kept, prefer)
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
        raise Unavailable(
            f"the checkpoint {repository} at {revision} could not be fetched ({reason}); connect this machine to the "
            f"hub once, or name a local folder in `checkpoint`"
        ) from error


@dataclass(frozen=True)
class Kept:
    """What is noted in the hub's cache of a repository at a revision: its commit, and what of it is there whole."""

    cache: Path
    repository: str
    revision: str

    def note(self, ending: str) -> Path:
        """The file of one note."""
        return self.cache / f"{self.repository}@{self.revision}{ending}".replace("/", "--")

    @property
    def commit(self) -> str:
        """The commit that the revision means on this machine; empty before it is pinned."""
        pin = self.note(".commit")
        return pin.read_text("utf8") if pin.exists() else ""

    def whole(self, prefer: str) -> Path | None:
        """The folder, when the weights that begin so were fetched to the end and are still there."""
        folder = self.cache / f"models--{self.repository.replace('/', '--')}" / "snapshots" / self.commit
        return folder if self.commit and self.note(f"+{prefer}.whole").exists() and folder.is_dir() else None

    def settle(self, folder: Path, prefer: str) -> None:
        """Note that a commit's folder is whole, and pin the revision to it, for good: no power loss takes the pin."""
        part = self.note(".part")
        with part.open("w", encoding="utf8") as out:
            out.write(folder.name)
            out.flush()
            os.fsync(out.fileno())
        part.replace(self.note(".commit"))
        self.note(f"+{prefer}.whole").touch()


def fetched(kept: Kept, prefer: str) -> Path:
    """The folder, fetched by one process while others wait; pickled weights come only for want of safe ones."""
    kept.cache.mkdir(parents=True, exist_ok=True)
    with locked(kept.note(".lock")):
        if folder := kept.whole(prefer):
            return folder
        hub = partial(snapshot_download, kept.repository, cache_dir=kept.cache)
        safe, pickled = ([prefer + pattern for pattern in patterns] for patterns in (SAFE, PICKLED))
        folder = Path(hub(revision=kept.commit or kept.revision, allow_patterns=[*BESIDE, *safe]))
        if not found(folder, safe):  # at the same commit: a branch may move between the two
            folder = Path(hub(revision=folder.name, allow_patterns=[*BESIDE, *pickled]))
        kept.settle(folder, prefer)
        return folder


def found(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files directly in a folder that match, those of the first pattern first, then by name."""
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]
