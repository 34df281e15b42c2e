"""What a monitoring system and a probe ask: /metrics in Prometheus' words, /healthz in one."""

import time
from collections import Counter as Tally
from collections.abc import Iterator

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.params import SkipValidation
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from api.access import METRICS, PUBLIC
from api.feed import Feed
from api.gate import ANY_HOST
from cluster.store.database import System
from cluster.store.jobs import ENDED, LIVE

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


class Health(msgspec.Struct, frozen=True):
    """That the API answers, and which version it is."""

    status: str
    version: str


class Metrics(ASGIMiddleware):
    """Counts and times requests, by route and status; a route is its template, so that no id becomes a label."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, system: System, feed: Feed) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("brightroom_http_requests", "Answered requests", labels, registry=self.registry)
        self._seconds = Histogram(
            "brightroom_http_request_seconds", "Time to the start of the answer", ("method", "route"),
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        for collector in (
            StoreFigures(system, feed),
            ProcessCollector(registry=None),
            PlatformCollector(registry=None),
        ):
            self.registry.register(collector)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass the request on and note how it was answered."""
        began, method, route = time.perf_counter(), str(scope.get("method")), scope["path_template"]

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.labels(method, route, message["status"]).inc()
                self._seconds.labels(method, route).observe(time.perf_counter() - began)
            await send(message)

        await next_app(scope, receive, noted)


class StoreFigures(Collector):
    """Figures read when they are asked for: jobs by state, and who listens to them."""

    def __init__(self, system: System, feed: Feed) -> None:
        self._system, self._feed = system, feed

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Jobs by state, and open event streams."""
        states = Tally(self._system.jobs.table.rows(columns=["state"])["state"].to_pylist())
        jobs = GaugeMetricFamily("brightroom_jobs", "Jobs by state", labels=["state"])
        for state in (*LIVE, *ENDED):
            jobs.add_metric([state], states[state])
        yield jobs
        yield GaugeMetricFamily("brightroom_event_streams", "Open streams of job events", self._feed.listeners)


Counted = NamedDependency[SkipValidation[Metrics]]


@get("/metrics", opt=METRICS, sync_to_thread=True, summary="Figures for Prometheus", media_type="text/plain")
def show_metrics(metrics: Counted) -> Response[bytes]:
    """Requests, jobs, streams and this process, for an administrator or a program on this machine."""
    return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


@get("/healthz", opt={**PUBLIC, ANY_HOST: True}, sync_to_thread=False, summary="Is the API there")
def healthz(version: NamedDependency[str]) -> Health:
    """The API answers; nothing else is asked."""
    return Health("ok", version)
