"""How much memory a process and all that it started take."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def peak_memory() -> Iterator[dict[str, float]]:
    """The highest sum of the memory of this process and its descendants while the block runs: `peak`, in GiB.

    Proportional set size: pages that processes share are counted once.
    """
    found, over = {"peak": 0.0}, threading.Event()

    def look() -> None:
        while not over.wait(4):
            found["peak"] = max(found["peak"], used())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def used() -> float:
    """Memory of this process and its descendants now, GiB."""
    total = 0
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return float(total / 2**30)
