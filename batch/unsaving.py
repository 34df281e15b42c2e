"""Metadata written by a job taken back: each file becomes what it was to the byte, unless somebody changed it since.

As carefully as it was written: beside the file, compared with what is known of the former one, put in place in one
step, the library told. What is undone is forgotten; what is skipped can be tried again. Leaves out how a file is
replaced (rewriting.py), what is kept for it (former.py) and the library that follows (saving.py).
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from batch import rows
from batch.former import Former, Formers
from batch.plan import MOST_NAMES, Plan
from batch.rewriting import Rewriting, Step, Written, folder_of
from batch.rows import Row
from batch.saving import Notes, Pending, repair, settle, share_derived, writes_of
from batch.sink import Commits
from batch.targets import GONE
from batch.turns import SAVE_METADATA
from cluster.errors import Conflict, Invalid, NotFound, PhotoError, Unwritable
from cluster.settings import Settings
from cluster.store.database import Library, System
from cluster.store.files import SCHEMA as FILES
from cluster.store.jobs import ENDED, Job
from cluster.store.paths import display
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Delete, Update, Upsert, Write
from serve_apps.media.pieces import contents
from serve_apps.media.source import Source

AT_ONCE = 64  # files whose rows are committed together
OTHERS = "it was changed since, so it was left as it is; if a later save-metadata did that, undo that one first"
UNSCANNED = "it was moved or is not known as it is now; scan again, then undo"
LOCKED = "it is read-only; allow writing to it, then undo again"
SPOILT = "the former bytes did not come out of it, so it was left as it is; restore it from a backup if you need them"
NOTHING = "nothing is kept of this job any more: it was undone, wrote nothing, or is over store.trash_days ago"


class Unsaved(msgspec.Struct):
    """What was done to files."""

    undone: int = 0
    unchanged: int = 0  # were as they had been already
    failed: dict[str, str] = {}  # name -> why


class Unsaving:
    """Takes back what one job wrote into the files of one library."""

    def __init__(
        self,
        settings: Settings,
        owner: str,
        library: Library,
        writer: Commits,
        root: Path,
        job_id: str,
        stopped: Callable[[], bool],
        advance: Callable[[int, int], object],
        step: Step = lambda name: None,
    ) -> None:
        """`root` is the owner's folder; `advance` is told of files (done, failed), `step` of what is done next."""
        self.settings, self.owner, self.library, self.writer, self.root = settings, owner, library, writer, root
        self.job_id, self.stopped, self.advance, self.step = job_id, stopped, advance, step
        self.formers = Formers(settings, owner)
        self.done: list[tuple[Former, Row | None, Pending | None]] = []

    def all(self, undone: str) -> Unsaved:
        """Take back what a job wrote, last first, until somebody stops it."""
        repair(self.settings, self.owner, self.library, self.writer, self.root)
        told, failures = Unsaved(), list[Row]()
        for former in self.formers.of_job(undone):
            if self.stopped():
                break
            if len(self.done) >= AT_ONCE or any(one.path == former.path for one, _, _ in self.done):
                self.commit(undone, failures)
            self.one(former, told, failures)
        self.commit(undone, failures)
        return told

    def one(self, former: Former, told: Unsaved, failures: list[Row]) -> None:
        """Take back what was written into one file; a reason why not is told."""
        name = display(former.path)
        try:
            changed = self.undo(former)
        except PhotoError as error:
            told.failed[name] = str(error)
            row = rows.failure(
                self.job_id, former.key, former.photo_id, name, SAVE_METADATA, str(error), rows.now_utc()
            )
            failures.append(row)
            self.advance(0, 1)
            return
        told.undone += changed
        told.unchanged += not changed
        self.advance(1, 0)

    def undo(self, former: Former) -> bool:
        """Make a file what it was; whether it was anything else. Raises PhotoError."""
        with folder_of(os.fsencode(self.root), former.path) as folder:
            target = Rewriting(folder, os.path.basename(former.path), self.step)
            target.clear()
            there, known = target.stat(target.name) is not None, known_file(self.library, former)
            if not there and former.pieces is None:
                self.done.append((former, known, None))
                return False
            if not there:
                raise Unwritable(GONE)
            with Source(target.name, folder) as source:
                return self.undo_in(target, source, former, known)

    def undo_in(self, target: Rewriting, source: Source, former: Former, known: Row | None) -> bool:
        """The same of a file that is there."""
        content = source.content_id()
        if content == former.old:
            written = Written(former.old, source.size, source.mtime_ns)
            self.done.append((former, known, pending_of(former, known, written) if known else None))
            return False
        if content != former.new:
            raise Unwritable(OTHERS)
        if known is None:
            raise Unwritable(UNSCANNED)
        seen = os.fstat(source.fd)
        target.must_be_writable(seen, LOCKED)
        if former.pieces is None:
            target.remove(seen)
            self.done.append((former, known, None))
        else:
            self.rewrite(target, source, former, known, seen)
        return True

    def rewrite(self, target: Rewriting, source: Source, former: Former, known: Row, seen: os.stat_result) -> None:
        """Put the former bytes in place; raises Unwritable when they do not come out."""
        written = target.write(contents(source, former.pieces or []), seen, source)
        if written.content_id != former.old:
            target.clear()
            raise Unwritable(SPOILT)
        pending = pending_of(former, known, written)
        if not former.sidecar:
            share_derived(self.settings.derived / self.owner, former.new, former.old)
            self.step("note")
            Notes(self.settings, self.owner).add(pending)
        try:
            source.must_be_unchanged()
            target.put(seen)
        except PhotoError:
            target.clear()
            if not former.sidecar:
                settle(self.settings, self.owner, self.library, os.fsencode(self.root), [pending])
            raise
        self.done.append((former, known, pending))

    def commit(self, undone: str, failures: list[Row]) -> None:
        """Tell the library what was done, let go of the replaced bytes, and then of what was kept for this."""
        self.step("commit")
        told = [Upsert("errors", rows_of(failures, self.library.errors.schema))] if failures else []
        pending = [one for former, _, one in self.done if one and not former.sidecar]
        if writes := [*writes_of(self.library, pending), *self.sidecars(), *told]:
            self.writer.commit(writes)
        self.step("settle")
        root = os.fsencode(self.root)
        settle(self.settings, self.owner, self.library, root, pending)
        for former, _, _ in self.done:
            with suppress(PhotoError), folder_of(root, former.path) as folder:
                Rewriting(folder, os.path.basename(former.path), self.step).clear()
            self.formers.remove(undone, former)
        self.done, failures[:] = [], []

    def sidecars(self) -> list[Write]:
        """The writes about sidecars: those that have their former bytes, and those that are gone."""
        known = [(former, row, one) for former, row, one in self.done if former.sidecar and row]
        gone = [row for former, row, _ in known if former.pieces is None]
        same = [
            {"file_id": row["file_id"], "content_id": one.new, "size": one.size, "mtime_ns": one.mtime_ns}
            for _, row, one in known
            if one
        ]
        writes: list[Write] = [Update("files", changes_of(same, FILES))] if same else []
        return [*writes, *without(self.library, gone)]


