"""Where a model computes and how precisely: worked out from its spec once, then asked for tensors and contexts.

Imports torch, so a model that needs none (ocr, template) leaves this module alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self, TypeVar

import torch
from torch import Tensor, nn

from cluster.errors import SettingsError, Unavailable
from cluster.settings import ModelSpec

Item = TypeVar("Item")
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Device:
    """The processor of one model."""

    name: str  # cpu or cuda
    threads: int  # of torch on the CPU, and of work on single pictures
    dtype: torch.dtype  # of autocast, on CUDA; the CPU computes in float32
    batch_size: int  # largest batch it is given

    @classmethod
    def of(cls, spec: ModelSpec) -> Self:
        """The device of a spec, its threads or its share of GPU memory set for this process.

        Raises SettingsError for a device nobody knows, Unavailable when there is no such GPU here.
        """
        name, threads = device_name(spec), max(1, int(spec.cpus))
        if name == "cpu":
            torch.set_num_threads(threads)
        else:
            torch.backends.cudnn.allow_tf32 = False  # float32 is meant as it is said; who wants speed sets dtype
        if name == "cuda":
            total = torch.cuda.get_device_properties(0).total_memory
            torch.cuda.set_per_process_memory_fraction(memory_fraction(spec, total))
        return cls(name, threads, getattr(torch, spec.dtype), spec.batch_size)

    @property
    def cuda(self) -> bool:
        """Whether it is a GPU."""
        return self.name == "cuda"

    def place(self, module: Module, channels_last: bool = False) -> Module:
        """The module, ready for inference here; channels last is what convolutions are fastest in."""
        module = module.eval().requires_grad_(False).to(self.name)
        return module.to(memory_format=torch.channels_last) if channels_last else module

    def put(self, tensor: Tensor) -> Tensor:
        """The tensor here; a copy to the GPU starts from pinned memory and is not waited for."""
        return tensor.pin_memory().to(self.name, non_blocking=True) if self.cuda else tensor

    @contextmanager
    def inference(self) -> Iterator[None]:
        """A context without gradients, and in the spec's precision on CUDA."""
        lower = self.cuda and self.dtype != torch.float32
        with torch.inference_mode(), torch.autocast(self.name, dtype=self.dtype if lower else None, enabled=lower):
            yield

    def batches(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """The items in order, at most `batch_size` at a time."""
        for start in range(0, len(items), self.batch_size):
            yield items[start : start + self.batch_size]


def memory_fraction(spec: ModelSpec, total: int) -> float:
    """The part of a GPU's `total` bytes that torch may take: `gpu_memory_gb`, or its share of the GPU if that is 0."""
    return min(1.0, spec.gpu_memory_gb * 1e9 / total if spec.gpu_memory_gb else spec.gpus)


def device_name(spec: ModelSpec, gpu_is_here: Callable[[], bool] = torch.cuda.is_available) -> str:
    """`cpu` or `cuda`; the GPU is not even looked for unless the spec holds a share of one.

    Raises SettingsError for a device nobody knows, Unavailable when there is no such GPU here.
    """
    if spec.device not in ("auto", "cpu", "cuda"):
        raise SettingsError(f"device: there is no device {spec.device}; there are auto, cpu and cuda")
    if spec.device == "cuda" and not spec.gpus:
        raise SettingsError("device: cuda needs a share of a GPU; set gpus above 0, or device to auto")
    if spec.device == "cpu" or not spec.gpus:
        return "cpu"
    if gpu_is_here():
        return "cuda"
    if spec.device == "cuda":
        raise Unavailable("the model asks for cuda, but no usable GPU is here; set device to auto or mend the driver")
    return "cpu"
