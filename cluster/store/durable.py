"""Flushing to disk, and the lock that writers take turns by. For local folders; object stores have neither."""

import ctypes
import fcntl
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@functools.cache
def libc() -> ctypes.CDLL:
    """The C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def flush(folder: Path) -> None:
    """Put everything written so far to the filesystem of a folder on disk; raises OSError when the disk refuses.

    LanceDB itself never does: without this, an acknowledged commit can be an empty file after a power loss.
    """
    if not hasattr(libc(), "syncfs"):  # not Linux
        os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if libc().syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(descriptor)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock that is this file, against other threads and other processes; it ends with its process."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
