"""The cluster's nodes and GPUs, and what runs on them, for administrators."""

import asyncio

import msgspec
from litestar import Router, get

from api.access import ADMIN
from api.deps import Given
from cluster.stats import NodeStats
from serve_apps.fleet import ServiceStatus


class ClusterView(msgspec.Struct, frozen=True):
    """Nodes as measured just now, what Ray has to give and has left, and the deployments."""

    nodes: list[NodeStats]
    resources_total: dict[str, float]
    resources_available: dict[str, float]
    deployments: list[ServiceStatus]


@get("/", opt=ADMIN, summary="The cluster now")
async def show_cluster(deps: Given) -> ClusterView:
    """Nodes, CPUs, memory, GPUs and deployments."""
    stats, services = await asyncio.gather(asyncio.to_thread(deps.cluster), deps.models.services())
    return ClusterView(stats.nodes, stats.resources_total, stats.resources_available, list(services))


ROUTES = Router("/api/cluster", route_handlers=[show_cluster], tags=["cluster"])
