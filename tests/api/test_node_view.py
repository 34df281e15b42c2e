"""A node as administrators see it: its GPU processes with their services."""

from api.node_view import node_view
from cluster.gpus import Gpu, GpuProcess
from cluster.machine import Cpu, Memory
from cluster.nodes import Figures
from cluster.stats import NodeStats

GIB = 2**30


def test_processes_are_joined_with_services_by_node_and_pid() -> None:
    """The same pid on another node is another process; what is no replica of ours is told without a service."""
    gpus = [
        Gpu(0, "T4", 16 * GIB, 3 * GIB, 0.5, 50, [GpuProcess(10, GIB), GpuProcess(11, 2 * GIB)]),
        Gpu(1, "T4", 16 * GIB, GIB, 0.0, 40, [GpuProcess(12, None)]),
    ]
    node = NodeStats("here", "a name", Figures(Cpu("c", 8, 4, 0.1), Memory(2, 1), None, gpus))

    told = node_view(node, {("here", 10): "tags", ("there", 11): "ocr", ("here", 12): "clip_embeddings"})

    assert [[(process.pid, process.service) for process in gpu.processes] for gpu in told.gpus] == [
        [(10, "tags"), (11, "")],
        [(12, "clip_embeddings")],
    ]
    assert [(gpu.index, gpu.memory_used, gpu.temperature) for gpu in told.gpus] == [(0, 3 * GIB, 50), (1, GIB, 40)]
    assert (told.answers, told.cpu, told.disk) == (True, node.figures.cpu if node.figures else None, None)
