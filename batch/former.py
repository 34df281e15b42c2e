"""What files held before metadata was written into them, kept for as long as that can be undone: one record each.

A record says how the former file is made of the one that took its place, so it is small, and what comes out of it is
the former file to the byte. It is on disk before its file is touched. Leaves out doing it (unsaving.py).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import msgspec

from cluster.settings import Settings
from serve_apps.media.pieces import Kept

UNFINISHED = ".tmp"


class Former(msgspec.Struct, frozen=True):
    """A file that gets other bytes, and how to get the former ones back."""

    photo_id: str
    path: bytes  # below the library's folder
    sidecar: bool
    old: str  # content id; empty for a sidecar that was not there
    new: str
    pieces: list[Kept | bytes] | None  # of the new file, and bytes between them; None: there was no file

    @property
    def key(self) -> str:
        """The name of its record: the photo, the path, and which bytes the file gets."""
        return f"{self.photo_id}-{sha256(self.path).hexdigest()[:32]}-{self.new}"


class Formers:
    """The records of one library, by the job that gave files other bytes."""

    def __init__(self, settings: Settings, owner: str) -> None:
        self.folder = settings.root / "undo" / owner

    def add(self, job_id: str, former: Former) -> None:
        """Keep a record, on disk when this returns."""
        folder = self.folder / job_id
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{former.key}{UNFINISHED}"
        with unfinished.open("wb") as file:
            file.write(msgspec.msgpack.encode(former))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / former.key)
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    def of_job(self, job_id: str) -> Iterator[Former]:
        """What a job's files were, the one that was written last first: a file may have been written twice."""
        for path in sorted(self.records(job_id), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            yield msgspec.msgpack.decode(path.read_bytes(), type=Former)

    def remove(self, job_id: str, former: Former) -> None:
        """Forget a record; the last one takes its job's folder along."""
        folder = self.folder / job_id
        (folder / former.key).unlink(missing_ok=True)
        with suppress(OSError):  # others are in it
            folder.rmdir()

    def records(self, job_id: str) -> list[Path]:
        """A job's records."""
        return [path for path in (self.folder / job_id).glob("*") if path.suffix != UNFINISHED]

    def photos(self, job_id: str) -> int:
        """How many photos a job has changed and not been undone in."""
        folder = self.folder / job_id
        try:
            return counted(folder, folder.stat().st_mtime_ns)
        except OSError:
            return 0

    def purge(self, before: datetime) -> None:
        """Forget jobs that have given no file other bytes since a moment."""
        for folder in self.folder.glob("*"):
            with suppress(OSError):  # somebody undoes it just now
                if max(path.stat().st_mtime for path in [folder, *folder.glob("*")]) < before.timestamp():
                    shutil.rmtree(folder)


@lru_cache(maxsize=256)
def counted(folder: Path, _changed: int) -> int:
    """How many photos a folder has records of; a folder of many is not listed again until it changes."""
    return len({name.partition("-")[0] for name in os.listdir(folder) if not name.endswith(UNFINISHED)})
