"""Figures of the cluster's nodes and GPUs, measured at most every few seconds, whoever asks."""

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.metrics_core import Metric

from api.families import gauge
from cluster.gpus import Gpu
from cluster.nodes import Figures
from cluster.stats import ClusterStats, NodeStats

FRESH_S = 10.0  # the history measures more often
NODE, GPU = ("node",), ("node", "gpu")
OF_NODES: tuple[tuple[str, str, Callable[[Figures], float | None]], ...] = (
    ("cpus", "Logical processors of a node.", lambda node: node.cpu.logical),
    ("cpu_utilization_ratio", "How busy the processors of a node are, 0 to 1.", lambda node: node.cpu.utilization),
    ("memory_size_bytes", "Memory of a node.", lambda node: node.memory.total),
    ("memory_used_bytes", "Memory of a node that is not available.", lambda node: node.memory.used),
    ("disk_size_bytes", "Size of a node's disk that the library is on.",
     lambda node: node.disk.total if node.disk else None),
    ("disk_free_bytes", "What is free of a node's disk that the library is on.",
     lambda node: node.disk.free if node.disk else None),
)  # fmt: skip
OF_GPUS: tuple[tuple[str, str, Callable[[Gpu], float | None]], ...] = (
    ("utilization_ratio", "How busy a GPU is, 0 to 1.", lambda gpu: gpu.utilization),
    ("memory_size_bytes", "Memory of a GPU.", lambda gpu: gpu.memory_total),
    ("memory_used_bytes", "Memory of a GPU that is used.", lambda gpu: gpu.memory_used),
    ("temperature_celsius", "Temperature of a GPU.", lambda gpu: gpu.temperature),
)


class Measured:
    """The cluster, measured for everybody: it is the history's to call, and what that saw lately is enough for others.

    Called from several threads.
    """

    def __init__(self, measure: Callable[[], ClusterStats]) -> None:
        """`measure` blocks, and raises when the cluster is not there."""
        self._measure = measure
        self._last: tuple[float, ClusterStats] | None = None

    def __call__(self) -> ClusterStats:
        """The cluster now."""
        stats = self._measure()
        self._last = time.monotonic(), stats
        return stats

    def lately(self) -> ClusterStats:
        """The cluster as it was some seconds ago, or now when nobody has measured it since."""
        last = self._last
        return last[1] if last and time.monotonic() - last[0] < FRESH_S else self()

    def families(self) -> Iterator[Metric]:
        """Every node and GPU, and Ray's object store; blocks."""
        stats = self.lately()
        nodes = named(stats)
        yield gauge("brightroom_cluster_nodes", "Nodes that are in the cluster.", [], [([], len(nodes))])
        yield gauge(
            "brightroom_node_up", "Whether a node of the cluster answers: 1, or 0 and its figures are absent.", NODE,
            [([name], node.figures is not None) for name, node in nodes.items()],
        )  # fmt: skip
        there = {name: node.figures for name, node in nodes.items() if node.figures}
        yield from of_nodes(there)
        yield from of_gpus({(name, str(gpu.index)): gpu for name, node in there.items() for gpu in node.gpus})
        store = stats.object_store
        for name, sentence, number in (
            ("size", "Shared memory that Ray keeps objects in, on all nodes.", store.total),
            ("used", "Shared memory that Ray's objects take, on all nodes.", store.used),
        ):
            yield gauge(f"brightroom_object_store_{name}_bytes", sentence, [], [([], number)])


def of_nodes(nodes: Mapping[str, Figures]) -> Iterator[Metric]:
    """The figures of nodes, without what a node does not have."""
    for name, sentence, number in OF_NODES:
        told = [([node], value) for node, figures in nodes.items() if (value := number(figures)) is not None]
        yield gauge(f"brightroom_node_{name}", sentence, NODE, told)


def of_gpus(gpus: Mapping[tuple[str, str], Gpu]) -> Iterator[Metric]:
    """The figures of GPUs, without what a GPU cannot measure."""
    yield gauge(
        "brightroom_gpu_info", "1 for each GPU, with its model.", [*GPU, "model"],
        [([*at, gpu.model], 1) for at, gpu in gpus.items()],
    )  # fmt: skip
    for name, sentence, number in OF_GPUS:
        told = [(at, value) for at, gpu in gpus.items() if (value := number(gpu)) is not None]
        yield gauge(f"brightroom_gpu_{name}", sentence, GPU, told)


def named(stats: ClusterStats) -> dict[str, NodeStats]:
    """The nodes by name; of those that share one, as several on one machine do, the later ones are numbered."""
    times: Tally[str] = Tally()
    nodes = {}
    for node in sorted(stats.nodes, key=lambda node: (node.name, node.node_id)):
        times[node.name] += 1
        nodes[node.name if times[node.name] == 1 else f"{node.name} {times[node.name]}"] = node
    return nodes
