"""Bytes from a Nextcloud into the mirror: what groups of files lack, some files at a time, before they are read.

Files come whole or not at all (`nextcloud/download.py`), by way of a folder for what is not whole yet. A fault of one
file leaves the others to come; one of the server, or of the disk, ends it all, and what has come is kept.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from batch.ingest import FileRead, FileSeen, Group
from batch.mirrored import version_ns
from batch.nextcloud.client import Downloaded, Nextcloud
from batch.nextcloud.faults import (
    Busy,
    Changed,
    Forbidden,
    Gone,
    Hostile,
    Locked,
    NoRoom,
    Short,
    Stopped,
    Unkept,
    Unreachable,
    Withheld,
)  # fmt: skip
from batch.nextcloud.listing import Item
from batch.progress import Progress
from batch.rows import Row
from batch.sources import Fetched
from batch.variants import SIDECAR
from cluster.errors import ServiceError

WAITS = "another file of the same photo could not be downloaded; scan again"
PORTION, PORTION_BYTES = 500, 4 << 30  # files, and bytes, that are fetched before they are read together
MOST_UNREACHED = 5  # files in a row, after which the server is asked whether it is the files
ABOUT_ONE = (
    Gone,
    Locked,
    Changed,
    Hostile,
    Busy,
    Short,
    Unreachable,
    Forbidden,
    Unkept,
    Withheld,
)  # faults of one file
MB, GB = 1_000_000, 1_000_000_000
NO_ROOM = (
    "{needed:.1f} GB are to be downloaded and {free:.1f} GB may be used on this disk. Make room, choose fewer folders, "
    "or keep no originals (keep_originals: false)."
)


class Fetching:
    """Fetches files of one account."""

    def __init__(
        self, cloud: Nextcloud, folder: Path, partial: Path, least_free: float, downloads: int, progress: Progress
    ) -> None:
        """`folder` is the mirror, `partial` for what is not whole; `least_free` bytes stay free on the disk."""
        self.cloud, self.folder, self.partial = cloud, folder, partial
        self.least_free, self.downloads, self.progress = least_free, downloads, progress
        self.counting = threading.Lock()
        self.unreached = 0
        self.came = self.due = 0  # bytes

    def portions(
        self, groups: Sequence[Group], rows: dict[bytes, Row], stopped: Callable[[], bool]
    ) -> Iterator[Fetched]:
        """The groups in portions, each once it is here; the next one is fetched while the last is worked on.

        `rows` tell of the files by their places in the mirror, and afterwards of the versions that came.
        """
        over = threading.Event()

        def given_up() -> bool:
            return over.is_set() or stopped()

        with ThreadPoolExecutor(1) as ahead, ThreadPoolExecutor(self.downloads) as pool:
            coming: Future[Fetched] | None = None
            try:
                for portion in [*portioned(groups), None]:
                    following = ahead.submit(self.portion, portion, rows, pool, given_up) if portion else None
                    if coming:
                        yield coming.result()
                    if stopped():
                        return
                    coming = following
            finally:
                over.set()

    def portion(
        self, groups: Sequence[Group], rows: dict[bytes, Row], pool: ThreadPoolExecutor, stopped: Callable[[], bool]
    ) -> Fetched:
        """Fetch what some groups lack; the groups that can be read then, and what could not be fetched."""
        files = self.wanted(groups, rows)
        reasons = list(pool.map(lambda file: self.one(rows[file.path], stopped), files))
        lacking = {file.path: why for file, why in zip(files, reasons, strict=True) if why is not None}
        return fetched_of(groups, lacking)

    def expect(self, groups: Sequence[Group], rows: dict[bytes, Row]) -> None:
        """Count the files of groups that are to be fetched, and their bytes as far as they are told."""
        files = self.wanted(groups, rows)
        self.due += sum(max(rows[file.path]["size"], 0) for file in files)
        self.progress.stage("downloads").begin(len(files))

    def wanted(self, groups: Sequence[Group], rows: dict[bytes, Row]) -> list[FileSeen]:
        """The files of groups that are not in the mirror."""
        files = [file for group in groups for file in group.files if file.path in rows]
        return [file for file in files if not self.is_here(rows[file.path])]

    def is_here(self, row: Row) -> bool:
        """Whether a file of this size, and with the time that stands for this version, is in the mirror."""
        try:
            found = os.lstat(os.path.join(self.folder, os.fsdecode(row["local"])))
        except OSError:
            return False
        return found.st_mtime_ns == row["mtime_ns"] and row["size"] in (-1, found.st_size)

    def one(self, row: Row, stopped: Callable[[], bool]) -> str | None:
        """Fetch one file; None when it is here, why not when only it cannot be had, "" when nobody wants it any more.

        Raises what is about the whole server, or the disk.
        """
        if stopped():
            return ""
        try:
            self.make_sure_of_room(max(row["size"], 0))
            done = self.cloud.download(item_of(row), self.folder / os.fsdecode(row["local"]), self.partial,
                                       self.bytes_came, stopped)  # fmt: skip
        except Stopped:
            return ""
        except ABOUT_ONE as fault:
            self.fetched(failed=fault)
            return str(fault)
        self.take(row, done)
        self.fetched()
        return None

    def take(self, row: Row, done: Downloaded) -> None:
        """Have a row tell of the version that came, and the file's time stand for it."""
        came = Item(row["path"], False, row["file_id"], done.etag, done.size, done.mtime)
        if done.etag and done.etag != row["etag"]:  # it was changed after it was listed
            row.update(etag=done.etag, mtime=done.mtime, mtime_ns=version_ns(came))
        row["size"] = done.size
        os.utime(self.folder / os.fsdecode(row["local"]), ns=(row["mtime_ns"], row["mtime_ns"]))

    def bytes_came(self, count: int) -> None:
        """Count bytes; fewer than none when some have to come again."""
        with self.counting:
            self.progress.fact("bytes_downloaded", count)
            self.came += count
            self.progress.stage("downloads").note = f"{self.came / MB:,.1f} of {self.due / MB:,.1f} MB"

    def fetched(self, failed: ServiceError | None = None) -> None:
        """Count a file; raises when so many in a row cannot be reached that the server is asked, and it cannot either.

        Where only a part of the server is away, as a disk of its own, files that lie elsewhere still come.
        """
        away = isinstance(failed, Unreachable | Forbidden) and not isinstance(failed, Short)
        with self.counting:
            self.progress.stage("downloads").advance(failed is None, failed is not None)
            self.unreached = self.unreached + 1 if away else 0
            doubtful = away and self.unreached % MOST_UNREACHED == 0
        if doubtful:
            self.cloud.about("")

    def make_sure_of_room(self, needed: int) -> None:
        """Raise NoRoom when so many bytes more would leave less free than the settings say."""
        free = shutil.disk_usage(self.folder).free - self.least_free
        if needed > free:
            raise NoRoom(NO_ROOM.format(needed=needed / GB, free=max(free, 0) / GB))


