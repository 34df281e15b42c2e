"""The cluster for administrators: its nodes and GPUs, what runs on them, how busy it was and is."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, QueryParameter, SkipValidation
from litestar.response import ServerSentEvent, ServerSentEventMessage

from api.access import ADMIN
from api.deps import Deps, Given
from api.history import EVERY_S, History, Point
from api.job_view import JobView, viewed
from api.logins import Logins
from api.node_view import NodeView, node_view, owners
from cluster.errors import Unavailable
from cluster.stats import ObjectStore
from serve_apps.status import ServiceStatus

Doors = NamedDependency[SkipValidation[Logins]]
Past = NamedDependency[SkipValidation[History]]
LastEventId = Annotated[str, HeaderParameter(name="Last-Event-ID", max_length=64, description="the last event seen")]
Step = Annotated[int, QueryParameter(ge=1, le=60, description="only every so manieth point, from the newest back")]
MOST_JOBS = 100


class ClusterView(msgspec.Struct, frozen=True):
    """Nodes as measured just now, what Ray has to give, and what uses it."""

    nodes: list[NodeView]
    resources_total: dict[str, float]
    resources_used: dict[str, float]
    object_store: ObjectStore
    ray_version: str
    deployments: list[ServiceStatus]
    jobs: list[JobView]  # that run now, newest first
    dashboard: str  # where Ray's own pages are, for a browser on the head's machine; "" where nobody knows


class HistoryView(msgspec.Struct, frozen=True):
    """The last hour, oldest first. Where nobody could measure, a point is empty or missing: a gap."""

    every_s: float
    points: list[Point]


@get("/", opt=ADMIN, summary="The cluster now")
async def show_cluster(deps: Given) -> ClusterView:
    """Nodes, CPUs, memory, GPUs, deployments with their shares, running jobs."""
    stats, services, jobs, dashboard = await asyncio.gather(
        asyncio.to_thread(deps.cluster), deps.models.services(), asyncio.to_thread(running_jobs, deps),
        asyncio.to_thread(dashboard_of, deps),
    )  # fmt: skip
    owned, left = owners(services), stats.resources_available
    return ClusterView(
        nodes=[node_view(node, owned) for node in stats.nodes],
        resources_total=stats.resources_total,
        resources_used=used(stats.resources_total, left),
        object_store=stats.object_store,
        ray_version=stats.ray_version,
        deployments=list(services),
        jobs=jobs,
        dashboard=dashboard,
    )


def used(total: Mapping[str, float], left: Mapping[str, float]) -> dict[str, float]:
    """What is used of each resource; nothing where more is told to be left than there is, as of a node that goes."""
    return {name: max(0.0, round(whole - left.get(name, 0), 4)) for name, whole in total.items()}


@get("/history", opt=ADMIN, sync_to_thread=False, summary="The cluster's last hour")
def cluster_history(history: Past, step: Step = 1) -> HistoryView:
    """CPU, memory and GPUs of each node, a point every five seconds; of many GPUs, every so manieth point is enough."""
    return HistoryView(EVERY_S * step, history.points()[::-step][::-1])


@get("/events", opt=ADMIN, summary="The cluster, live", media_type="text/event-stream")
async def cluster_events(
    request: Request[Any, Any, Any], history: Past, logins: Doors, last_event_id: LastEventId = ""
) -> ServerSentEvent:
    """Server-sent events named `sample`, each a point of the history. Resumes after Last-Event-ID."""
    token = request.auth.token

    async def allowed() -> bool:
        login = logins.seen(token) or await asyncio.to_thread(logins.find, token)
        return login is not None and login.user.admin

    points = history.live(last_event_id, allowed)
    # A client that goes away while it is being written to leaves the generator where it is: end it here.
    return ServerSentEvent(messages(points), background=BackgroundTask(points.aclose))


async def messages(points: AsyncIterator[tuple[str, Point] | None]) -> AsyncIterator[ServerSentEventMessage]:
    """Points as they go over the wire."""
    async for told in points:
        if told is None:
            yield ServerSentEventMessage(data=None, comment="still here")
        else:
            event_id, point = told
            yield ServerSentEventMessage(data=msgspec.json.encode(point), event="sample", id=event_id)


def running_jobs(deps: Deps) -> list[JobView]:
    """The jobs of everybody that run now, with their newest numbers; blocks."""
    return [viewed(job, deps.jobs) for job in deps.system.jobs.list(limit=MOST_JOBS, states=("running",))]


def dashboard_of(deps: Deps) -> str:
    """Where Ray's own pages are; blocks."""
    try:
        return deps.dashboard()
    except Unavailable:
        return ""


ROUTES = Router("/api/cluster", route_handlers=[show_cluster, cluster_history, cluster_events], tags=["cluster"])
