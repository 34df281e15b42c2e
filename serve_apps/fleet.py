"""The services on Ray Serve: make what runs follow what is wanted, and say how each is. One application a model."""

import time
from collections import defaultdict
from collections.abc import Iterable

import ray

from cluster.board import board
from cluster.settings import SERVICES, Settings
from cluster.shares import GpuRoom, unplaced
from cluster.store.choices import chosen, in_use
from cluster.store.database import System
from serve_apps.applications import Application, service_of, serving
from serve_apps.plan import wanted
from serve_apps.running import begin, delete, deploy, found_applications
from serve_apps.status import UNPLACED_S, Facts, Found, ServiceStatus, told
from serve_apps.vitals import DISMISSED, FRESH_S, Vitals, read_vitals

PATIENCE_S = 10.0  # with a model that answered once and cannot be loaded now
NO_START = "failed to start with exception"  # in Serve's words on a replica whose model cannot be loaded
COMING = ("healthy", "starting", "degraded", "unhealthy")  # answers now or will: worth waiting for


class Fleet:
    """All services of the settings. Needs a process that has joined Ray."""

    def __init__(self, settings: Settings, system: System) -> None:
        self.settings, self.system = settings, system
        self.refused: dict[str, str] = {}  # applications that Serve does not take, and why
        self.failing: dict[str, float] = {}  # applications that cannot be loaded any more, since when

    def settle(self) -> None:
        """Note what the settings say of each service's model; what is new there is to be in use from now on."""
        for name in SERVICES:
            self.system.choices.settle(name, self.settings.services.get(name))

    def in_use(self) -> Settings:
        """The settings with the models that are in use."""
        return in_use(self.settings, self.system.choices.all())

    def revisions(self) -> dict[str, str]:
        """What the ledger is to say of each stage that has a model."""
        return self.in_use().revisions

    def application(self, service: str) -> str:
        """The name of the application that answers for a service; empty where none is configured."""
        app = serving(self.in_use(), service)
        return app.name if app else ""

    def wanted(self) -> dict[str, Application]:
        """Every application that is to run, by name."""
        choices = self.system.choices.all()
        ready = {name for name, choice in choices.items() if self.system.choices.kept_ready(choice)}
        return wanted(in_use(self.settings, choices), choices, self.system.services.wishes(), ready)

    def reconcile(self) -> None:
        """Deploy what is wanted and does not run, side by side, and delete what runs and is not wanted.

        Returns before models are loaded. What could not be loaded stays as it is: Serve has tried three times.
        """
        begin()
        wanted, there = self.wanted(), found_applications()
        for name, found in there.items():
            unwanted = name not in wanted and service_of(self.settings, name)
            if found.status != "DELETING" and (unwanted or (name in wanted and self.in_vain(name, found))):
                self.delete(name)
        known = {**there, **self.refused}
        self.refused |= deploy((app for name, app in wanted.items() if name not in known), self.settings)

    def in_vain(self, name: str, found: Found) -> bool:
        """Whether an application has answered once and cannot be loaded any more: Serve would try for ever.

        Deployed anew it has three more tries. Not at once: what it is loaded from may be away for a moment.
        """
        now = time.monotonic()
        if found.running or found.status != "UNHEALTHY":
            self.failing.pop(name, None)
        elif NO_START in found.message:
            self.failing.setdefault(name, now)  # between two tries Serve says other things
        return now - self.failing.get(name, now) > PATIENCE_S

    def delete(self, name: str) -> None:
        """Take an application down, and note that its replicas were not lost."""
        board(self.settings.ray.namespace).post.remote(DISMISSED, name, time.time())
        delete(name)

    def start(self, name: str, by: str) -> None:
        """Want a service running; one whose model could not be loaded is tried anew."""
        self.system.services.want(name, "running", by)
        self.refused = {app: why for app, why in self.refused.items() if service_of(self.settings, app) != name}
        for app, found in found_applications().items():
            if service_of(self.settings, app) == name and found.status == "DEPLOY_FAILED":
                self.delete(app)

    def stop(self, name: str, by: str) -> None:
        """Want a service stopped, until somebody starts it."""
        self.system.services.want(name, "stopped", by)

    def statuses(self) -> list[ServiceStatus]:
        """Every service the product knows, in the order of the seed."""
        choices, wishes = self.system.choices.all(), self.system.services.wishes()
        settings, coming = in_use(self.settings, choices), chosen(self.settings, choices)
        there, nodes, now = {**found_applications(), **self.not_taken()}, node_names(), time.time()
        vitals = read_vitals(self.settings.ray.namespace)
        by_service: dict[str, list[Vitals]] = defaultdict(list)
        for one in vitals:
            by_service[one.service].append(one)
        statuses = []
        for name in SERVICES:
            app, following = serving(settings, name), serving(coming, name)
            found = there.get(app.name) if app else None
            coming_found = there.get(following.name) if following else None
            statuses.append(told(Facts(
                name=name, spec=settings.services.get(name), app=app, wish=wishes.get(name), choice=choices.get(name),
                found=found, coming=coming_found, vitals=by_service[name],
                nodes=nodes, now=now, unplaced=why_unplaced(app, found, vitals, now),
                coming_unplaced=why_unplaced(following, coming_found, vitals, now),
            )))  # fmt: skip
        return statuses

    def not_taken(self) -> dict[str, Found]:
        """The applications that Serve does not take, as if it had failed to load them."""
        return {name: Found("DEPLOY_FAILED", why, 0, []) for name, why in self.refused.items()}

    def status(self, name: str) -> ServiceStatus:
        """How one service is; raises StopIteration for one that nobody knows."""
        return next(status for status in self.statuses() if status.name == name)

    def coming(self) -> set[str]:
        """The services that answer now or will: one that starts or is being replaced is worth waiting for."""
        return {status.name for status in self.statuses() if status.state in COMING}

    def await_start(self, timeout_s: float) -> list[ServiceStatus]:
        """Wait until no service is starting any more, and say how each is."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            statuses = self.statuses()
            if all(status.state != "starting" for status in statuses):
                return statuses
            time.sleep(0.3)
        return self.statuses()


def node_names() -> dict[str, str]:
    """The names of all nodes there ever were, by id."""
    return {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes()} if ray.is_initialized() else {}


def why_unplaced(app: Application | None, found: Found | None, vitals: Iterable[Vitals], now: float) -> str:
    """Why a replica that has waited for a place for a while can have none; empty when nothing is known to hinder it."""
    if app is None or found is None or not app.spec.gpus:
        return ""
    waiting = [one for one in found.replicas if one["state"] == "STARTING" and not one.get("node_id")]
    if not any(now - one["start_time_s"] > UNPLACED_S for one in waiting):
        return ""
    rooms = gpu_rooms(vitals, now)
    free = ray.available_resources().get("GPU", 0)  # also what a scan's actors hold is gone from this
    if app.spec.gpus <= free and any(room.free >= app.spec.gpus for room in rooms):
        return ""
    return unplaced(app.service, app.spec.gpus, rooms)


def gpu_rooms(vitals: Iterable[Vitals], now: float) -> list[GpuRoom]:
    """What the replicas leave of each GPU of the cluster."""
    taken: dict[tuple[str, str], float] = defaultdict(float)
    for one in vitals:
        if not one.left and now - one.told_at < FRESH_S:
            for index in one.gpus:
                taken[one.node_id, index] += one.gpu_share
    return [
        GpuRoom(node["NodeManagerHostname"], str(index), round(1 - taken[node["NodeID"], str(index)], 4))
        for node in ray.nodes() if node["Alive"]
        for index in range(int(node["Resources"].get("GPU", 0)))
    ]  # fmt: skip
