"""Locks between the processes of one machine, each on a file: gone with the process that holds it, however that ends.

A program that is started meanwhile does not inherit them.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def opened(file: Path) -> Iterator[int]:
    """The descriptor of a lock file, which is made; whatever lock it holds is given up at the end of the block."""
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def one_at_a_time(file: Path) -> Iterator[None]:
    """A block that one process is in at a time; waits for its turn."""
    with opened(file) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def share(descriptor: int) -> None:
    """Hold a lock beside others who share it; waits while somebody holds it alone."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def hold_alone(descriptor: int) -> bool:
    """Hold a lock that nobody else holds, and say whether that was so; if not, we hold none afterwards."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False
    return True
