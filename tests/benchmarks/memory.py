"""How much memory a process and all that it started take."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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


KINDS = {  # of processes, by a word of their command lines; the first that fits
    "replicas of services": "ServeReplica",
    "Serve's controller": "ServeController",
    "decode children": "serve_apps.media.child",
    "node measurer and board": "ray::Measurer|ray::Board",
    "other Ray workers": "ray::",
    "Ray itself": "gcs_server|raylet|dashboard|log_monitor|monitor.py|runtime_env|agent|ray.scripts",
    "this process: API and supervision": "tests.benchmarks",
}


def idle(seconds: float = 20) -> dict[str, tuple[int, float, float]]:
    """What all processes take while nothing is asked: by kind how many, GiB (proportional), and share of one core."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    before = {process: spent(process) for process in processes}
    time.sleep(seconds)
    kinds: dict[str, tuple[int, float, float]] = {}
    for process in processes:
        with suppress(psutil.Error):
            kind = kind_of(" ".join(process.cmdline()))
            count, memory, share = kinds.get(kind, (0, 0.0, 0.0))
            busy = (spent(process) - before[process]) / seconds
            kinds[kind] = (count + 1, memory + process.memory_full_info().pss / 2**30, share + busy)
    return kinds


def spent(process: psutil.Process) -> float:
    """CPU seconds of a process; none of one that is gone."""
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def kind_of(command: str) -> str:
    """Which kind of process a command line is."""
    return next((kind for kind, words in KINDS.items() if re.search(words, command)), "others")
