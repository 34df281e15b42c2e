"""The cluster as it is now: nodes, CPU, memory, GPUs. Deployments are `serve_apps.fleet`'s to tell.

Each node is measured on itself, by a task that asks for no CPU, so that a busy node answers too.
"""

from contextlib import suppress
from typing import Any

import msgspec
import psutil
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


class GpuStats(msgspec.Struct, frozen=True):
    """One GPU as its driver tells."""

    model: str
    memory_total: int  # bytes
    memory_used: int  # bytes
    utilization: float  # 0..1


class NodeStats(msgspec.Struct, frozen=True):
    """One node, measured on itself."""

    name: str
    alive: bool
    cpus: int
    cpu_utilization: float  # 0..1
    memory_total: int  # bytes
    memory_used: int  # bytes
    gpus: list[GpuStats]


class ClusterStats(msgspec.Struct, frozen=True):
    """All nodes, and what Ray has to give and has given."""

    nodes: list[NodeStats]
    resources_total: dict[str, float]
    resources_available: dict[str, float]


def snapshot(timeout_s: float = 5) -> ClusterStats:
    """The cluster now; a node that does not answer in time is told without figures."""
    nodes = ray.nodes()
    asked = {node["NodeID"]: measure_on(node["NodeID"]) for node in nodes if node["Alive"]}
    done, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=timeout_s)
    answered = set(done)
    measured = [told(node, asked.get(node["NodeID"]), answered) for node in nodes]
    return ClusterStats(measured, of_interest(ray.cluster_resources()), of_interest(ray.available_resources()))


def measure_on(node_id: str) -> Any:
    """A measurement under way on a node."""
    where = NodeAffinitySchedulingStrategy(node_id, soft=False)
    return ray.remote(measure).options(num_cpus=0, scheduling_strategy=where).remote()


def told(node: dict[str, Any], measurement: Any, answered: set[Any]) -> NodeStats:
    """A node with its measurement, or without one."""
    name = node.get("NodeManagerHostname") or node["NodeID"]
    if measurement is None or measurement not in answered:
        return NodeStats(name, bool(node["Alive"]), 0, 0, 0, 0, [])
    figures: NodeStats = ray.get(measurement)
    return msgspec.structs.replace(figures, name=name)


def measure() -> NodeStats:
    """The node this runs on."""
    memory = psutil.virtual_memory()
    busy = psutil.cpu_percent(interval=0.2) / 100
    return NodeStats("", True, psutil.cpu_count() or 1, busy, memory.total, memory.total - memory.available, gpus())


def gpus() -> list[GpuStats]:
    """The GPUs of this node; none where there is no driver."""
    import pynvml

    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
            return [gpu(pynvml, handle) for handle in handles]
        finally:
            pynvml.nvmlShutdown()
    return []


def gpu(pynvml: Any, handle: Any) -> GpuStats:
    """One GPU."""
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    busy = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    return GpuStats(str(pynvml.nvmlDeviceGetName(handle)), memory.total, memory.used, busy)


def of_interest(resources: dict[str, float]) -> dict[str, float]:
    """CPUs, GPUs and memory, without Ray's bookkeeping names."""
    return {name: resources.get(name, 0) for name in ("CPU", "GPU", "memory", "object_store_memory")}
