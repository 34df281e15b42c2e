"""When a GPU fails: too little memory costs a smaller batch, one photo alone, or nobody; a poisoned process says so."""

import itertools
import re
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from cluster.errors import OutOfMemory, PhotoError, Poisoned, Unavailable
from serve_apps.faults import Enduring, is_out_of_memory, is_poisoned

SHORT = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 5 GiB")


def accelerator(text: str, code: int) -> torch.AcceleratorError:
    """What torch raises for an error of CUDA's."""
    error = torch.AcceleratorError(f"CUDA error: {text}\nCUDA kernel errors might be asynchronously reported")
    error.error_code = code
    return error


@pytest.mark.parametrize(
    "error",
    [
        SHORT,
        torch.cuda.OutOfMemoryError("CUDA out of memory. Allocation was preemptively rejected"),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        accelerator("out of memory", 2),
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("[ONNXRuntimeError] : 6 : Failed to allocate memory for requested buffer of size 1073741824"),
        RuntimeError("Available memory of 29630208 is smaller than requested bytes of 33554432"),
        RuntimeError("CUDA failure 2: out of memory ; GPU=0 ; hostname=a ; expr=cudaMalloc((void**)&p, size);"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_too_little_memory_is_known_in_all_its_words(error: Exception) -> None:
    """torch's own types, CUDA's libraries below it, and onnxruntime; the process is well."""
    assert is_out_of_memory(error)
    assert not is_poisoned(error)


@pytest.mark.parametrize(
    "error",
    [
        accelerator("device-side assert triggered", 710),
        accelerator("an illegal memory access was encountered", 700),
        accelerator("unspecified launch failure", 719),
        accelerator("uncorrectable ECC error encountered", 214),
        accelerator("something that comes with the next CUDA", 12345),
        torch.AcceleratorError("CUDA error: unknown error"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(handle)`"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED_CUDART"),
        RuntimeError("CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=a"),
        RuntimeError("CUDA failure 719: unspecified launch failure ; GPU=0"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_a_poisoned_process_is_known_in_all_its_words(error: Exception) -> None:
    """What every later call would fail with too; memory is not what is short."""
    assert is_poisoned(error)
    assert not is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a picture of no size"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        RuntimeError("misaligned address book"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasGemmEx`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"),
        accelerator("invalid argument", 1),
        accelerator("invalid configuration argument", 9),
        MemoryError(),
    ],
    ids=lambda error: str(error)[:60],
)
def test_other_errors_are_neither(error: Exception) -> None:
    """One photo's fault, or an operation that is refused and leaves the process as it was."""
    assert not is_out_of_memory(error)
    assert not is_poisoned(error)


def test_nothing_is_imported_to_know_an_error() -> None:
    """A service that needs no torch must not pay for it in memory because it may fail."""
    code = (
        "import sys; from serve_apps.faults import Enduring, is_poisoned, is_out_of_memory, free_cache; free_cache()\n"
        "assert not is_poisoned(ValueError('x')) and not is_out_of_memory(ValueError('x'))\n"
        "sys.exit('torch' in sys.modules or 'onnxruntime' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


ARENA = """
import glob, sys
import numpy as np, onnxruntime as ort
from serve_apps.faults import is_out_of_memory
info = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
ort.create_and_register_allocator(info, ort.OrtArenaCfg({"max_mem": 30_000_000, "arena_extend_strategy": 1}))
options = ort.SessionOptions()
options.add_session_config_entry("session.use_env_allocators", "1")
options.log_severity_level = 4
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
try:
    session.run(None, {session.get_inputs()[0].name: np.zeros((1, 3, 1024, 1024), np.float32)})
except Exception as error:
    sys.exit(0 if is_out_of_memory(error) else f"not known: {error}")
sys.exit("it fitted")
"""


def test_what_onnxruntime_really_says_is_known() -> None:
    """An arena of 30 MB - the same code has the GPU's - and a picture that is too large for it."""
    import rapidocr

    (network,) = Path(rapidocr.__file__).parent.glob("models/*det*.onnx")
    ended = subprocess.run([sys.executable, "-c", ARENA, str(network)], check=False, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr


class Weights:
    """What a forward pass holds on to."""


class Gpu:
    """A model on a GPU with memory for so many numbers at once. A number over 100 needs more than there is."""

    def __init__(self, memory: int = 4, poison: int | None = None) -> None:
        self.memory, self.poison = memory, poison
        self.sizes: list[int] = []
        self.held: list[weakref.ref[Weights]] = []

    def predict(self, batch: Sequence[int]) -> list[int]:
        """Twice each number."""
        assert all(held() is None for held in self.held), "a failed try still holds its memory"
        tensors = Weights()
        self.held.append(weakref.ref(tensors))
        self.sizes.append(len(batch))
        if len(batch) > self.memory or max(batch) > 100:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if self.poison in batch:
            raise accelerator("device-side assert triggered", 710)
        return [2 * number for number in batch]


def test_a_batch_that_does_not_fit_is_halved_and_goes_on() -> None:
    """Every photo has its output, in order; a batch that fits is asked for once; the failed try's memory is free."""
    model = Gpu(memory=4)
    enduring = Enduring(model)

    assert enduring.predict([1, 2, 3]) == [2, 4, 6]
    assert model.sizes == [3]
    assert enduring.predict(range(13)) == [2 * n for n in range(13)]
    assert model.sizes[1:] == [13, 13, 6, 3, 3, 7, 3, 4]  # once beside others, once alone, then in halves
    assert enduring.poisoned == ""


def test_a_photo_that_is_too_large_alone_costs_its_neighbours_nothing() -> None:
    """In the place of its output lies why, in a sentence that says what to do; no exception takes theirs away."""
    outputs = Enduring(Gpu(memory=8)).predict([1, 2, 500, 4, 5])

    assert [output for output in outputs if isinstance(output, int)] == [2, 4, 8, 10]
    assert isinstance(outputs[2], OutOfMemory)
    assert isinstance(outputs[2], PhotoError)
    assert "raise gpu_memory_gb" in str(outputs[2])


def test_a_poisoned_process_computes_no_more_and_says_why() -> None:
    """It is no photo's fault: whoever asks may ask another replica. The page of torch's advice is left out."""
    model = Gpu(poison=7)
    enduring = Enduring(model)

    with pytest.raises(Poisoned, match=r"device-side assert triggered$") as told:
        enduring.predict([6, 7])
    assert isinstance(told.value, Unavailable)
    assert enduring.poisoned == str(told.value)

    asked = len(model.sizes)
    with pytest.raises(Poisoned, match="device-side assert"):
        enduring.predict([1])
    assert len(model.sizes) == asked


def test_poison_found_while_halving_ends_the_halving() -> None:
    """The rest of the batch is not tried in a process that can compute nothing."""
    model = Gpu(memory=2, poison=2)

    with pytest.raises(Poisoned):
        Enduring(model).predict(range(8))
    assert model.sizes == [8, 8, 4, 2, 2]


@pytest.mark.parametrize("error", [ValueError("no picture"), RuntimeError("shapes cannot be multiplied")])
def test_other_errors_pass_as_they_are(error: Exception) -> None:
    """A scan halves by itself over what a photo does to a model; a request is told."""

    class Strict:
        def predict(self, batch: Sequence[int]) -> list[int]:
            raise error

    with pytest.raises(type(error), match=re.escape(str(error))):
        Enduring(Strict()).predict([1, 2])


class Crowded:
    """A model with memory for one call at a time, and so many first calls that meet in it."""

    def __init__(self, callers: int) -> None:
        self.barrier = threading.Barrier(callers)
        self.calls = itertools.count()
        self.inside: set[int] = set()

    def predict(self, batch: Sequence[int]) -> list[int]:
        """The numbers, unless another call is in here at any time."""
        call = next(self.calls)
        self.inside.add(call)
        try:
            self.stay(call)
            crowded = len(self.inside) > 1
            self.stay(call)
        finally:
            self.inside.discard(call)
        if crowded:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return list(batch)

    def stay(self, call: int) -> None:
        """Wait for the other first calls, or as long as others would need to come in."""
        if call < self.barrier.parties:
            self.barrier.wait(10)
        else:
            time.sleep(0.02)


def test_what_fits_alone_does_not_fail_for_what_lies_beside_it() -> None:
    """Four calls at once that need four times the memory together: each photo has its output, none is too large."""
    enduring = Enduring(Crowded(4))

    with ThreadPoolExecutor(4) as callers:
        outputs = list(callers.map(lambda number: enduring.predict([number]), range(4)))

    assert outputs == [[0], [1], [2], [3]]
