"""Whether anything changes in a folder of originals: told by the kernel (inotify), for folders of this machine.

The libraries that watch trees follow links out of them and cannot read names that are not UTF-8; so the tree is walked
here, as a scan walks it: no links, nothing that the settings skip. Shares and other file systems that do not tell of
what somebody else changes in them, and trees with more folders than the kernel watches, are left to be polled.
"""

import errno
import logging
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from inotify_simple import Event, INotify, flags

from batch.discover import matches
from cluster.store.paths import display
from serve_apps.media.kinds import kind_of

log = logging.getLogger(__name__)

MOUNTS = Path("/proc/self/mounts")
# File systems in which others change files without this machine's kernel hearing of it; so may all that FUSE shows.
REMOTE = {
    "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3",
    "smbfs", "vboxsf", "virtiofs", "vmhgfs",
}  # fmt: skip
WHOLE = flags.CLOSE_WRITE | flags.MOVED_TO | flags.MOVED_FROM | flags.DELETE | flags.CREATE  # of what is in a folder
ITSELF = flags.ONLYDIR | flags.EXCL_UNLINK | flags.DONT_FOLLOW
FULL = {errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # the kernel watches no more
MOST_DEEP = 64  # folders below each other, as in a walk


class Unwatchable(Exception):
    """A folder that can only be polled; says why."""


class Gone(Exception):
    """A watched folder that is not there any more, or is another one by now."""


class FolderWatch:
    """Watches a folder and all that a scan would look at below it. A context manager; for one thread."""

    def __init__(self, root: Path, skip: Sequence[str], mounts: Path = MOUNTS) -> None:
        """Raises Unwatchable, and Gone when there is no such folder."""
        self.root, self.skip = os.fsencode(root), skip
        if kind := remote(os.path.realpath(self.root), mounts):
            raise Unwatchable(f"it is on {kind}, which does not tell of every change")
        self.identity = self.looked_at()
        self.folders: dict[int, bytes] = {}  # watch descriptor -> path below the root
        try:
            self.inotify = INotify()
        except OSError as error:
            raise Unwatchable(f"the kernel watches no more ({error.strerror})") from None
        with ExitStack() as otherwise:
            otherwise.callback(self.close)
            self.add(b"")
            otherwise.pop_all()

    def __enter__(self) -> "FolderWatch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Watch no more."""
        self.inotify.close()

    def changed(self, within_s: float) -> bool:
        """Whether something that a scan would see changes within a time; returns as soon as something does.

        Raises Gone, also when so much happened that some of it was lost, and Unwatchable.
        """
        events = list(self.inotify.read(timeout=int(within_s * 1000), read_delay=20))
        seen = [self.matters(event) for event in events]  # of all: folders that come and go are watched or not
        if self.looked_at() != self.identity:
            raise Gone(f"{display(self.root)} is another folder by now")
        return any(seen)

    def looked_at(self) -> tuple[int, int]:
        """Which folder the root is now; raises Gone when it is none."""
        try:
            seen = os.stat(self.root)
        except OSError as error:
            raise Gone(f"{display(self.root)} is not there: {error.strerror}") from None
        return seen.st_dev, seen.st_ino

    def matters(self, event: Event) -> bool:
        """Whether a scan would see the change; takes note of folders that came or went."""
        if event.mask & flags.Q_OVERFLOW:
            raise Gone("more happened than the kernel could keep")
        if event.mask & flags.IGNORED:
            self.folders.pop(event.wd, None)
        if event.wd not in self.folders or not event.name:
            return False
        name = os.fsencode(event.name)
        path = os.path.join(self.folders[event.wd], name)
        if matches(display(name), display(path), self.skip):
            return False
        return (
            self.folder_matters(event.mask, path) if event.mask & flags.ISDIR else self.file_matters(event.mask, path)
        )

    def folder_matters(self, mask: int, path: bytes) -> bool:
        """Whether a folder that came has anything to see in it; one that was moved away had, as far as we know."""
        if mask & (flags.CREATE | flags.MOVED_TO):
            return self.add(path)
        if mask & flags.MOVED_FROM:
            for watch in [watch for watch, known in self.folders.items() if known == path or below(known, path)]:
                del self.folders[watch]
                with suppress(OSError):
                    self.inotify.rm_watch(watch)
            return True
        return False  # it was deleted: what was in it went before it

    def file_matters(self, mask: int, path: bytes) -> bool:
        """Whether a file is one for a library, and whole: one that was just made is told of again when it is closed."""
        if kind_of(display(os.path.basename(path))) is None:
            return False
        return not mask & flags.CREATE or self.linked(path)

    def linked(self, path: bytes) -> bool:
        """Whether a file that came was there before under another name: nobody has to write and close it."""
        with suppress(OSError):
            seen = os.lstat(os.path.join(self.root, path))
            return stat.S_ISREG(seen.st_mode) and seen.st_nlink > 1
        return False

    def add(self, path: bytes) -> bool:
        """Watch a folder and those below it; returns whether there is any file for a library in them."""
        found, waiting = False, [path]
        while waiting:
            folder = waiting.pop()
            if not self.watch(folder):
                continue
            for name, is_folder in self.entries(folder):  # after it is watched: what comes from now on is told
                if is_folder and folder.count(b"/") < MOST_DEEP:
                    waiting.append(os.path.join(folder, name))
                found = found or (not is_folder and kind_of(display(name)) is not None)
        return found

    def watch(self, folder: bytes) -> bool:
        """Watch one folder; False when it cannot be, as a scan cannot list it either. Raises Unwatchable."""
        whole = os.path.join(self.root, folder)  # the root with a slash behind it: it may be a link itself
        try:
            self.folders[self.inotify.add_watch(whole, WHOLE | ITSELF)] = folder
        except OSError as error:
            if error.errno in FULL:
                raise Unwatchable(f"the kernel watches no more folders ({error.strerror})") from None
            return False
        return True

    def entries(self, folder: bytes) -> Iterator[tuple[bytes, bool]]:
        """What a scan would look at in a folder: names, and whether they are folders."""
        with suppress(OSError), os.scandir(os.path.join(self.root, folder)) as entries:
            for entry in entries:
                if entry.is_symlink() or matches(
                    display(entry.name), display(os.path.join(folder, entry.name)), self.skip
                ):
                    continue
                yield entry.name, entry.is_dir(follow_symlinks=False)


def remote(root: bytes, mounts: Path = MOUNTS) -> str:
    """The file system of a folder, or of one mounted below it, if it is one that does not tell of changes; or ""."""
    mounted = [line.split(b" ")[1:3] for line in mounts.read_bytes().splitlines() if line.count(b" ") >= 2]
    kinds = {unescaped(point): kind.decode(errors="replace") for point, kind in mounted}  # a later one hides an earlier
    holding = max((point for point in kinds if point == root or below(root, point)), key=len, default=b"/")
    inside = [point for point in kinds if below(point, root)]
    found = [kinds[point] for point in (holding, *inside) if point in kinds]
    return next((kind for kind in found if kind in REMOTE or kind.startswith("fuse.")), "")


def below(path: bytes, folder: bytes) -> bool:
    """Whether a path lies below a folder."""
    return path.startswith(folder.rstrip(b"/") + b"/") and path != folder


def unescaped(point: bytes) -> bytes:
    """A mount's place as the kernel lists it, with its blanks back."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), point)
