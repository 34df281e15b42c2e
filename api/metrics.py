"""What a monitoring system and a probe ask: /metrics in Prometheus' words, /healthz in one.

Here stand the route and the figures of HTTP; all others are in `figures.py`. docs/metrics.md lists them.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.params import SkipValidation
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.access import METRICS, PUBLIC
from api.feed import Feed
from api.gate import ANY_HOST
from api.readings import Reading, read_all
from cluster.build import Build

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


class Health(msgspec.Struct, frozen=True):
    """That the API answers, and which version it is."""

    status: str
    version: str


class Metrics(ASGIMiddleware):
    """Counts and times requests, by route and status; a route is its template, so that no id becomes a label."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, feed: Feed, version: str, build: Build, sources: Sequence[Reading]) -> None:
        # The moments at which counters began would be as many samples again.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._sources = sources
        self._registry = CollectorRegistry()
        route = ("method", "route")
        self._requests = Counter(
            "brightroom_http_requests", "Requests that were answered.", (*route, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "brightroom_http_request_seconds", "Time from a request to the beginning of its answer.", route,
            buckets=BUCKETS, registry=self._registry,
        )  # fmt: skip
        streams = Gauge("brightroom_event_streams", "Open streams of events of jobs.", registry=self._registry)
        streams.set_function(lambda: feed.listeners)
        built = ("version", "revision")
        about = Gauge("brightroom_build_info", "1, with the version that answers.", built, registry=self._registry)
        about.labels(version, build.git_hash).set(1)
        for collector in (ProcessCollector(registry=None), PlatformCollector(registry=None)):
            self._registry.register(collector)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass the request on and note how it was answered."""
        began, method, route = time.perf_counter(), str(scope.get("method")), scope["path_template"]

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.labels(method, route, message["status"]).inc()
                self._seconds.labels(method, route).observe(time.perf_counter() - began)
            await send(message)

        await next_app(scope, receive, noted)

    async def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        scrape = Scrape([*self._registry.collect(), *await read_all(self._sources)])
        return await asyncio.to_thread(generate_latest, scrape)


class Scrape(Collector):
    """Families that were read already, each of which has a sample."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = [family for family in families if family.samples]

    def collect(self) -> Iterable[Metric]:
        """The families."""
        return self._families


Counted = NamedDependency[SkipValidation[Metrics]]


@get("/metrics", opt=METRICS, summary="Figures for Prometheus", media_type="text/plain")
async def show_metrics(metrics: Counted) -> Response[bytes]:
    """Requests, jobs, services, libraries, the store, nodes and this process, as docs/metrics.md lists them."""
    return Response(await metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@get("/healthz", opt={**PUBLIC, ANY_HOST: True}, sync_to_thread=False, summary="Is the API there")
def healthz(version: NamedDependency[str]) -> Health:
    """The API answers; nothing else is asked."""
    return Health("ok", version)
