"""Files that were given other bytes, and the library that must follow: a note on disk, made before, says what to do.

A file whose metadata was written has another content id, though its picture is the same: a scan that did not know would
take it for an edited one and forget its faces. Leaves out what is written (metadata.py) and how (rewriting.py).
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from lancedb.expr import col

from batch.rewriting import Rewriting, folder_of
from batch.rows import now_utc
from batch.sink import Commits
from cluster.errors import PhotoError
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.facts import SCHEMA as FACTS
from cluster.store.files import SCHEMA as FILES
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import changes_of
from cluster.store.writer import Update, Write
from serve_apps.media.addresses import EXTENSIONS, derived_path
from serve_apps.media.source import Source


class Pending(msgspec.Struct, frozen=True):
    """A file that is about to get other bytes: what it was, what it is to be."""

    file_id: str
    photo_id: str
    path: bytes  # below the library's folder
    old: str  # content id
    new: str
    size: int  # bytes
    mtime_ns: int


class Notes:
    """The notes of one library, one file for each."""

    def __init__(self, settings: Settings, owner: str) -> None:
        self.folder = settings.root / "saving" / owner

    def add(self, pending: Pending) -> None:
        """Note a file, on disk when this returns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        whole, unfinished = self.path(pending.file_id), self.folder / f"{pending.file_id}.tmp"
        with unfinished.open("wb") as file:
            file.write(msgspec.json.encode(pending))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(whole)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def all(self) -> list[Pending]:
        """What is noted; a note that is not whole was made before anything else was done, and goes."""
        found = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Pending))
            except msgspec.MsgspecError:
                path.unlink(missing_ok=True)
        return found

    def remove(self, pending: Pending) -> None:
        """Forget a note."""
        self.path(pending.file_id).unlink(missing_ok=True)

    def path(self, file_id: str) -> Path:
        """Where a file's note is."""
        return self.folder / f"{file_id}.json"


def repair(settings: Settings, owner: str, library: Library, writer: Commits, root: Path) -> int:
    """Let the library follow the files that a killed job gave other bytes; returns how many there were.

    Every scan begins with it: a file that got its new bytes is not an edited one.
    """
    left = Notes(settings, owner).all()
    found = {pending.file_id: content_of(os.fsencode(root), pending.path) for pending in left}
    done = [pending for pending in left if found[pending.file_id] == pending.new]
    for pending in done:
        share_derived(settings.derived / owner, pending.old, pending.new)
    if writes := writes_of(library, done):
        writer.commit(writes)
    known = set(library.files.by_keys(list(found), ["file_id"])["file_id"].to_pylist()) if found else set()
    over = [pending for pending in left if found[pending.file_id] or pending.file_id not in known]
    settle(settings, owner, library, os.fsencode(root), over)  # the others are away with their folder, and may be back
    return len(done)


def content_of(root: bytes, path: bytes) -> str:
    """The content id of a file; empty when it cannot be read now."""
    try:
        with folder_of(root, path) as folder, Source(os.path.basename(path), folder) as source:
            return source.content_id()
    except PhotoError:
        return ""


def writes_of(library: Library, done: Sequence[Pending]) -> list[Write]:
    """The writes that make the library follow: what was known of the old content is true of the new."""
    by_photo = {(pending.photo_id, pending.old): pending for pending in done}
    photos, facts = [], []
    for row in library.photos.by_keys([one.photo_id for one in done], ["photo_id", "content_id"]).to_pylist():
        if one := by_photo.get((row["photo_id"], row["content_id"])):
            photos.append({**row, "content_id": one.new, "size": one.size, "changed_at": now_utc()})
    said = col("photo_id").isin([one.photo_id for one in done])
    for row in library.facts.rows(said, ["fact_id", "photo_id", "content_id"]).to_pylist() if done else ():
        if one := by_photo.get((row["photo_id"], row["content_id"])):
            facts.append({"fact_id": row["fact_id"], "content_id": one.new})
    wanted = {one.file_id: one for one in done}
    known = library.files.by_keys(list(wanted), ["file_id", "content_id"]).to_pylist()
    files = [
        {"file_id": one.file_id, "content_id": one.new, "size": one.size, "mtime_ns": one.mtime_ns}
        for row in known
        if (one := wanted[row["file_id"]]).old == row["content_id"]
    ]
    changed = [("facts", facts, FACTS), ("photos", photos, PHOTOS), ("files", files, FILES)]
    return [Update(table, changes_of(some, schema)) for table, some, schema in changed if some]


def settle(settings: Settings, owner: str, library: Library, root: bytes, done: Sequence[Pending]) -> None:
    """Forget what is only needed until the library has followed: old bytes, derived pictures of old contents, notes."""
    if not done:
        return
    notes = Notes(settings, owner)
    contents = [content for one in done for content in (one.old, one.new)]
    some = col("content_id").isin(contents)
    tables = (library.photos, library.trash)  # what is in the trash is shown again when it comes back
    shown = {content for table in tables for content in table.rows(some, ["content_id"])["content_id"].to_pylist()}
    for pending in done:
        with suppress(PhotoError), folder_of(root, pending.path) as folder:
            Rewriting(folder, os.path.basename(pending.path), str).clear()
        for content in {pending.old, pending.new} - shown:
            forget_derived(settings.derived / owner, content)
        notes.remove(pending)


def share_derived(folder: Path, old: str, new: str) -> None:
    """Let the derived pictures of one content be those of another that shows the same picture."""
    for size in EXTENSIONS:
        there, target = derived_path(folder, old, size), derived_path(folder, new, size)
        if there.exists() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(there, target)
            except OSError:  # no links on this disk
                unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
                shutil.copyfile(there, unfinished)
                unfinished.replace(target)


def forget_derived(folder: Path, content_id: str) -> None:
    """Remove the derived pictures of a content that no photo shows."""
    for size in EXTENSIONS:
        derived_path(folder, content_id, size).unlink(missing_ok=True)