def without(library: Library, gone: Sequence[Row]) -> list[Write]:
    """The writes by which files are no longer known, and their photos have that many fewer."""
    if not gone:
        return []
    lost, photos = {file["file_id"] for file in gone}, sorted({file["photo_id"] for file in gone})
    left = [file for file in library.files.of_photos(photos).to_pylist() if file["file_id"] not in lost]
    told = [
        {"photo_id": photo, **rows.variant_columns([file for file in left if file["photo_id"] == photo])}
        for photo in photos
        if photo
    ]
    return [Update("photos", changes_of(told, PHOTOS)), Delete("files", "file_id", sorted(lost))]


def known_file(library: Library, former: Former) -> Row | None:
    """The file's row, if the library knows it as it was written; None otherwise."""
    found = library.files.of_contents([former.new]).to_pylist()
    return next((file for file in found if file["path"] == former.path and file["state"] == "ok"), None)


def pending_of(former: Former, known: Row, written: Written) -> Pending:
    """What is noted of a file before it gets its former bytes."""
    return Pending(
        known["file_id"], known["photo_id"], former.path, former.new, former.old, written.size, written.mtime_ns
    )


def undoable(system: System, owner: str, job_id: str) -> Job:
    """A job of somebody's that wrote metadata and has ended; raises NotFound, Invalid and Conflict for any other."""
    job = system.jobs.get(job_id)
    if job.owner != owner:
        raise NotFound("There is no such job.")
    if job.action != SAVE_METADATA or job.arguments.get("undo"):
        raise Invalid("Only a save-metadata can be undone this way. Its job is in the list of jobs.")
    if job.state not in ENDED:
        raise Conflict(f"This save-metadata is {job.state}. Cancel it or let it end, then undo it.")
    return job


def foresee(settings: Settings, library: Library, root: Path, job_id: str) -> Plan:
    """Which files of a job would become what they were, and which not; told from their sizes and times."""
    counts, names, size = dict.fromkeys(("files", "sidecars removed", "changed since"), 0), list[str](), 0
    for former in Formers(settings, owner_of(library)).of_job(job_id):
        known = known_file(library, former)
        now = stat_of(os.fsencode(root), former.path)
        if known is None or now is None or (now.st_size, now.st_mtime_ns) != (known["size"], known["mtime_ns"]):
            counts["changed since"] += 1
            continue
        counts["sidecars removed" if former.pieces is None else "files"] += 1
        size += now.st_size
        names += [display(former.path)] if len(names) < MOST_NAMES else []
    return Plan(
        action=SAVE_METADATA, counts=counts, names=sorted(names), bytes=size,
        refused="" if any(counts.values()) else NOTHING,
    )  # fmt: skip


def stat_of(root: bytes, path: bytes) -> os.stat_result | None:
    """What a file is now; None when it is not there."""
    with suppress(PhotoError, OSError), folder_of(root, path) as folder:
        return os.stat(os.path.basename(path), dir_fd=folder, follow_symlinks=False)
    return None


def owner_of(library: Library) -> str:
    """Whose library it is: its database is called after them."""
    return library.database.uri.rpartition("/")[2]
