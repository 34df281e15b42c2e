"""One file below a library's folder gets other bytes: written beside it, flushed, then put in its place in one step.

What was there before is kept until the caller is done with it. Nothing is followed that is a link, so nothing is
written elsewhere. Temporary names end in `.tmp`, which no scan takes for a photo. Leaves out what the bytes are.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, TypeAlias

from cluster.errors import Unwritable
from serve_apps.media.pieces import Kept, contents
from serve_apps.media.source import Source

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
CHANGED = "the file was changed since it was scanned; scan again, then save"
READ_ONLY = "the file is read-only; allow writing to it, or save beside it"
SENTENCES = {
    errno.EROFS: "the disk is mounted read-only; mount it so that it can be written to",
    errno.EACCES: "Brightroom may not write into this folder; change its permissions",
    errno.EPERM: "Brightroom may not write into this folder; change its permissions",
    errno.ENOSPC: "there is no room on the disk; make some",
    errno.EDQUOT: "there is no room left for this user on the disk; make some",
    errno.ENAMETOOLONG: "the file's name is too long to write beside it; shorten it and scan again",
    errno.ELOOP: "the file is reached by a symbolic link, and links are not followed; put the file itself there",
    errno.ENOTDIR: "the file is reached by a symbolic link, and links are not followed; put the file itself there",
    errno.ENOENT: "the file is not there any more; scan again",
}


Step: TypeAlias = Callable[[str], object]  # told what is done next


class Written(NamedTuple):
    """Bytes as they were written: their content id, how many, and the file's time."""

    content_id: str
    size: int
    mtime_ns: int


@contextmanager
def folder_of(root: bytes, path: bytes) -> Iterator[int]:
    """A descriptor of the folder of a path below the root; raises Unwritable where a step of it is no real folder."""
    with telling():
        folder = os.open(root, FOLDER & ~os.O_NOFOLLOW)
    try:
        for part in os.path.dirname(path).split(b"/"):
            if part in (b".", b".."):
                raise Unwritable(SENTENCES[errno.ENOTDIR])
            if part:
                with telling():
                    deeper = os.open(part, FOLDER, dir_fd=folder)
                os.close(folder)
                folder = deeper
        yield folder
    finally:
        os.close(folder)


@contextmanager
def telling() -> Iterator[None]:
    """Raise Unwritable for what a file system refuses."""
    try:
        yield
    except OSError as error:
        known = SENTENCES.get(error.errno or 0)
        raise Unwritable(known or f"the file cannot be written ({error.strerror}); check the disk it is on") from None


