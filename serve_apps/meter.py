"""Counts what a replica is asked, and tells the board now and then. What the numbers mean together is `vitals.py`'s."""

import os
import sys
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import psutil

from cluster.gpus import Gpus
from cluster.settings import ModelSpec
from serve_apps.vitals import SECONDS, SIZES, Counts, Vitals

RECENT = 256  # calls whose times are kept
TELL_S, STILL_HERE_S = 2.0, 5.0  # between two words, when there is news and when there is none

Tell = Callable[[Vitals], None]


class Meter:
    """A replica's counts; may be used from several threads at once."""

    def __init__(self, start: Vitals, tell: Tell, gpus: Gpus | None = None) -> None:
        """`start` says who the replica is; `gpus` are those of its machine, if it computes on one."""
        self._start, self._tell, self._gpus = start, tell, gpus
        self._counts = Counts()
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._inside = self._computing = 0
        self._error, self._error_at = "", 0.0
        self._lock, self._telling = threading.Lock(), threading.Lock()
        self._over = threading.Event()

    @contextmanager
    def call(self, items: int) -> Iterator[None]:
        """One call, from its arrival to its answer; one that ends with an error is a failure and the last error."""
        began, others = time.perf_counter(), sys.exception()
        with self._lock:
            self._inside += 1
        try:
            yield
        finally:
            error = sys.exception()  # also one that the caller was handling before
            self._done(items, time.perf_counter() - began, None if error is others else error)

    @contextmanager
    def computing(self, items: int) -> Iterator[None]:
        """The model at work on a batch."""
        with self._lock:
            self._computing += 1
            self._counts.by_size[bisect_left(SIZES, items)] += 1
            self._counts.computed += items
        try:
            yield
        finally:
            with self._lock:
                self._computing -= 1

    def vitals(self) -> Vitals:
        """The replica as it is now."""
        with self._lock:
            counts = msgspec.convert(msgspec.to_builtins(self._counts), Counts)
            return msgspec.structs.replace(
                self._start, told_at=time.time(), counts=counts, recent_s=list(self._recent),
                waiting=max(0, self._inside - self._computing), computing=self._computing,
                memory=psutil.Process().memory_info().rss, gpu_memory=gpu_memory(self._gpus),
                last_error=self._error, last_error_at=self._error_at,
            )  # fmt: skip

    def start(self) -> None:
        """Tell from now on, in a thread of its own."""
        threading.Thread(target=self._keep_telling, name="meter", daemon=True).start()

    def leave(self) -> None:
        """Say that the replica was asked to go, and tell no more."""
        self._over.set()
        with self._telling:
            self._tell(msgspec.structs.replace(self.vitals(), left=True))

    def _keep_telling(self) -> None:
        told, at = -1, 0.0
        while True:
            calls, now = self._counts.calls + self._inside, time.monotonic()
            if calls != told or now - at >= STILL_HERE_S:
                self._tell_if_here()
                told, at = calls, now
            if self._over.wait(TELL_S):
                return

    def _tell_if_here(self) -> None:
        with self._telling:
            if not self._over.is_set():  # the word of who leaves is to be the last
                self._tell(self.vitals())

    def _done(self, items: int, spent_s: float, error: BaseException | None) -> None:
        with self._lock:
            self._inside -= 1
            if error:
                self._counts.failures += 1
                self._error, self._error_at = f"{type(error).__name__}: {error}"[:500], time.time()
            self._counts.calls += 1
            self._counts.items += items
            self._counts.seconds += spent_s
            self._counts.by_seconds[bisect_left(SECONDS, spent_s)] += 1
            self._recent.append(round(spent_s, 5))


def gpu_memory(gpus: Gpus | None) -> int:
    """Bytes of GPU memory that this process holds: as the driver tells, or what torch has of it.

    In a container the driver may call us by another number, and then knows nothing of ours.
    """
    processes = [process for gpu in gpus.measured() for process in gpu.processes] if gpus else []
    told = sum(process.memory or 0 for process in processes if process.pid == os.getpid())
    return told or (int(sys.modules["torch"].cuda.memory_reserved()) if on_gpu() else 0)


def on_gpu() -> bool:
    """Whether torch uses a GPU in this process; where nobody imported it, this does not either."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_initialized()


def device(spec: ModelSpec) -> str:
    """Where the model that was loaded into this process computes: cpu or cuda."""
    if spec.kind == "ocr" and spec.gpus:
        from serve_apps.models.ocr import on_cuda  # it is loaded: this costs nothing

        return "cuda" if on_cuda(spec) else "cpu"
    return "cuda" if on_gpu() else "cpu"
