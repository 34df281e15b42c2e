"""How services are, in words and numbers, from what Serve says, what replicas tell and what is wanted. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from cluster.settings import ModelSpec
from cluster.store.choices import Choice, spec_of
from cluster.store.services import Wish
from serve_apps.applications import Application
from serve_apps.vitals import Vitals, percentile, total

UNCONFIGURED = {
    "llm": "no model is configured; set services.llm in the settings to a checkpoint of an instruct model",
}
LOADING = "its model is being loaded"
OTHERS = "the others are being started"
REPLACED = "its replica was lost or does not answer, and is being replaced"
NEXT_LOOK = "it is about to be started"
ERRORS = ("Error", "Unavailable", "Exception")  # how the names of errors end, and of ours that matter here
SILENT_S = 8.0  # a replica that was asked to go says so sooner
UNPLACED_S = 4.0  # a replica that has no place for so long is told why


class Found(msgspec.Struct, frozen=True):
    """What Serve says of one application."""

    status: str  # NOT_STARTED, DEPLOYING, DEPLOY_FAILED, RUNNING, UNHEALTHY, DELETING
    message: str
    since: float  # of its last deployment, seconds since the epoch
    replicas: list[dict[str, Any]]  # replica_id, state, node_id, pid, start_time_s

    @property
    def running(self) -> list[dict[str, Any]]:
        """The replicas that answer."""
        return [one for one in self.replicas if one["state"] == "RUNNING"]


class ReplicaStatus(msgspec.Struct, frozen=True):
    """One replica."""

    replica: str
    state: str  # as Serve calls it: STARTING, RUNNING, STOPPING, ...
    node_id: str
    node: str  # the node's name
    pid: int
    device: str
    gpus: list[str]  # indices of the GPUs it sits on
    memory: int  # bytes
    gpu_memory: int  # bytes that its model holds
    since: datetime | None  # it answers
    start_s: float | None  # from its process's first moment until its model was loaded: the cold start


class ServiceStatus(msgspec.Struct, frozen=True):
    """How a service is, for people and programs."""

    name: str
    state: str  # starting, healthy, degraded, unhealthy, stopped, unconfigured, failed
    reason: str  # a sentence when it is not simply healthy
    wanted: str  # running or stopped
    since: datetime | None  # it is in this state
    model: str  # of the one in use: checkpoint@revision
    kind: str
    device: str
    gpus: float  # share of one GPU a replica is placed with
    gpu_memory_gb: float  # GPU memory a replica may take
    application: str  # its name in Serve
    replicas: list[ReplicaStatus]
    min_replicas: int
    max_replicas: int
    requests: int  # since the cluster started, as all counts here
    items: int  # photos, texts, files in them
    failures: int
    p50_s: float | None  # of the last few hundred requests
    p99_s: float | None
    queue: int  # requests that wait
    restarts: int  # replicas that were lost
    last_error: str
    last_error_at: datetime | None
    cold_start_s: float | None  # of the replica started last
    next_model: str = ""  # that is to be in use, when a change is under way
    next_state: str = ""  # of that model's application
    next_reason: str = ""


class Facts(msgspec.Struct, frozen=True):
    """All that is known of one service."""

    name: str
    spec: ModelSpec | None
    app: Application | None
    wish: Wish | None
    choice: Choice | None
    found: Found | None  # the application in use
    coming: Found | None  # the application of the chosen model
    vitals: Sequence[Vitals]  # of all its replicas there ever were
    nodes: dict[str, str]  # names, by id
    now: float
    unplaced: str = ""  # why a replica of it can have no place; empty when it can
    coming_unplaced: str = ""  # the same of the chosen model


def told(facts: Facts) -> ServiceStatus:
    """The status of one service."""
    spec, found, app = facts.spec, facts.found, facts.app.name if facts.app else ""
    replicas = [replica_status(facts, one) for one in found.replicas] if found else []
    alive = {one.replica for one in replicas}
    recent = [second for one in facts.vitals if one.application == app for second in one.recent_s]
    state, reason = condition(facts)
    following, next_state, next_reason = next_model(facts)
    counts, (error, error_at) = total(facts.vitals), last_error(facts.vitals)
    return ServiceStatus(
        name=facts.name, state=state, reason=reason, wanted=facts.wish.wanted if facts.wish else "running",
        since=since(facts, state), model=spec.name if spec else "", kind=spec.kind if spec else "",
        device=next((one.device for one in replicas if one.device), expected_device(spec)),
        gpus=spec.gpus if spec else 0, gpu_memory_gb=spec.gpu_memory_gb if spec else 0, application=app,
        replicas=replicas, min_replicas=spec.min_replicas if spec else 0, max_replicas=spec.max_replicas if spec else 0,
        requests=counts.calls, items=counts.items, failures=counts.failures,
        p50_s=percentile(recent, 0.5), p99_s=percentile(recent, 0.99),
        queue=sum(one.waiting for one in facts.vitals if one.replica in alive),
        restarts=len(lost(facts)), last_error=error, last_error_at=error_at, cold_start_s=cold_start(facts),
        next_model=following, next_state=next_state, next_reason=next_reason,
    )  # fmt: skip


def condition(facts: Facts) -> tuple[str, str]:
    """A service's state and the sentence to it."""
    if facts.spec is None:
        return "unconfigured", UNCONFIGURED.get(facts.name, f"no model is configured; set services.{facts.name}")
    if facts.wish and facts.wish.wanted == "stopped":
        by = f" by {facts.wish.changed_by}" if facts.wish.changed_by else ""
        return "stopped", f"it was stopped{by}; {how_to_start(facts.name)}"
    return of_application(facts.found, facts.spec, facts.unplaced, cold_start(facts))