class Rewriting:
    """One file that is to get other bytes, by its name in an open folder."""

    def __init__(self, folder: int, name: bytes, step: Step) -> None:
        """`step` is told what is done next."""
        self.folder, self.name, self.step = folder, name, step
        key = hashlib.sha256(name).hexdigest()[:16].encode()
        self.new, self.old = b".brightroom-" + key + b".new.tmp", b".brightroom-" + key + b".old.tmp"

    def clear(self) -> None:
        """Remove what this or a killed process left beside the file."""
        for name in (self.new, self.old):
            if self.stat(name) is not None:  # asked first: a disk that is read-only refuses to remove what is not there
                with telling():
                    os.unlink(name, dir_fd=self.folder)

    def must_be_writable(self, seen: os.stat_result, otherwise: str = READ_ONLY) -> None:
        """Raise Unwritable, saying so, for a file that somebody made read-only, or that lies where we may not write."""
        if not seen.st_mode & 0o222 or not os.access(self.name, os.W_OK, dir_fd=self.folder):
            raise Unwritable(otherwise)

    def write(self, parts: Iterable[bytes], like: os.stat_result, former: Source | None) -> Written:
        """Write the new bytes beside the file, on disk when this returns; mode and owner are those of `like`.

        The time, and extended attributes, are those of the `former` file if there is one.
        """
        self.step("write")
        hashed, size = hashlib.sha256(), 0
        with telling(), creating(self.new, self.folder) as fd:
            for part in parts:
                hashed.update(part)
                size += len(part)
                write_all(fd, part)
            dress(fd, like, former)
            return Written(hashed.hexdigest()[:32], size, os.fstat(fd).st_mtime_ns)

    def put(self, seen: os.stat_result | None) -> None:
        """Put the new file in place, where the old one is as it was seen, or none is; raises Unwritable otherwise."""
        try:
            with telling():
                self.put_new() if seen is None else self.put_over(seen)
        except Unwritable:
            with suppress(OSError):
                os.unlink(self.new, dir_fd=self.folder)
            raise
        self.step("flush")
        with suppress(OSError):  # the file is in its place: that a share cannot flush folders changes nothing about it
            os.fsync(self.folder)

    def put_new(self) -> None:
        """Give the new file its name, unless there is one of that name by now."""
        self.step("replace")
        if self.stat(self.name) is not None:
            raise Unwritable(CHANGED)
        os.rename(self.new, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)

    def put_over(self, seen: os.stat_result) -> None:
        """Keep the old file under another name, and put the new one in its place."""
        self.step("keep")
        self.keep(seen)
        if not alike(self.stat(self.name), seen):
            raise Unwritable(CHANGED)
        self.step("replace")
        os.rename(self.new, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        if not alike(self.stat(self.old), seen):  # somebody wrote to it in this very moment
            os.rename(self.old, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
            raise Unwritable(CHANGED)

    def remove(self, seen: os.stat_result) -> None:
        """Take the file away where it is as it was seen, keeping it under another name; raises Unwritable otherwise."""
        self.step("replace")
        with telling():
            os.rename(self.name, self.old, src_dir_fd=self.folder, dst_dir_fd=self.folder)
            if not alike(self.stat(self.old), seen):  # somebody wrote to it in this very moment
                os.rename(self.old, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
                raise Unwritable(CHANGED)
        self.step("flush")
        with suppress(OSError):  # that a share cannot flush folders changes nothing about it
            os.fsync(self.folder)

    def keep(self, seen: os.stat_result) -> None:
        """The old file under another name: a link, or a copy where the disk has no links."""
        try:
            os.link(self.name, self.old, src_dir_fd=self.folder, dst_dir_fd=self.folder, follow_symlinks=False)
        except OSError:
            self.copy(seen)

    def copy(self, seen: os.stat_result) -> None:
        """A copy of the old file under another name."""
        with Source(self.name, self.folder) as source, creating(self.old, self.folder) as fd:
            for part in contents(source, [Kept(0, source.size)]):
                write_all(fd, part)
            dress(fd, seen, source)

    def stat(self, name: bytes) -> os.stat_result | None:
        """What a name in the folder is; None when there is nothing."""
        with telling():
            try:
                return os.stat(name, dir_fd=self.folder, follow_symlinks=False)
            except FileNotFoundError:
                return None


@contextmanager
def creating(name: bytes, folder: int) -> Iterator[int]:
    """A descriptor of a new file; what was written is on disk afterwards, or is gone."""
    fd, whole = os.open(name, NEW_FILE, 0o600, dir_fd=folder), False
    try:
        yield fd
        os.fsync(fd)
        whole = True
    finally:
        os.close(fd)
        if not whole:
            os.unlink(name, dir_fd=folder)


def write_all(fd: int, data: bytes) -> None:
    """Write all of some bytes."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def dress(fd: int, like: os.stat_result, former: Source | None) -> None:
    """Give a file another one's owner, where we may, and mode; and of a former one attributes and time."""
    for uid, gid in ((like.st_uid, -1), (-1, like.st_gid)):
        with suppress(OSError):
            os.fchown(fd, uid, gid)
    mode = stat.S_IMODE(like.st_mode) & 0o777
    os.fchmod(fd, mode if former else mode & 0o666 | stat.S_IWUSR)  # beside a read-only file is one to write to again
    if former:
        for name in attributes(former.fd):
            with suppress(OSError):  # some are for the system to set
                os.setxattr(fd, name, os.getxattr(former.fd, name))
        os.utime(fd, ns=(like.st_atime_ns, like.st_mtime_ns))


def attributes(fd: int) -> list[str]:
    """The names of a file's extended attributes; not every disk has such."""
    with suppress(OSError):
        return os.listxattr(fd)
    return []


def alike(now: os.stat_result | None, seen: os.stat_result) -> bool:
    """Whether a file is as it was seen."""
    return now is not None and (now.st_size, now.st_mtime_ns) == (seen.st_size, seen.st_mtime_ns)
