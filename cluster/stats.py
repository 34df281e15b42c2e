"""The cluster as it is now: its nodes, each measured on itself, and what Ray has to give. Services are the fleet's."""

import msgspec
import ray

from cluster.errors import Unavailable
from cluster.nodes import Figures, Nodes
from cluster.runtime import NOT_RUNNING

RESOURCES = ("CPU", "GPU", "memory", "object_store_memory")
OBJECT_STORE = "object_store_memory"


class NodeStats(msgspec.Struct, frozen=True):
    """A node that is there, with its figures unless it did not answer in time."""

    node_id: str
    name: str
    figures: Figures | None


class ObjectStore(msgspec.Struct, frozen=True):
    """Bytes of the shared memory that Ray keeps objects in, on all nodes."""

    total: int
    used: int


class ClusterStats(msgspec.Struct, frozen=True):
    """All nodes that are there, and what Ray has to give and has left."""

    nodes: list[NodeStats]
    resources_total: dict[str, float]
    resources_available: dict[str, float]
    object_store: ObjectStore
    ray_version: str


def snapshot(nodes: Nodes, timeout_s: float = 3) -> ClusterStats:
    """The cluster now; a node that is gone is left out, one that does not answer in time is told without figures.

    Raises Unavailable in a process that has not joined Ray.
    """
    if not ray.is_initialized():  # to ask would start a cluster
        raise Unavailable(NOT_RUNNING)
    names = {node["NodeID"]: node.get("NodeManagerHostname") or "" for node in ray.nodes() if node["Alive"]}
    figures = nodes.figures(names, timeout_s)
    told = [NodeStats(node_id, name or node_id, figures.get(node_id)) for node_id, name in names.items()]
    total, available = ray.cluster_resources(), ray.available_resources()
    return ClusterStats(
        told, of_interest(total), of_interest(available), object_store(total, available), ray.__version__
    )


def of_interest(resources: dict[str, float]) -> dict[str, float]:
    """CPUs, GPUs and memory, without Ray's bookkeeping names."""
    return {name: resources.get(name, 0) for name in RESOURCES}


def object_store(total: dict[str, float], available: dict[str, float]) -> ObjectStore:
    """How full the object store is: Ray counts its memory among the resources."""
    whole = int(total.get(OBJECT_STORE, 0))
    return ObjectStore(whole, max(0, whole - int(available.get(OBJECT_STORE, 0))))
