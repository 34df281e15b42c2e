"""What is kept only to save work, and can be deleted: derived pictures, and left-over files.

Pictures that no photo shows go, and on demand all whose original is there: they are made again when somebody looks at
them (remaking.py), or a scan needs them. Those without an original are all that is left of a photo, and stay. A start
composes weights again. Nothing that a library knows is among it.
"""

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from lancedb.expr import col, lit

from batch.rewriting import folder_of
from batch.variants import SIDECAR
from cluster.errors import PhotoError
from cluster.runtime import running_head
from cluster.settings import Settings
from cluster.store.database import Library, System, open_library, open_system
from cluster.store.files import FOLDER
from cluster.store.users import User
from serve_apps.media.source import Source

Files: TypeAlias = list[tuple[Path, int]]  # with their sizes in bytes
UNSHOWN = "pictures that no photo shows"
SHOWN = "thumbnails and previews, which are made again when they are wanted"
BEREFT = "thumbnails and previews of photos whose original is not there"
AT_ONCE = 1000  # contents looked up together


@dataclass
class Cache:
    """What can be deleted, what stays though all was to go, and whose pictures were not looked at: by what it is."""

    freed: dict[str, Files] = field(default_factory=dict)
    kept: dict[str, Files] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)  # names of users over whose library a job works


def cache(settings: Settings, everything: bool = False) -> Cache:
    """What there is to clear; with `everything` the pictures that photos show too.

    Unless nothing runs, no pictures of a library that a job works on: it makes pictures first, and then the photo they
    are of. Weights and uploads only while nothing runs that may use them.
    """
    idle, system = running_head(settings) is None and not settings.ray.address, open_system(settings)
    found = Cache({UNSHOWN: [], **({SHOWN: []} if everything else {})}, {BEREFT: []} if everything else {})
    for user in system.users.list():
        files = files_below(settings.derived / user.user_id)  # first: pictures of later are not among them
        if files and not idle and is_busy(system, user):
            found.busy.append(user.name)
        elif files:
            sort(files, open_library(settings, user.user_id), user, found, everything)
    if idle:
        found.freed["uploads of searches"] = files_below(settings.root / "uploads")
        found.freed["composed weights"] = files_below(settings.root / "weights")
    return found


def is_busy(system: System, user: User) -> bool:
    """Whether a job works on a user's library, or is about to."""
    return bool(system.jobs.list(user.user_id, states=("queued", "running")))


def sort(files: Files, library: Library, user: User, found: Cache, everything: bool) -> None:
    """Put a library's pictures where they belong."""
    used = contents(library)
    again = remakable(library, user) if everything else set()
    for file in files:
        content = content_of(file[0])
        if content not in used:
            found.freed[UNSHOWN].append(file)
        elif everything:
            (found.freed[SHOWN] if content in again else found.kept[BEREFT]).append(file)


def content_of(picture: Path) -> str:
    """The content that a derived picture is of; one that was never finished begins with a dot."""
    return picture.name.partition(".")[0]


def contents(library: Library) -> set[str]:
    """The contents whose pictures are shown, or will be when their photo is restored, which may be just now."""
    tables = (library.trash, library.photos, library.trash)  # a photo goes from the one to the other, and back
    return {content for table in tables for content in table.rows(None, ["content_id"])["content_id"].to_pylist()}


def remakable(library: Library, user: User) -> set[str]:
    """The contents of photos that have a file which is there at this moment, as a scan has read it; none of the trash.

    A folder that is away, or another one in its place, has none.
    """
    wanted = set(library.photos.rows(~col("missing"), ["content_id"])["content_id"].to_pylist())
    wanted -= {"", *library.trash.rows(None, ["content_id"])["content_id"].to_pylist()}
    if not user.scan_directory:
        return set()
    root, there = os.fsencode(user.scan_directory), set[str]()
    pictures = (col("source") == lit(FOLDER)) & (col("state") == lit("ok")) & (col("kind") != lit(SIDECAR))
    for batch in library.files.batches(pictures, ["path", "size", "mtime_ns", "content_id"]):
        there |= {
            file["content_id"]
            for file in batch.to_pylist()
            if file["content_id"] in wanted and file["content_id"] not in there and is_as_read(root, file)
        }
    return there


def is_as_read(root: bytes, file: Mapping[str, object]) -> bool:
    """Whether a file is where it was, with the size and the time that it had when it was read."""
    path = file["path"]
    assert isinstance(path, bytes)
    try:
        with folder_of(root, path) as folder, Source(os.path.basename(path), folder) as source:
            return (source.size, source.mtime_ns) == (file["size"], file["mtime_ns"])
    except PhotoError:
        return False


def files_below(folder: Path) -> Files:
    """The files below a folder, none for a folder that is not there. Links are not followed."""
    found: Files = []
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                path = Path(parent) / name
                found.append((path, path.lstat().st_size))
    return found


def clear(settings: Settings, found: Mapping[str, Files]) -> None:
    """Delete what was found. Libraries are told first that their photos have no pictures: a kill leaves too many."""
    for user_id, cleared in by_owner(settings, found.get(SHOWN, [])).items():
        library = open_library(settings, user_id)
        for start in range(0, len(cleared), AT_ONCE):
            some = col("content_id").isin(cleared[start : start + AT_ONCE])
            library.photos.change(some, {"derived_bytes": 0})
    for files in found.values():
        for path, _ in files:
            path.unlink(missing_ok=True)


def by_owner(settings: Settings, files: Files) -> dict[str, list[str]]:
    """The contents of pictures, by the user id of whose they are."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path, _ in files:
        found[path.relative_to(settings.derived).parts[0]].add(content_of(path))
    return {user_id: sorted(some) for user_id, some in found.items()}