def next_model(facts: Facts) -> tuple[str, str, str]:
    """The model that is to be in use, the state of its application and the sentence to it; empty when none is."""
    spec = spec_of(facts.choice.chosen) if facts.choice and facts.choice.changing else None
    if spec is None:
        return "", "", ""
    if facts.wish and facts.wish.wanted == "stopped":
        return spec.name, "stopped", "the change goes on when the service is started"
    state, reason = of_application(facts.coming, spec, facts.coming_unplaced, None)
    return spec.name, state, reason or (facts.choice.waits_for if facts.choice else "")


def of_application(found: Found | None, spec: ModelSpec, unplaced: str, cold_start_s: float | None) -> tuple[str, str]:
    """An application's state and the sentence to it."""
    if found is None or found.status in ("NOT_STARTED", "DELETING"):
        return "starting", NEXT_LOOK
    if found.status == "DEPLOY_FAILED":
        return "failed", f"its model could not be loaded: {last_words(found.message)}"
    running = len(found.running)
    if found.status == "RUNNING" and running >= spec.min_replicas:
        return "healthy", "" if running else asleep(cold_start_s)
    if running:
        return "degraded", f"{running} of {max(spec.min_replicas, running + 1)} replicas answer; {unplaced or OTHERS}"
    if found.status == "DEPLOYING":
        return "starting", unplaced or LOADING
    why = last_words(found.message)
    return "unhealthy", unplaced or (f"{REPLACED}: {why}" if why else REPLACED)


def asleep(cold_start_s: float | None) -> str:
    """What to know of a service without a replica."""
    took = f", which took {cold_start_s:.1f} s the last time" if cold_start_s is not None else ""
    return f"no replica is kept while nobody asks; the next request starts one{took}"


def how_to_start(service: str) -> str:
    """What an administrator can do about a stopped service."""
    return f"an administrator starts it with `brightroom start-service {service}` or POST /api/services/{service}/start"


def last_words(message: str) -> str:
    """What matters of a message of Serve's: the error that a traceback ends with, on one line."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    named = [line for line in lines if line.split(":")[0].rpartition(".")[2].endswith(ERRORS)]
    return (named or lines or [""])[-1][-400:]


def replica_status(facts: Facts, one: dict[str, Any]) -> ReplicaStatus:
    """One replica: where Serve has it, and what it tells of itself."""
    word = next((word for word in facts.vitals if word.replica == one["replica_id"]), None)
    node_id = one.get("node_id") or ""
    return ReplicaStatus(
        replica=one["replica_id"], state=one["state"], node_id=node_id, node=facts.nodes.get(node_id, ""),
        pid=one.get("pid") or 0, device=word.device if word else "", gpus=word.gpus if word else [],
        memory=word.memory if word else 0, gpu_memory=word.gpu_memory if word else 0,
        since=moment(word.ready_at) if word else None,
        start_s=round(word.ready_at - word.born_at, 2) if word else None,
    )  # fmt: skip


def lost(facts: Facts) -> list[Vitals]:
    """The replicas that are gone though nobody asked them to go."""
    there = {one["replica_id"] for found in (facts.found, facts.coming) if found for one in found.replicas}
    silent = [one for one in facts.vitals if not one.left and facts.now - one.told_at > SILENT_S]
    return [one for one in silent if one.replica not in there]


def since(facts: Facts, state: str) -> datetime | None:
    """When a service came to be as it is."""
    if state == "stopped" and facts.wish:
        return facts.wish.changed_at
    if state == "healthy" and facts.found:
        there = {one["replica_id"] for one in facts.found.running}
        ready = [one.ready_at for one in facts.vitals if one.replica in there]
        return moment(min(ready)) if ready else moment(facts.found.since)
    if state == "unhealthy" and (gone := lost(facts)):
        return moment(max(one.told_at for one in gone))
    return moment(facts.found.since) if facts.found else None


def cold_start(facts: Facts) -> float | None:
    """How long the replica took that was ready last, from its process's first moment; None while none ever was."""
    newest = max(facts.vitals, key=lambda one: one.ready_at, default=None)
    return round(newest.ready_at - newest.born_at, 2) if newest else None


def last_error(vitals: Sequence[Vitals]) -> tuple[str, datetime | None]:
    """The newest error of some replicas, and when it was."""
    newest = max(vitals, key=lambda one: one.last_error_at, default=None)
    return (newest.last_error, moment(newest.last_error_at)) if newest and newest.last_error else ("", None)


def expected_device(spec: ModelSpec | None) -> str:
    """Where a model is to compute."""
    if spec is None:
        return ""
    return "cuda" if spec.gpus and spec.device != "cpu" else "cpu"


def moment(seconds: float) -> datetime:
    """A time in UTC from seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
