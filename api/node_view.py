"""A node as administrators see it: its figures, and which services the processes on its GPUs are."""

from collections.abc import Iterable, Mapping

import msgspec

from cluster.gpus import Gpu
from cluster.machine import Cpu, Disk, Memory
from cluster.stats import NodeStats
from serve_apps.status import ServiceStatus

Owners = Mapping[tuple[str, int], str]  # (node_id, pid) -> the service whose replica that process is


class ProcessView(msgspec.Struct, frozen=True):
    """A process that holds memory of a GPU."""

    pid: int
    memory: int | None  # bytes
    service: str  # "" for one that is no replica of a service


class GpuView(msgspec.Struct, frozen=True):
    """One GPU; what it cannot measure is null."""

    index: int
    model: str
    memory_total: int  # bytes
    memory_used: int  # bytes
    utilization: float | None  # 0..1
    temperature: int | None  # degrees Celsius
    processes: list[ProcessView]


class NodeView(msgspec.Struct, frozen=True):
    """One node that is there. One that did not answer in time has no figures: they are null, and its GPUs none."""

    node_id: str
    name: str
    answers: bool
    cpu: Cpu | None
    memory: Memory | None  # used as `free` counts: the total without what is available
    disk: Disk | None  # that the library is on, as `df` counts; null where the library's folder is not
    gpus: list[GpuView]


def owners(services: Iterable[ServiceStatus]) -> dict[tuple[str, int], str]:
    """Which service each replica's process is of."""
    return {(replica.node_id, replica.pid): service.name for service in services for replica in service.replicas}


def node_view(node: NodeStats, owned: Owners) -> NodeView:
    """A node, its GPU processes with their services."""
    if node.figures is None:
        return NodeView(node.node_id, node.name, False, None, None, None, [])
    figures = node.figures
    gpus = [gpu_view(gpu, node.node_id, owned) for gpu in figures.gpus]
    return NodeView(node.node_id, node.name, True, figures.cpu, figures.memory, figures.disk, gpus)


def gpu_view(gpu: Gpu, node_id: str, owned: Owners) -> GpuView:
    """A GPU, its processes with their services."""
    told = msgspec.structs.asdict(gpu)
    told["processes"] = [
        ProcessView(process.pid, process.memory, owned.get((node_id, process.pid), "")) for process in gpu.processes
    ]
    return GpuView(**told)
