"""One user's files of the stand-in: a folder on disk, and what Nextcloud remembers of each file beside its bytes.

An id stays with a file over renames, moves and overwriting; an etag changes with the content, and a folder's with
anything below it. A file that a test writes into the folder itself is seen when it is next asked for, as after
`occ files:scan`; to move or delete one so that ids follow, use the methods here. No HTTP here.
"""

import hashlib
import os
import shutil
import tempfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

ALGORITHMS = ("SHA1", "MD5", "ADLER32")
UNLIMITED = -3  # what Nextcloud says where there is no quota


class Tree:
    """A user's files. Paths are relative, "/" between parts, "" the root."""

    def __init__(self, folder: Path, ids: Iterator[int]) -> None:
        self.folder = folder
        self.checksums: tuple[str, ...] = (
            ALGORITHMS  # which are told; () as for files that no client sent a checksum with
        )
        self.quota: int | None = None  # bytes in all
        self._ids = ids
        self._known: dict[str, int] = {}
        self._revisions: dict[int, int] = {}
        self._sums: dict[tuple[str, str], str] = {}
        self._lock = threading.RLock()

    def on_disk(self, path: str) -> Path:
        """Where a path lies."""
        return self.folder / path if path else self.folder

    def id_of(self, path: str) -> int:
        """The id of a file or folder; a new one where there was none."""
        with self._lock:
            if path not in self._known:
                self._known[path] = next(self._ids)
            return self._known[path]

    def etag_of(self, path: str) -> str:
        """32 hex digits, without quotes: another text after any change of the file, or of anything below the folder."""
        with self._lock:
            told = [str(number) for number in (self.id_of(path), self._revisions.get(self.id_of(path), 0))]
            place = self.on_disk(path)
            if place.is_dir():
                told += [f"{name}/{self.etag_of(below)}" for name, below in self.members(path)]
            else:
                now = place.stat()
                told += [str(now.st_size), str(now.st_mtime_ns)]
            return hashlib.md5("\n".join(told).encode("utf8", "surrogateescape")).hexdigest()

    def members(self, path: str) -> list[tuple[str, str]]:
        """Name and path of what a folder holds, in order; no links and, as in Nextcloud, only names that are text."""
        found = os.scandir(self.on_disk(path))
        names = sorted(
            entry.name for entry in found if entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
        )
        return [(name, f"{path}/{name}" if path else name) for name in names if is_text(name)]

    def size_of(self, path: str) -> int:
        """Bytes of a file, or of all that is in a folder."""
        place = self.on_disk(path)
        return sum(self.size_of(below) for _, below in self.members(path)) if place.is_dir() else place.stat().st_size

    def counts_of(self, path: str) -> tuple[int, int]:
        """Files and folders directly in a folder."""
        folders = sum(self.on_disk(below).is_dir() for _, below in self.members(path))
        return len(self.members(path)) - folders, folders

    def available(self) -> int:
        """Bytes that may be added, or UNLIMITED."""
        return UNLIMITED if self.quota is None else max(self.quota - self.size_of(""), 0)

    def checksums_of(self, path: str) -> str:
        """The checksums of a file as `oc:checksum` has them, "" when none are told."""
        if not self.checksums:
            return ""
        key = (self.etag_of(path), " ".join(self.checksums))
        if key not in self._sums:
            data = self.on_disk(path).read_bytes()
            self._sums[key] = " ".join(f"{name}:{checksum(name, data)}" for name in self.checksums)
        return self._sums[key]

    def put(self, path: str, data: bytes, mtime: float | None = None) -> int:
        """Write a file, new or over another, at once as a whole; its id. Folders on the way are made."""
        place = self.on_disk(path)
        with self._lock:
            if not place.exists():
                self._forget(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            handle, written = tempfile.mkstemp(dir=self.folder.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            if mtime is not None:
                os.utime(written, (mtime, mtime))
            Path(written).replace(place)
            return self._revised(path)

    def touch(self, path: str, mtime: float | None = None) -> None:
        """Give a file another time (now, or seconds since the epoch), and thereby another etag; the bytes stay."""
        with self._lock:
            os.utime(self.on_disk(path), None if mtime is None else (mtime, mtime))
            self._revised(path)

    def move(self, path: str, to: str) -> None:
        """Rename or move a file or a folder; it and all below keep their ids and etags."""
        with self._lock:
            self._forget(to)
            self.on_disk(to).parent.mkdir(parents=True, exist_ok=True)
            self.id_of(path)
            self.on_disk(path).rename(self.on_disk(to))
            for known in [known for known in self._known if is_within(known, path)]:
                self._known[to + known.removeprefix(path)] = self._known.pop(known)

    def delete(self, path: str) -> None:
        """Take away a file, or a folder with all in it; whatever gets its name later is another."""
        place = self.on_disk(path)
        with self._lock:
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()
            self._forget(path)

    def files(self) -> dict[str, bytes]:
        """Every file with its bytes: what a faithful copy has."""
        return {
            place.relative_to(self.folder).as_posix(): place.read_bytes()
            for place in sorted(self.folder.rglob("*"))
            if place.is_file() and not place.is_symlink()
        }

    def _revised(self, path: str) -> int:
        number = self.id_of(path)
        self._revisions[number] = self._revisions.get(number, 0) + 1
        return number

    def _forget(self, path: str) -> None:
        for known in [known for known in self._known if is_within(known, path)]:
            del self._known[known]


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder or below it."""
    return path == folder or path.startswith(f"{folder}/")


def is_text(name: str) -> bool:
    """Whether a name from the disk is UTF-8."""
    try:
        name.encode("utf8")
    except UnicodeEncodeError:
        return False
    return True


def checksum(algorithm: str, data: bytes) -> str:
    """The checksum of some bytes, hex digits in lower case."""
    if algorithm == "ADLER32":
        return f"{zlib.adler32(data):08x}"
    return hashlib.new(algorithm.lower(), data).hexdigest()
