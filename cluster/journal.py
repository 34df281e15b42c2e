"""A log file that many processes append to at once: full ones are set aside, compressed, and forgotten after a week.

Every line is one write under a lock, so none is torn, and none goes to a file that is being set aside. Knows nothing of
what lines say. Kept of one journal: what is younger than a week, but no more than 1 GB besides the file written to.

A file that was set aside is called NAME.BEGIN-END.TIME.log, or .log.gz: the bytes of the whole journal that are in it,
and when it was set aside.
"""

import fcntl
import gzip
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from cluster.locks import hold_alone, opened
from cluster.store.clock import Clock, utc_now

APPEND = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
STAMP = "%Y%m%dT%H%M%S%fZ"
NAMED = re.compile(r"(?P<begin>\d{15})-(?P<end>\d{15})\.(?P<until>\d{8}T\d{12}Z)\.log(?:\.gz)?")
TRIES = 20  # of a listing
PATIENCE_S = 2.0  # for a lock whose holder was stopped; then we write without it, which tears no line either


class Limits(msgspec.Struct, frozen=True):
    """How much of a journal is kept."""

    file_bytes: int = 4 << 20  # a file that has so many is set aside
    total_bytes: int = 1 << 30  # of the files set aside, compressed; the oldest go first, however young
    kept: timedelta = timedelta(days=7)


class Piece(msgspec.Struct, frozen=True):
    """One file of a journal, and which of the journal's bytes it holds."""

    path: Path
    begin: int
    end: int
    size: int  # on disk
    until: datetime | None  # when it was set aside; None while it is written to


