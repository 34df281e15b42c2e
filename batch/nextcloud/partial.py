"""The part of a file that has come so far: kept beside a note of the version it is of, until the file is whole.

Lies in a folder of its own, never where photos are looked for. One process at a time has a part open. What a note does
not vouch for is worth nothing: after a crash of the machine only what was flushed to the disk before counts.
"""

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from batch.nextcloud.faults import Busy, NoRoom, Unkept
from batch.nextcloud.listing import Item

WORTH = 4 << 20  # bytes of a file; the note of a smaller one is written only when its download ends early
FULL = (errno.ENOSPC, errno.EDQUOT)
BOOT = Path("/proc/sys/kernel/random/boot_id")
PIECE = 1 << 20
ENOUGH = 20  # times that a part may be finished by others just when it is opened


class Note(msgspec.Struct):
    """What version a part is of, and what can be relied on after a crash of the machine."""

    path: str
    etag: str
    size: int
    boot: str  # which run of the machine wrote it; in the same one the kernel still has what was written
    flushed: int = 0  # bytes that were on the disk when this was written


class Partial:
    """The part of one file, open and locked; used with `with`. Raises NoRoom, Unkept, and Busy when open already."""

    def __init__(self, folder: Path, path: str) -> None:
        name = hashlib.sha256(path.encode("utf8", "surrogatepass")).hexdigest()
        self._file, self._note_file = folder / f"{name}.part", folder / f"{name}.json"
        self._note: Note | None = None
        self._written = False  # whether the note is on the disk
        self.size = 0
        with kept_on_disk():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = locked(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None and self._note and self.size:
                with suppress(OSError):  # the fault that ends the download is the one to tell
                    os.fsync(self._fd)
                    self._note.flushed = self.size
                    self._write_note()
        finally:
            os.close(self._fd)

    def kept(self, item: Item) -> int:
        """How many bytes of this version of the file are there already and to be relied on."""
        with kept_on_disk():
            note = self._note or read_note(self._note_file)
            there = os.fstat(self._fd).st_size
            if not note or not item.etag or (note.path, note.etag, note.size) != (item.path, item.etag, item.size):
                self.size = 0
            elif self._note or note.boot == boot():
                self.size = min(there, item.size)
            else:
                self.size = min(there, item.size, note.flushed)
            self._note = note if self.size else None
            os.ftruncate(self._fd, self.size)
        return self.size

    def begin(self, item: Item) -> None:
        """Start a version from its first byte."""
        with kept_on_disk():
            self.forget()
            self._note = Note(item.path, item.etag, item.size, boot())
            if item.size >= WORTH:
                self._write_note()

    def forget(self) -> None:
        """What is there is worth nothing."""
        with kept_on_disk():
            self._note = None
            self._note_file.unlink(missing_ok=True)
            os.ftruncate(self._fd, 0)
            self.size = 0

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        view = memoryview(data)
        with kept_on_disk():
            while view:
                written = os.pwrite(self._fd, view, self.size)
                self.size += written
                view = view[written:]

    def read(self, start: int = 0) -> Iterator[bytes]:
        """The bytes that are there, from a position on."""
        with kept_on_disk():
            while start < self.size and (piece := os.pread(self._fd, min(PIECE, self.size - start), start)):
                start += len(piece)
                yield piece

    def put(self, to: Path, mtime: float) -> None:
        """Give the whole file its time and its final name, in one step, so that no crash undoes it.

        What had the name before is gone. Parts and places must be on one disk.
        """
        with kept_on_disk():
            to.parent.mkdir(parents=True, exist_ok=True)
            if mtime:
                os.utime(self._fd, (mtime, mtime))
            os.fsync(self._fd)
            os.replace(self._file, to)
            flush_folder(to.parent)
            self._note = None
            self._note_file.unlink(missing_ok=True)

    def _write_note(self) -> None:
        """Put the note on the disk, whole or not at all."""
        new = self._note_file.with_suffix(".new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, msgspec.json.encode(self._note))
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(new, self._note_file)
        flush_folder(self._note_file.parent)


def locked(file: Path) -> int:
    """A part opened for this process alone; raises Busy, and OSError for what is no plain file of ours."""
    for _ in range(ENOUGH):
        fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.fstat(fd)
            if not stat.S_ISREG(mine.st_mode) or mine.st_nlink > 1:
                raise OSError(errno.EEXIST, "something else has the name of a part")
            with suppress(FileNotFoundError):  # it was finished, and has its final name by now: never write into that
                if os.path.samestat(mine, os.stat(file, follow_symlinks=False)):
                    return fd
        except BlockingIOError:
            os.close(fd)
            raise Busy("This file is being fetched already. Wait until that has ended.") from None
        except OSError:
            os.close(fd)
            raise
        os.close(fd)
    raise Busy("This file is being fetched already, again and again. Wait until that has ended.")


def read_note(file: Path) -> Note | None:
    """The note beside a part; none when there is none that can be read."""
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(fd, "rb") as opened, suppress(msgspec.MsgspecError, UnicodeError):
        return msgspec.json.decode(opened.read(PIECE), type=Note)
    return None


def boot() -> str:
    """Which run of this machine this is; "" where the kernel does not say, and then nothing unflushed is relied on."""
    try:
        return BOOT.read_text("ascii").strip()
    except OSError:
        return f"unknown, {time.time_ns()}"


def flush_folder(folder: Path) -> None:
    """Put a folder's names on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def tidy(folder: Path, older_than_s: float) -> None:
    """Delete parts that nobody came back for."""
    with suppress(FileNotFoundError):
        for one in os.scandir(folder):
            if one.is_file(follow_symlinks=False) and one.stat().st_mtime < time.time() - older_than_s:
                Path(one.path).unlink(missing_ok=True)


@contextmanager
def kept_on_disk() -> Iterator[None]:
    """Turns what the disk refuses into NoRoom and Unkept."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise NoRoom("The disk is full. Make room; then it goes on where it stopped.") from error
        raise Unkept(
            f"A photo cannot be kept on this machine's disk: {error.strerror}. Ask an administrator to look at it."
        ) from error