def item_of(row: Row) -> Item:
    """A file as the server listed it."""
    etag = row["etag"] if row["etag"].endswith('"') else ""  # else it is one of our own making
    return Item(row["path"], False, row["file_id"], etag, row["size"], row["mtime"], row["checksum"])


def portioned(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """Groups in portions that are fetched, and then read, together."""
    portion: list[Group] = []
    files = size = 0
    for group in groups:
        portion.append(group)
        files, size = files + len(group.files), size + sum(max(file.size, 0) for file in group.files)
        if files >= PORTION or size >= PORTION_BYTES:
            yield portion
            portion, files, size = [], 0, 0
    if portion:
        yield portion


def fetched_of(groups: Sequence[Group], lacking: dict[bytes, str]) -> Fetched:
    """Groups without the files that are lacking, and these, with the reasons; "" is none.

    A group that lacks what its photo has known so far, or its only picture, is not read: it would be another photo.
    """
    whole, failed = list[Group](), list[FileRead]()
    for group in groups:
        there = [file for file in group.files if file.path not in lacking]
        missing = [file for file in group.files if file.path in lacking]
        failed += [FileRead(file, error=lacking[file.path]) for file in missing if lacking[file.path]]
        if not missing:
            whole.append(group)
        elif not any(file.photo_id for file in missing) and any(file.kind != SIDECAR for file in there):
            whole.append(Group(there, group.force))
        else:
            why = next(filter(None, (lacking[file.path] for file in missing)), "")
            failed += [FileRead(file, error=WAITS) for file in there if file.changed and why]
    return Fetched(whole, failed)
