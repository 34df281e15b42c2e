"""The GPUs of this machine as NVIDIA's driver tells, through the module pynvml, which is handed in.

Figures are those of `nvidia-smi`. Which services the processes are is not known here.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec


class GpuProcess(msgspec.Struct, frozen=True):
    """A process that holds memory of a GPU. In a container, the driver may tell pids as the host counts them."""

    pid: int
    memory: int | None  # bytes; None when the driver does not tell


class Gpu(msgspec.Struct, frozen=True):
    """One GPU; what it cannot measure is None."""

    index: int
    model: str
    memory_total: int  # bytes
    memory_used: int  # bytes
    utilization: float | None  # 0..1
    temperature: int | None  # degrees Celsius
    processes: list[GpuProcess]


class Gpus:
    """The driver, opened at the first measurement and kept: opening it takes longer than everything else."""

    def __init__(self, nvml: Any) -> None:
        self.nvml = nvml
        self.opened = False

    def measured(self) -> list[Gpu]:
        """Every GPU that answers now; none where there is no driver, or while it does not answer itself."""
        try:
            if not self.opened:
                self.nvml.nvmlInit()
                self.opened = True
            count = self.nvml.nvmlDeviceGetCount()
        except self.nvml.NVMLError:
            self._close()
            return []
        # One that fell off the bus takes none of the others along.
        found = [gpu for index in range(count) if (gpu := self._told(self._measured, index))]
        if count and not found:
            self._close()
        return found

    def _close(self) -> None:
        """Open the driver anew next time: it may have been replaced."""
        if self.opened:
            self.opened = False
            with suppress(self.nvml.NVMLError):
                self.nvml.nvmlShutdown()

    def _measured(self, index: int) -> Gpu:
        nvml = self.nvml
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = self._memory(handle)
        busy = self._told(nvml.nvmlDeviceGetUtilizationRates, handle)
        return Gpu(
            index=index,
            model=text(nvml.nvmlDeviceGetName(handle)),
            memory_total=memory.total,
            memory_used=memory.used,
            utilization=None if busy is None else busy.gpu / 100,
            temperature=self._told(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
            processes=merged(self._processes(handle)),
        )

    def _memory(self, handle: Any) -> Any:
        """Total and used; the first version of this call, which old drivers have alone, takes reserved for used."""
        try:
            return self.nvml.nvmlDeviceGetMemoryInfo(handle, version=self.nvml.nvmlMemory_v2)
        except self.nvml.NVMLError:
            return self.nvml.nvmlDeviceGetMemoryInfo(handle)

    def _processes(self, handle: Any) -> Iterable[Any]:
        calls = (self.nvml.nvmlDeviceGetComputeRunningProcesses, self.nvml.nvmlDeviceGetGraphicsRunningProcesses)
        for call in calls:
            yield from self._told(call, handle) or ()

    def _told(self, call: Callable[..., Any], *given: Any) -> Any:
        """An answer, or None from a GPU that does not support the question."""
        try:
            return call(*given)
        except self.nvml.NVMLError:
            return None


def merged(processes: Iterable[Any]) -> list[GpuProcess]:
    """Each process once, by pid: one that computes and draws is listed twice."""
    held: dict[int, int | None] = {}
    for process in processes:
        before, now = held.get(process.pid), process.usedGpuMemory
        held[process.pid] = now if before is None else max(before, now or 0)
    return [GpuProcess(pid, memory) for pid, memory in sorted(held.items())]


def text(name: str | bytes) -> str:
    """A name as text; older drivers' modules tell bytes."""
    return name.decode("utf8", "replace") if isinstance(name, bytes) else name
