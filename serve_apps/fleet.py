"""The services of the settings on Ray Serve: bring them up together, say how each is. One application a service."""

import time
from collections.abc import Iterable

import msgspec
from ray import serve
from ray.serve.config import ProxyLocation
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview, DeploymentStatusOverview

from cluster.settings import SERVICES, ModelSpec, Settings
from serve_apps.deployment import application

NOT_CONFIGURED = {
    "llm": "no model is configured; set services.llm in the settings to a checkpoint of an instruct model",
}
STATES = {
    ApplicationStatus.RUNNING: "healthy",
    ApplicationStatus.DEPLOYING: "starting",
    ApplicationStatus.NOT_STARTED: "starting",
    ApplicationStatus.DEPLOY_FAILED: "failed",
    ApplicationStatus.UNHEALTHY: "unhealthy",
    ApplicationStatus.DELETING: "stopped",
}


class ServiceStatus(msgspec.Struct, frozen=True):
    """How a service is, for people and programs."""

    name: str
    state: str  # starting, healthy, unhealthy, failed, stopped, unconfigured
    reason: str  # a sentence when it is not healthy
    replicas: int
    model: str
    device: str
    gpus: float  # share of one GPU a replica is placed with


class Fleet:
    """All services of the settings. Needs a process that has joined Ray."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def specs(self) -> dict[str, ModelSpec]:
        """The configured services and what each computes with."""
        return {name: complete(spec, self.settings) for name, spec in self.settings.services.items() if spec}

    def start(self, names: Iterable[str] | None = None) -> None:
        """Bring services up side by side; returns before their models are loaded."""
        specs = self.specs()
        wanted = [name for name in (specs if names is None else names) if name in specs]
        serve.start(proxy_location=ProxyLocation.Disabled, logging_config={"log_level": "WARNING"})
        if not wanted:  # which Serve refuses
            return
        serve.run_many(
            [
                serve.RunTarget(application(name, specs[name], self.settings.weights_dir), name, route_prefix=None)
                for name in wanted
            ],
            wait_for_ingress_deployment_creation=False,
            wait_for_applications_running=False,
        )

    def stop(self) -> None:
        """Take every service down."""
        serve.shutdown()

    def statuses(self) -> list[ServiceStatus]:
        """Every service the product knows, in the order of the seed."""
        applications = serve.status().applications
        return [self.status(name, applications.get(name)) for name in SERVICES]

    def status(self, name: str, found: ApplicationStatusOverview | None) -> ServiceStatus:
        """How one service is."""
        spec = self.settings.services.get(name)
        if spec is None:
            reason = NOT_CONFIGURED.get(name, f"set services.{name} in the settings")
            return ServiceStatus(name, "unconfigured", reason, 0, "", "", 0)
        if found is None:
            return ServiceStatus(name, "stopped", "it is not running", 0, spec.name, device(spec), spec.gpus)
        state = STATES[found.status]
        reason = "" if state == "healthy" else why(found)
        replicas = sum(running(deployment) for deployment in found.deployments.values())
        return ServiceStatus(name, state, reason, replicas, spec.name, device(spec), spec.gpus)

    def coming(self) -> set[str]:
        """The services that answer now or will: one that starts or is being replaced is worth waiting for."""
        return {status.name for status in self.statuses() if status.state in ("healthy", "starting", "unhealthy")}

    def await_start(self, timeout_s: float) -> list[ServiceStatus]:
        """Wait until no service is starting any more, and say how each is."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            statuses = self.statuses()
            if all(status.state != "starting" for status in statuses):
                return statuses
            time.sleep(0.3)
        return self.statuses()


def complete(spec: ModelSpec, settings: Settings) -> ModelSpec:
    """The spec with what models of files and of the store need to know of the settings."""
    if spec.kind not in ("thumbnail", "exif", "similarity"):
        return spec
    known = {"media": settings.media.model_dump(), "settings": settings.model_dump(mode="json")}
    return spec.model_copy(update={"options": {**known, **spec.options}})


def device(spec: ModelSpec) -> str:
    """Where the model runs."""
    if spec.device != "auto":
        return spec.device
    return "cuda" if spec.gpus else "cpu"


def running(deployment: DeploymentStatusOverview) -> int:
    """How many replicas of a deployment run."""
    return int(deployment.replica_states.get("RUNNING", 0))


def why(found: ApplicationStatusOverview) -> str:
    """Serve's own words on an application and its deployments, on one line."""
    messages = [found.message, *(deployment.message for deployment in found.deployments.values())]
    return " ".join(" ".join(message.split()) for message in messages if message)[-500:]
