"""The guard: whether a library's source is really there, before anything that is gone from it is believed gone.

A share that is not mounted looks like an empty folder, and another disk in its place like a folder full of strangers.
Two things tell them from a folder that people tidied up:

*The marker*, a file `.brightroom` in the root, holds a line for each library that keeps its photos there (two may share
a folder, and a library that is begun anew is another one). A scan writes it that is sure of the folder and leaves the
library with files in it; an empty folder gets none, because it may be the place where a disk is yet to be mounted. A
folder that takes no file is known by the names in its root instead: half of them must be there again. No numbers of
devices and inodes are asked: shares change them with each mount, and the roots of all disks have the same. A folder
without the line, or the names, is neither believed nor scanned, whoever insists, unless 80 % of the known files (1 -
`vanish_share`) are in it all the same: then it is marked anew. Anybody may also write the line by hand. Another folder
that an administrator has set is taken for what it is, unless it is marked as somebody else's.

*The breaker*: more than `vanish_share` of the files that were there before a scan, and more than ten, are gone at once.
A scan then marks none of them; people who say how many photos that concerns may still delete them.
"""

import errno
import logging
import os
import re
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pyarrow.compute as pc
from lancedb.expr import col, lit

from batch.discover import MARKER, is_gone
from cluster.errors import Conflict
from cluster.store.database import META, Library
from cluster.store.files import FOLDER
from cluster.store.paths import display
from cluster.store.schema import rows_of

log = logging.getLogger(__name__)

FEW_FILES = 10  # so many may vanish at once without a question
HALF = 0.5  # of the names in a root, or of the known files, by which an unmarked folder is known
MOST_NAMES = 1000  # that are remembered of a root
LINE = re.compile(rb"^([0-9a-f]{32})\s*$", re.MULTILINE)
LONGEST = 64 * 1024  # bytes that are read of a marker
GREETING = b"Brightroom knows this folder by this file and believes no photo gone without it. Please leave it here.\n"
OURS, NEVER, LOST, FOREIGN, UNREADABLE = "ours", "never", "lost", "foreign", "unreadable"
SAID = {
    LOST: "The folder {folder} has lost its file .brightroom: the right one is not mounted, or the file was deleted.",
    FOREIGN: "The folder {folder} belongs to another library, as the file .brightroom in it says.",
    UNREADABLE: "The file .brightroom in {folder} cannot be read. Let Brightroom read it.",
    NEVER: "No scan has made sure yet that {folder} is the right one.",
}
LIBRARY_ID, SOURCE = "library_id", "source"  # keys of a library's table `meta`; the signs of a source are JSON


class Disk:
    """What is there below a root, as it is now. Each folder is listed at most once: make a new one to look again."""

    def __init__(self, root: bytes) -> None:
        self.root = root
        self.asked: dict[bytes, bool] = {}

    def is_gone(self, path: bytes) -> bool:
        """Whether a file is surely not there: the nearest folder above it that is there can be listed."""
        return is_gone(self.root, path) and self.listed(os.path.dirname(path))

    def listed(self, folder: bytes) -> bool:
        """Whether a folder can be listed, or else, where it is not there, the one above it."""
        if folder not in self.asked:
            self.asked[folder] = self.list(folder)
        return self.asked[folder]

    def list(self, folder: bytes) -> bool:
        """List a folder."""
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                for _ in entries:
                    pass
        except (FileNotFoundError, NotADirectoryError):
            return folder != b"" and self.listed(os.path.dirname(folder))
        except OSError:
            return False
        return True


class Signs(msgspec.Struct, frozen=True):
    """By what a folder is known again that takes no line of ours; without names, it has to have that line."""

    root: str = ""  # as it is displayed
    names: list[str] = []  # in its root, as they are displayed
    lines: list[str] = []  # other libraries' in its marker

    def fit(self, here: "Signs") -> bool:
        """Whether what is here now may be the same folder."""
        return bool(self.names) and len(set(self.names) & set(here.names)) >= HALF * len(self.names)


