"""Which files are one photo: the same folder and the same name before the extension. Pure, opens nothing."""

import os
from collections.abc import Iterable
from typing import Protocol, TypeVar

from serve_apps.media.kinds import kind_of

SIDECAR = "xmp"
RANK = {"image": 0, "video": 1, "raw": 2, SIDECAR: 3}
CAMERA_PICTURES = {".jpg": "jpeg", ".jpeg": "jpeg", ".heic": "heif", ".heif": "heif", ".hif": "heif"}


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
    return sorted(files, key=lambda file: (RANK[file.kind], not camera_format(file.path), file.path))


def photos_of(files: Iterable[File]) -> list[list[File]]:
    """Files of one stem parted into photos: a picture with RAW, video and sidecars of its shot, then other pictures.

    Two pictures are one photo only as a camera writes them, JPEG beside HEIC: logo.png beside logo.jpg is another one.
    """
    photos: list[list[File]] = []
    for file in main_first(files):
        home = next((photo for photo in photos if belongs(file, photo)), None)
        if file.kind == SIDECAR:
            home = next((photo for photo in photos if names_one_of(file, photo)), home)
        if home is None:
            photos.append([file])
        else:
            home.append(file)
    return photos


def belongs(file: Named, photo: Iterable[Named]) -> bool:
    """Whether a file is a variant of a photo that has so many files already."""
    rivals = [other.path for other in photo if other.kind == file.kind]
    if file.kind == "image":
        formats = {camera_format(path) for path in rivals}
        return "" not in {*formats, camera_format(file.path)} and camera_format(file.path) not in formats
    return file.kind != "video" or not rivals


def names_one_of(sidecar: Named, photo: Iterable[Named]) -> bool:
    """Whether a sidecar is called after a file of a photo, extension and all: a.png.xmp after a.png."""
    named = os.path.splitext(sidecar.path.lower())[0]
    return any(file.path.lower() == named for file in photo)


def camera_format(path: bytes) -> str:
    """The format of a picture that a camera writes itself; empty for any other file."""
    return CAMERA_PICTURES.get(os.path.splitext(os.fsdecode(path.lower()))[1], "")


def sidecar_of(path: bytes, files: Iterable[Named]) -> bytes | None:
    """The sidecar that speaks for a file: `a.jpg.xmp` before `a.xmp`, none when there is none."""
    sidecars = {file.path.lower(): file.path for file in files if file.kind == SIDECAR}
    exact, by_stem = path.lower() + b".xmp", os.path.splitext(path.lower())[0] + b".xmp"
    return sidecars.get(exact) or sidecars.get(by_stem)
