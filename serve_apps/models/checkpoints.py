"""Where the checkpoint that a spec names lies on this machine; a hub's is fetched first, at the spec's revision.

`embedded:NAME` is a folder of the composed weights, `hf-hub:OWNER/NAME` or `OWNER/NAME` a hub repository, anything
else a path. Knows nothing of what is inside.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from cluster.errors import Unavailable
from cluster.settings import ModelSpec

EMBEDDED, LOCAL, HUB = "embedded:", "local-dir:", "hf-hub:"
SAFE = ("*.safetensors",)
PICKLED = ("*.bin", "*.pt", "*.pth")  # read with weights_only=True
BESIDE = ("*.json", "*.txt", "*.model")  # configurations, tokenizers, preprocessors


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

    Pickled weights come only for want of safe ones. Raises Unavailable when it is neither in the cache nor to be had.
    """
    whole = cache / f"{repository.replace('/', '--')}@{revision.replace('/', '--')}.whole"
    hub = partial(snapshot_download, repository, revision=revision, cache_dir=cache, local_files_only=whole.exists())
    try:
        folder = Path(hub(allow_patterns=[*BESIDE, *(prefer + pattern for pattern in SAFE)]))
        if not found(folder, SAFE):
            folder = Path(hub(allow_patterns=[*BESIDE, *(prefer + pattern for pattern in PICKLED)]))
        whole.touch()
        return folder
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
        raise Unavailable(
            f"the checkpoint {repository} at {revision} could not be fetched ({reason}); connect this machine to the "
            f"hub once, or name a local folder in `checkpoint`"
        ) from error


def found(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files directly in a folder that match, those of the first pattern first, then by name."""
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]
