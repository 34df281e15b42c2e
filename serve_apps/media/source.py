"""One file, opened so that nothing can be done to it and read once: content id and bytes come out of the same pass.

Leaves out what the bytes mean.
"""

import errno
import hashlib
import os
import stat
from types import TracebackType
from typing import Self

from cluster.errors import TooLarge, Unreadable
from serve_apps.media.kinds import HEAD_BYTES

READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO would block an open without O_NONBLOCK
CHUNK = 1 << 20
SETTING = "of media.max_file_mb; raise the setting if the file is yours"
SENTENCES = {
    errno.ENOENT: "the file is not there any more; scan again",
    errno.EACCES: "Brightroom may not read this file; change its permissions and scan again",
    errno.EPERM: "Brightroom may not read this file; change its permissions and scan again",
    errno.ELOOP: "this is a symbolic link, and links are not followed; put the file itself there",
    errno.ENXIO: "this is no regular file, so it cannot be a photo; move it elsewhere",
}


class Source:
    """A regular file open for reading, with its size in bytes and mtime in nanoseconds; raises Unreadable."""

    def __init__(self, path: bytes, folder: int | None = None) -> None:
        """`folder` is the descriptor of an open folder that the path begins in."""
        try:
            self.fd = os.open(path, READ_ONLY, dir_fd=folder)
        except OSError as error:
            raise Unreadable(sentence(error)) from None
        found = os.fstat(self.fd)
        self.size, self.mtime_ns = found.st_size, found.st_mtime_ns
        if not stat.S_ISREG(found.st_mode):
            os.close(self.fd)
            raise Unreadable(SENTENCES[errno.ENXIO])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        os.close(self.fd)

    def head(self) -> bytes:
        """The first bytes, for `kinds.sniff`."""
        try:
            return os.pread(self.fd, HEAD_BYTES, 0)
        except OSError as error:
            raise Unreadable(sentence(error)) from None

    def read(self, limit: int, whose: str = SETTING) -> tuple[bytes, str]:
        """All bytes and their content id; raises TooLarge over `limit` bytes, Unreadable if they change meanwhile.

        `whose` says after the limit whose it is, and what to do.
        """
        if self.size > limit:
            raise TooLarge(f"the file has {megabytes(self.size)}, over the {megabytes(limit)} {whose}")
        hashed, parts, left = hashlib.sha256(), [], self.size
        while left and (part := self._read(left)):
            hashed.update(part)
            parts.append(part)
            left -= len(part)
        self.must_be_unchanged()
        return b"".join(parts), hashed.hexdigest()[:32]  # one part is the rule, and joining it copies nothing

    def content_id(self) -> str:
        """The content id of a file of any size, read in pieces; raises Unreadable if it changes meanwhile."""
        hashed = hashlib.sha256()
        while part := self._read(CHUNK):
            hashed.update(part)
        self.must_be_unchanged()
        return hashed.hexdigest()[:32]

    def must_be_unchanged(self) -> None:
        """Raise Unreadable if the file was written to since it was opened."""
        now = os.fstat(self.fd)
        if (now.st_size, now.st_mtime_ns) != (self.size, self.mtime_ns):
            raise Unreadable("the file changed while it was read; scan again when it is complete")

    def _read(self, count: int) -> bytes:
        try:
            return os.read(self.fd, count)
        except OSError as error:
            raise Unreadable(sentence(error)) from None


def sentence(error: OSError) -> str:
    """What went wrong with opening or reading, and what to do."""
    known = SENTENCES.get(error.errno or 0)
    return known or f"the file cannot be read ({error.strerror}); check the disk it is on and scan again"


def megabytes(size: int) -> str:
    """A size in whole megabytes."""
    return f"{size / (1 << 20):,.0f} MB"
