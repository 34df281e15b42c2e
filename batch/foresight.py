"""What an action would do to a library as it is now: one plan for each action, and nothing is written.

Each noun foresees its own; here stands which is asked, and what of files and photos belongs to no noun alone.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lancedb.expr import col, lit

from batch import deletion, events, metadata, people, unsaving
from batch.changes import COLUMNS, Known, changes, known_of
from batch.discover import Entry, Folder, inside, is_gone, list_folder, only, walk
from batch.plan import MOST_NAMES, Plan
from batch.sources import unvisited
from batch.turns import DELETE_MISSING, EVENTS, RESCAN_FACES, SAVE_METADATA, SCAN, TRAIN
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.files import FOLDER
from cluster.store.paths import dir_id, display
from cluster.store.photos import viewable

NO_FOLDER = "no folder is set for your photos; an administrator sets the scan directory"
NO_MODEL = "no model finds faces here; configure the service face_recognition"


@dataclass(frozen=True)
class Asked:
    """Who would do what to which library."""

    settings: Settings  # with the models that are in use
    library: Library
    root: Path  # the owner's folder of originals
    arguments: Mapping[str, Any]


def foresee(settings: Settings, library: Library, root: Path | None, action: str, arguments: Mapping[str, Any]) -> Plan:
    """What an action would do, by the arguments of its job; `settings` are those with the models that are in use.

    `root` is the owner's folder of originals, None where none is set. Raises KeyError for an action without a plan.
    """
    if root is None:
        if action in (SCAN, DELETE_MISSING, SAVE_METADATA):
            return Plan(action=action, refused=NO_FOLDER)
        root = Path(os.devnull)  # nothing lies below it
    return PLANS[action](Asked(settings, library, root, arguments))


def scan(asked: Asked) -> Plan:
    """Files that a scan would read, or miss, told from a walk; opens none.

    One that was moved counts as new at the one place and gone at the other: only reading tells.
    """
    root, skip = os.fsencode(asked.root), asked.settings.scan.skip
    if not os.path.isdir(root):
        return Plan(action=SCAN, refused=f"the folder {display(root)} is not there; mount it, or set another")
    paths, full = asked.arguments.get("paths"), bool(asked.arguments.get("full"))
    found = Found(asked.library)
    if paths:
        found.named(root, skip, {inside(root, path) for path in paths})
    else:
        found.walked(root, skip, full)
    return found.plan()


class Found:
    """What a walk finds against what the store remembers."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.counts = dict.fromkeys(("new", "changed", "gone", "unchanged"), 0)
        self.names: list[str] = []
        self.bytes = 0
        self.visited: set[str] = set()

    def walked(self, root: bytes, skip: Sequence[str], full: bool) -> None:
        """Look at every folder, and for files whose folders are not there any more."""
        for folder in walk(root, skip):
            self.look(folder, everything=full)
        for file in unvisited(self.library, FOLDER, self.visited):
            if is_gone(root, file.path):
                self.note("gone", file)

    def named(self, root: bytes, skip: Sequence[str], wanted: set[bytes]) -> None:
        """Look at some files, and what belongs to the same photos."""
        for path in sorted({os.path.dirname(one) for one in wanted}):
            self.look(only(list_folder(root, path, skip)[0], wanted), wanted, partly=True)

    def look(
        self, folder: Folder, force: set[bytes] | frozenset[bytes] = frozenset(),
        everything: bool = False, partly: bool = False,
    ) -> None:  # fmt: skip
        """Compare a folder with the files known in it."""
        if folder.error:
            return
        self.visited.add(dir_id(FOLDER, folder.path))
        known = self.known(folder)
        forced = {file.path for file in folder.files} if everything else force
        found = changes([folder], known, frozenset(forced))
        read = {file.path for group in found.groups for file in group.files if file.changed}
        for file in folder.files:
            if file.path in read:
                self.note("changed" if file.path in known else "new", file)
        self.counts["unchanged"] += len(folder.files) - len(read)
        for gone in () if partly else found.vanished:
            self.note("gone", gone)

    def note(self, what: str, file: Entry | Known) -> None:
        """Count a file by what would become of it."""
        self.counts[what] += 1
        self.bytes += file.size if what != "gone" else 0
        if len(self.names) < MOST_NAMES:
            self.names.append(display(file.path))

    def known(self, folder: Folder) -> dict[bytes, Known]:
        """What the store remembers of a folder."""
        rows = self.library.files.rows(col("dir_id") == lit(dir_id(FOLDER, folder.path)), COLUMNS).to_pylist()
        return {row["path"]: known_of(row) for row in rows}

    def plan(self) -> Plan:
        """The plan of a scan that would find this; `bytes` are to be read."""
        return Plan(action=SCAN, counts=self.counts, names=self.names, bytes=self.bytes)


def train_faces(asked: Asked) -> Plan:
    """What a training would look at."""
    model = asked.settings.revisions.get("faces")
    return people.foresee(asked.library, model) if model else Plan(action=TRAIN, refused=NO_MODEL)


def rescan_faces(asked: Asked) -> Plan:
    """The photos in which faces would be looked for again, and the faces that are known in them now."""
    if "faces" not in asked.settings.revisions:
        return Plan(action=RESCAN_FACES, refused=NO_MODEL)
    counts = {"photos": asked.library.photos.count(viewable()), "faces": asked.library.faces.count()}
    return Plan(action=RESCAN_FACES, counts=counts)


def save_metadata(asked: Asked) -> Plan:
    """What would be written, or undone of what a job wrote."""
    if undone := asked.arguments.get("undo"):
        return unsaving.foresee(asked.settings, asked.library, asked.root, undone)
    return metadata.foresee(asked.library, bool(asked.arguments.get("in_file")))


PLANS: dict[str, Callable[[Asked], Plan]] = {
    SCAN: scan,
    TRAIN: train_faces,
    RESCAN_FACES: rescan_faces,
    EVENTS: lambda asked: events.foresee(asked.library),
    DELETE_MISSING: lambda asked: deletion.foresee(asked.settings, asked.library, asked.root),
    SAVE_METADATA: save_metadata,
}
