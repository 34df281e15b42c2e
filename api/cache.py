"""What is kept only to save work, and can be deleted: derived pictures that no photo shows, and left-over files.

Scans make pictures again, a start composes weights again. Nothing that a library knows is among it.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from cluster.runtime import running_head
from cluster.settings import Settings
from cluster.store.database import Library, open_library, open_system

Files: TypeAlias = list[tuple[Path, int]]  # with their sizes in bytes


def leftovers(settings: Settings) -> dict[str, Files]:
    """Everything that can be deleted, by what it is. Weights and uploads only while nothing runs that may use them."""
    idle = running_head(settings) is None and not settings.ray.address
    found = {"pictures that no photo shows": list(unshown(settings, idle))}
    if idle:
        found["uploads of searches"] = files_below(settings.root / "uploads")
        found["composed weights"] = files_below(settings.root / "weights")
    return found


def unshown(settings: Settings, idle: bool) -> Iterator[tuple[Path, int]]:
    """Derived pictures of contents that no photo of their library has, in its trash neither.

    Unless nothing runs, not of a library that a job works on: it makes pictures first, and then the photo they are of.
    """
    system = open_system(settings)
    for user in system.users.list():
        files = files_below(settings.derived / user.user_id)  # first: pictures of later are not among them
        if files and (idle or not system.jobs.list(user.user_id, states=("queued", "running"))):
            used = contents(open_library(settings, user.user_id))
            yield from (file for file in files if file[0].name.partition(".")[0] not in used)


def contents(library: Library) -> set[str]:
    """The contents whose pictures are shown, or will be when their photo is restored, which may be just now."""
    tables = (library.trash, library.photos, library.trash)  # a photo goes from the one to the other, and back
    return {content for table in tables for content in table.rows(None, ["content_id"])["content_id"].to_pylist()}


def files_below(folder: Path) -> Files:
    """The files below a folder, none for a folder that is not there. Links are not followed."""
    found: Files = []
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                path = Path(parent) / name
                found.append((path, path.lstat().st_size))
    return found


def clear(found: Mapping[str, Files]) -> None:
    """Delete what was found."""
    for files in found.values():
        for path, _ in files:
            path.unlink(missing_ok=True)
