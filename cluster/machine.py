"""This machine as its kernel tells: processor, memory, disk. GPUs are gpus.py's, and other machines nodes.py's."""

import platform
import re
import shutil
from pathlib import Path

import msgspec
import psutil

BUSY_OVER_S = 0.2  # the time over which CPUs are watched
CPU_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


class Cpu(msgspec.Struct, frozen=True):
    """The processors of a machine."""

    model: str
    logical: int
    physical: int  # cores
    utilization: float  # 0..1, of all together


class Memory(msgspec.Struct, frozen=True):
    """Bytes of RAM. Used is the total without what is available, as `free` counts."""

    total: int
    used: int


class Disk(msgspec.Struct, frozen=True):
    """Bytes of a file system, as `df` counts: free is what may still be written without being root."""

    total: int
    used: int
    free: int


def cpu() -> Cpu:
    """The processors here, watched for a moment; blocks meanwhile."""
    logical = psutil.cpu_count() or 1
    busy = psutil.cpu_percent(interval=BUSY_OVER_S) / 100
    return Cpu(cpu_model(), logical, psutil.cpu_count(logical=False) or logical, busy)


def cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What the processors are called; where the kernel has no name for them, their architecture."""
    try:
        found = CPU_MODEL.search(cpuinfo.read_text("utf8", "replace"))
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


def memory() -> Memory:
    """The RAM here."""
    now = psutil.virtual_memory()
    return Memory(now.total, now.total - now.available)


def disk(folder: str | Path) -> Disk | None:
    """The file system that a folder is on; None when it is not there."""
    try:
        return Disk(*shutil.disk_usage(folder))
    except OSError:
        return None
