"""What the faults of a GPU mean: too little memory costs a smaller batch or one photo, a poisoned context the process.

Reads the errors of torch and of onnxruntime and imports neither. Ends no process: who runs the model does (`poisoned`).
"""

import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, Lock
from typing import Any

from cluster.errors import OutOfMemory, Poisoned
from serve_apps.models.protocol import Model

log = logging.getLogger(__name__)

# What is written when memory is short by torch's allocator, by CUDA, cuBLAS and cuDNN, and by onnxruntime's arena.
SHORT_OF_MEMORY = re.compile(
    r"CUDA out of memory|CUDA error: out of memory|CUDA failure 2: out of memory|(CUBLAS|CUDNN)_STATUS_ALLOC_FAILED"
    r"|CUDNN_STATUS_INTERNAL_ERROR_(HOST|DEVICE)_ALLOCATION_FAILED"
    r"|Failed to allocate memory for requested buffer|is smaller than requested bytes"
)
# After these every later call of the process fails too. Others, such as an operation that is not supported, pass.
POISON = re.compile(
    r"CUDA.*(device-side assert|illegal memory access|illegal instruction|misaligned address|invalid program counter"
    r"|launch failure|launch timed out|uncorrectable|hardware stack error|supported on global/shared|is destroyed)"
    r"|CUBLAS_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR|NOT_INITIALIZED|MAPPING_ERROR)"
    r"|CUDNN_STATUS_(EXECUTION_FAILED|NOT_INITIALIZED|INTERNAL_ERROR(?!_))"
)
MEMORY_CODE = 2  # cudaErrorMemoryAllocation
PASSING_CODES = (1, 9, 701)  # an argument or a launch configuration that is refused: the next call may be right
OVER_SHARE = (
    "this photo needs more GPU memory than the service's share; raise gpu_memory_gb of its service, or lower"
    " scan.analysis_px, and scan again"
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that GPU memory was short, and nothing else is wrong."""
    if isinstance(error, of_torch("OutOfMemoryError")):
        return True
    if isinstance(error, of_torch("AcceleratorError")) and getattr(error, "error_code", None) == MEMORY_CODE:
        return True
    return SHORT_OF_MEMORY.search(str(error)) is not None


def is_poisoned(error: BaseException) -> bool:
    """Whether an error says that this process can compute nothing on its GPU any more.

    An `AcceleratorError` does unless its code is known to pass: torch raises it for whatever CUDA itself reports.
    """
    if is_out_of_memory(error):
        return False
    if isinstance(error, of_torch("AcceleratorError")):
        return getattr(error, "error_code", None) not in PASSING_CODES
    return POISON.search(str(error)) is not None


def of_torch(name: str) -> type[BaseException] | tuple[()]:
    """One of torch's errors; nothing's where torch is not imported, because then it raised nothing."""
    found: type[BaseException] | tuple[()] = getattr(sys.modules.get("torch"), name, ())
    return found


def free_cache() -> None:
    """Give back the GPU memory that torch keeps for later; nothing where it uses no GPU."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


class Turns:
    """Many at once, or one alone: who wants to be alone waits for those inside, and nobody else comes in."""

    def __init__(self) -> None:
        self.door = Lock()
        self.inside = 0
        self.changed = Condition()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """A block that others may be in too."""
        with self.door, self.changed:
            self.inside += 1
        try:
            yield
        finally:
            with self.changed:
                self.inside -= 1
                self.changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A block that nobody else is in."""
        with self.door:
            with self.changed:
                self.changed.wait_for(lambda: not self.inside)
            yield


class Enduring:
    """A model that goes on when GPU memory is short, and says when it cannot go on at all.

    A batch that does not fit is tried again with no other beside it, then in halves, down to single photos. One that
    does not fit even so has an `OutOfMemory` in the place of its output: raised, it would cost its neighbours theirs.
    Any other error of the model is raised as it is; a scan then halves by itself (`batch/stages.py`).
    """

    def __init__(self, model: Model[Any, Any]) -> None:
        self.model = model
        self.poisoned = ""  # why this process can compute nothing any more; empty while it is well
        self.turns = Turns()

    def predict(self, batch: Sequence[Any]) -> list[Any]:
        """An output, or an OutOfMemory, for each input, in order; raises Poisoned when the process must be replaced."""
        with self.turns.shared():
            outputs = self.attempt(batch)
        if outputs is not None:
            return outputs
        with self.turns.alone():
            return self.in_halves(batch)

    def in_halves(self, batch: Sequence[Any]) -> list[Any]:
        """The outputs of a batch, or of its halves if it is too large; for a single input that is too large, why."""
        outputs = self.attempt(batch)
        if outputs is not None:
            return outputs
        if len(batch) == 1:
            return [OutOfMemory(OVER_SHARE)]
        half = len(batch) // 2
        log.warning("a batch of %d does not fit into the GPU memory of its service; trying %d", len(batch), half)
        return self.in_halves(batch[:half]) + self.in_halves(batch[half:])

    def attempt(self, batch: Sequence[Any]) -> list[Any] | None:
        """The outputs of a batch, or nothing where GPU memory was short.

        Returns before the next try begins: the error holds the frames it came through, and they hold tensors.
        """
        try:
            with self.watched():
                return list(self.model.predict(batch))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        with self.watched():
            free_cache()
        return None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A block on the GPU; raises Poisoned, and remembers it, when it cannot be used any more."""
        if self.poisoned:
            raise Poisoned(self.poisoned)
        try:
            yield
        except RuntimeError as error:
            if not is_poisoned(error):
                raise
            self.poisoned = f"the GPU failed under the model and its process is to be replaced: {first_line(error)}"
            raise Poisoned(self.poisoned) from error


def first_line(error: BaseException) -> str:
    """What happened; torch goes on for a page about how to debug it."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
