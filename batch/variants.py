"""Which files are one photo: the same folder and the same name before the extension. Pure, opens nothing."""

import os
from collections.abc import Iterable
from typing import Protocol, TypeVar

from serve_apps.media.kinds import kind_of

SIDECAR = "xmp"
RANK = {"image": 0, "video": 1, "raw": 2, SIDECAR: 3}
CAMERA_PICTURES = (".jpg", ".jpeg", ".heic", ".heif", ".hif")


class Named(Protocol):
    """What has a path and a kind."""

    @property
    def path(self) -> bytes:
        """Below the source's root."""
        ...

    @property
    def kind(self) -> str:
        """image, raw, video or xmp."""
        ...


File = TypeVar("File", bound=Named)


def stem(path: bytes) -> bytes:
    """What variants of one photo have in common: folder and lower-case name without extensions of media."""
    folder, name = os.path.split(path)
    base, extension = os.path.splitext(name)
    if extension.lower() == b".xmp":
        # a.jpg.xmp speaks for a.jpg
        base = os.path.splitext(base)[0] if kind_of(os.fsdecode(base)) in ("image", "video", "raw") else base
    return os.path.join(folder, base.lower())


def main_first(files: Iterable[File]) -> list[File]:
    """The files of one photo, the one people should see first: picture, then video, then RAW, then sidecars.

    A camera's own picture formats go before others, equal ones by name.
    """
    return sorted(files, key=lambda file: (RANK[file.kind], not camera_picture(file.path), file.path))


def camera_picture(path: bytes) -> bool:
    """Whether a camera writes such files itself."""
    return path.lower().endswith(tuple(suffix.encode() for suffix in CAMERA_PICTURES))


def sidecar_of(path: bytes, files: Iterable[Named]) -> bytes | None:
    """The sidecar that speaks for a file: `a.jpg.xmp` before `a.xmp`, none when there is none."""
    sidecars = {file.path.lower(): file.path for file in files if file.kind == SIDECAR}
    exact, by_stem = path.lower() + b".xmp", os.path.splitext(path.lower())[0] + b".xmp"
    return sidecars.get(exact) or sidecars.get(by_stem)