class Journal:
    """What one process appends to a journal. Safe to be used after a fork, not by two threads at once."""

    def __init__(self, folder: Path, name: str, limits: Limits = Limits(), clock: Clock = utc_now) -> None:
        self.folder, self.name, self.limits, self.clock = folder, name, limits, clock
        self.path = current(folder, name)
        self._process = 0  # whose the descriptors are: after a fork they would share their lock
        self._out = self._lock = -1

    def append(self, line: bytes) -> None:
        """Append a line, which ends with a newline; raises OSError when it cannot be written, and writes none of it."""
        with self._turn() as alone:
            self._follow()
            before = os.fstat(self._out).st_size
            self._write(line, before if alone else None)
            if not alone and not same_file(self._out, self.path):  # set aside meanwhile, and read before we wrote?
                self._follow()
                self._write(line, None)  # twice rather than not at all
            full = alone and before + len(line) >= self.limits.file_bytes
            if full:
                self._set_aside(before + len(line))
        if full:
            tidy(self.folder, self.name, self.limits, self.clock())

    def close(self) -> None:
        """Give the descriptors back."""
        for descriptor in (self._out, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._out = self._lock = -1

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """A block that one process is in at a time; yields whether it is so."""
        if self._process != os.getpid():
            self._open()
        alone = taken(self._lock)
        try:
            yield alone
        finally:
            if alone:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _open(self) -> None:
        self.close()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(PermissionError):
            self.folder.chmod(0o700)
        self._lock = os.open(lock_file(self.folder, self.name), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._process = os.getpid()

    def _follow(self) -> None:
        """Have the file open that the name stands for now."""
        if self._out < 0 or not same_file(self._out, self.path):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._out >= 0:
                os.close(self._out)
                self._out = -1
            self._out = os.open(self.path, APPEND, 0o600)

    def _write(self, line: bytes, before: int | None) -> None:
        try:
            written = os.write(self._out, line)
            while written < len(line):  # the disk is nearly full: the next write says so
                written += os.write(self._out, line[written:])
        except OSError:
            if before is not None:
                os.ftruncate(self._out, before)
            raise

    def _set_aside(self, size: int) -> None:
        begin = written(self.folder, self.name)
        name = f"{self.name}.{begin:015d}-{begin + size:015d}.{self.clock().astimezone(UTC).strftime(STAMP)}.log"
        self.path.rename(self.folder / name)
        os.pwrite(self._lock, f"{begin + size:015d}".encode(), 0)


def taken(lock: int) -> bool:
    """Take a lock for ourselves, and say whether that was possible in time."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.0005)
    return False


def same_file(descriptor: int, path: Path) -> bool:
    """Whether a path leads to the file that is open."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def current(folder: Path, name: str) -> Path:
    """The file of a journal that is written to."""
    return folder / f"{name}.log"


def set_aside(folder: Path, name: str) -> list[Piece]:
    """The files of a journal that were set aside, oldest first; of one that is there twice the compressed one."""
    found: dict[int, Piece] = {}
    for path in sorted(folder.glob(f"{name}.*.log*")):  # .log before .log.gz
        named = NAMED.fullmatch(path.name.removeprefix(f"{name}."))
        with suppress(FileNotFoundError):
            if named:
                until = datetime.strptime(named["until"], STAMP).replace(tzinfo=UTC)
                piece = Piece(path, int(named["begin"]), int(named["end"]), path.stat().st_size, until)
                found[piece.begin] = piece
    return [found[begin] for begin in sorted(found)]


def pieces(folder: Path, name: str) -> list[Piece]:
    """All files of a journal as they are now, oldest first; the last one is being written to.

    A listing can miss a file that is being renamed: it is repeated until nothing is missing in the middle.
    """
    for _ in range(TRIES):
        begin = noted(folder, name)
        aside, size = set_aside(folder, name), size_of(current(folder, name))
        steps = [*(piece.begin for piece in aside[1:]), begin]
        if not aside or ([piece.end for piece in aside] == steps and noted(folder, name) == begin):
            break
        time.sleep(0.001)
    begin = max([begin, *(piece.end for piece in aside)])
    last = [] if size is None else [Piece(current(folder, name), begin, begin + size, size, None)]
    return aside + last


def size_of(path: Path) -> int | None:
    """The bytes of a file; None where it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def lock_file(folder: Path, name: str) -> Path:
    """Whose lock a journal's writers take in turn. It says how many bytes were set aside, ever."""
    return folder / f".{name}.lock"


def noted(folder: Path, name: str) -> int:
    """How many bytes of a journal were set aside, as its lock file says; 0 where it does not."""
    try:
        return int(lock_file(folder, name).read_text() or 0)
    except (FileNotFoundError, ValueError):
        return 0


def written(folder: Path, name: str) -> int:
    """How many bytes of a journal were set aside, also where its lock file was lost or a writer killed."""
    return max([noted(folder, name), *(piece.end for piece in set_aside(folder, name))])


def tidy(folder: Path, name: str, limits: Limits, now: datetime) -> None:
    """Compress what was set aside and delete what is too old or too much; what cannot be done is tried next time."""
    with suppress(OSError), opened(folder / f".{name}.tidying") as lock:
        if not hold_alone(lock):
            return  # somebody is at it
        for scratch in folder.glob(f".{name}.*.scratch"):
            scratch.unlink()
        for piece in set_aside(folder, name):
            with suppress(OSError):
                compress(piece.path)
        forget(set_aside(folder, name), limits, now)


def compress(path: Path) -> None:
    """Put a compressed file in place of a plain one; whoever is killed in the middle leaves the plain one."""
    if path.suffix == ".gz":
        path.with_suffix("").unlink(missing_ok=True)
        return
    scratch = path.with_name(f".{path.name}.scratch")
    descriptor = os.open(scratch, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with path.open("rb") as plain, os.fdopen(descriptor, "wb") as out:
        with gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=3) as packed:
            shutil.copyfileobj(plain, packed)
        out.flush()
        os.fsync(descriptor)
    scratch.rename(path.with_name(f"{path.name}.gz"))
    path.unlink()


def forget(aside: list[Piece], limits: Limits, now: datetime) -> None:
    """Delete files that hold nothing young enough, and the oldest of what is too much."""
    spare = sum(piece.size for piece in aside) - limits.total_bytes
    for piece in aside:
        old = piece.until is not None and piece.until < now - limits.kept
        if old or spare > 0:
            piece.path.unlink(missing_ok=True)
            spare -= piece.size


def open_piece(piece: Piece, folder: Path, name: str) -> BinaryIO | None:
    """A file of a journal to be read, as plain text wherever it is by now; None when it was forgotten meanwhile."""
    looked_at: Piece | None = piece
    while looked_at:
        with suppress(FileNotFoundError):
            reading = gzip.open if looked_at.path.suffix == ".gz" else open
            file = cast(BinaryIO, reading(looked_at.path, "rb"))
            if looked_at.until or written(folder, name) == piece.begin:
                return file
            file.close()  # the name stands for the next file already
        looked_at = next((one for one in set_aside(folder, name) if one.begin == piece.begin), None)
    return None