class Guard:
    """Stands before the photos of one library and asks whether their folder is really there."""

    def __init__(self, library: Library, root: bytes, share: float, job_id: str = "", source: str = FOLDER) -> None:
        """`share` is `scan.vanish_share`, `job_id` the scan that asks: what it found itself so far was not known."""
        self.library, self.root, self.share, self.source = library, root, share, source
        self.known = known(library, source, job_id)
        self.sure = False  # that the folder is ours, however many of its files are gone

    @property
    def name(self) -> str:
        """The folder, for people."""
        return display(self.root)

    def doubt(self, missing: int, anything_lost: bool, anything_listed: bool) -> str:
        """Why a scan is not to believe that known files are gone, `missing` of them for good; "" when it may.

        One of marker_lost, marker_foreign, marker_unreadable, too_many_gone: facts of a job.
        """
        marker = self.marker()
        if marker in (LOST, FOREIGN, UNREADABLE) and not self.recognised(missing):
            return f"marker_{marker}"
        doubted = (anything_lost and not anything_listed) or self.trips(missing)
        # A folder that was never marked is ours with half of the files: who deleted the others must be able to go on.
        self.sure = not doubted or (marker == NEVER and missing <= HALF * self.known)
        return "too_many_gone" if doubted else ""

    def trips(self, missing: int) -> bool:
        """Whether too many files vanished at once."""
        return missing > max(FEW_FILES, self.share * self.known)

    def recognised(self, missing: int) -> bool:
        """Whether the folder holds nearly all that is known; so does any folder to a library that knows nothing."""
        return self.known == 0 or (missing < self.known and missing <= self.share * self.known)

    def check(self) -> None:
        """Refuse, with Conflict, to scan a folder that is not ours: its photos would become this library's."""
        if self.marker() in (LOST, FOREIGN, UNREADABLE) and not self.recognised(self.missing()):
            raise Conflict(self.away())

    def missing(self) -> int:
        """How many of the files that should be there are not; looks for each of them."""
        disk, there = Disk(self.root), (col("source") == lit(self.source)) & (col("state") != lit("missing"))
        batches = self.library.files.batches(there, ["path"])
        return sum(disk.is_gone(path) for batch in batches for path in batch["path"].to_pylist())

    def away(self) -> str:
        """Why the folder is not believed to be ours, whoever insists, and what to do: a sentence, or ""."""
        if not os.path.isabs(self.root):
            return "No folder is set for your photos. An administrator sets the scan directory."
        if not os.path.isdir(self.root):
            return f"The folder {self.name} is not there. Mount it, or have an administrator set another."
        if not Disk(self.root).listed(b""):
            return f"The folder {self.name} cannot be listed. Let Brightroom read it, or mount it again."
        if (marker := self.marker()) == OURS:
            return ""
        return f"{SAID[marker].format(folder=self.name)} {self.way_on()}"

    def way_on(self) -> str:
        """What to do about a folder that does not say that it is ours."""
        told = (
            f"Mount the right one. If this is the right one, scan it: with {1 - self.share:.0%} of the known files in "
            f"it, it is taken for it again."
        )
        line = self.library_id()
        return f"{told} Or put the line {line} into the file {display(MARKER)} there." if line else told

    # The marker

    def marker(self) -> str:
        """What the folder says of itself: ours, never (marked so far), lost, foreign or unreadable."""
        try:
            here = self.signs()
        except (FileNotFoundError, NotADirectoryError):
            here = Signs(self.name)
        except OSError:
            return UNREADABLE
        if self.library_id() in here.lines:
            return OURS
        row = self.library.meta.get(SOURCE)
        known = msgspec.json.decode(row["value"], type=Signs) if row else None
        if here.lines and not (known and set(known.lines) & set(here.lines)):
            return FOREIGN
        if known is None or known.root != here.root:  # an administrator has set another folder
            return NEVER
        return OURS if known.fit(here) else LOST

    def signs(self) -> Signs:
        """What the folder could be known by. Raises OSError."""
        return Signs(self.name, visible(self.root), sorted(lines_of(self.root)))

    def sign(self) -> None:
        """Make sure that the folder is known again: leave this library's line there, or remember the names in it.

        Called when a scan is sure of it. A library without a file there has nothing to guard yet.
        """
        if not self.library.files.count((col("source") == lit(self.source)) & (col("state") == lit("ok"))):
            return
        try:
            here = self.signs()
        except OSError as error:
            log.info("%s gets no marker: %s", self.name, error.strerror)
            return
        signs = Signs(self.name) if self.library_id() in here.lines or self.signed() else here
        told, row = msgspec.json.encode(signs).decode(), self.library.meta.get(SOURCE)
        if row is None or row["value"] != told:
            self.library.meta.upsert(rows_of([{"key": SOURCE, "value": told}], META))

    def signed(self) -> bool:
        """Write the line; False where the folder takes none."""
        try:
            append(os.path.join(self.root, MARKER), self.name_library().encode())
        except OSError as error:
            log.info("%s takes no marker (%s); the names in it must do", self.name, error.strerror)
            return False
        return True

    def library_id(self) -> str:
        """What this library is called in markers; "" while it has left none."""
        row = self.library.meta.get(LIBRARY_ID)
        return str(row["value"]) if row else ""

    def name_library(self) -> str:
        """What this library is called, decided by chance when it is asked for first.

        A scan asks that is not sure of the folder: somebody who is can then write the line by hand.
        """
        if told := self.library_id():
            return told
        self.library.meta.insert_new(rows_of([{"key": LIBRARY_ID, "value": uuid.uuid4().hex}], META))
        return self.library_id()


def known(library: Library, source: str, job_id: str) -> int:
    """How many files of a source the library knew before a scan: those of photos that it did not add."""
    there, own = (col("source") == lit(source)) & (col("state") != lit("missing")), col("job_id") == lit(job_id)
    read = library.files.rows(there & own & (col("photo_id") != lit("")), ["photo_id", "seen_at"])
    if not job_id:
        return library.files.count(there)
    if not len(read):  # it has just begun
        return library.files.count(there & ~own)
    added = library.photos.rows(col("added_at") >= lit(pc.min(read["seen_at"]).as_py()), ["photo_id"])
    again = pc.sum(pc.invert(pc.is_in(read["photo_id"], added["photo_id"]))).as_py()
    return library.files.count(there & ~own) + int(again)


def visible(root: bytes) -> list[str]:
    """The names in a folder, without hidden ones. Raises OSError."""
    return sorted(display(name) for name in os.listdir(root) if not name.startswith(b"."))[:MOST_NAMES]


def lines_of(root: bytes) -> set[str]:
    """The libraries that a folder's marker names, none where there is no marker.

    Raises OSError when it cannot be read, and for what is no regular file.
    """
    try:
        with regular(os.path.join(root, MARKER), os.O_RDONLY) as file:
            return {line.decode() for line in LINE.findall(os.read(file, LONGEST))}
    except FileNotFoundError:
        return set()


def append(path: bytes, line: bytes) -> None:
    """Add a line to a marker, which is made where there is none; those of others stay. Raises OSError."""
    with regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as file:
        before = b"\n" if os.fstat(file).st_size else GREETING
        os.write(file, before + line + b"\n")
        os.fsync(file)


@contextmanager
def regular(path: bytes, flags: int) -> Iterator[int]:
    """A regular file, opened without following a link and without waiting for a pipe's other end."""
    file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        yield file
    finally:
        os.close(file)
