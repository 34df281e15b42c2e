"""What runs on Ray Serve, in our words, and the few things done to it: begin, deploy, delete. Decides nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayActorError, RayError
from ray.serve.config import ProxyLocation
from ray.serve.context import _disconnect, _get_global_client
from ray.serve.exceptions import RayServeException

from cluster.errors import Unavailable
from cluster.runtime import NOT_RUNNING
from cluster.settings import Settings
from serve_apps.applications import Application
from serve_apps.deployment import hosted
from serve_apps.status import Found

AWAY = "the Ray cluster does not answer; it is asked again, and `GET /api/cluster` tells more"


def begin() -> None:
    """Start Serve where it does not run; it is reached by handles only, so it opens no port for HTTP.

    Raises Unavailable in a process that has not joined Ray: Serve would start a cluster.
    """
    if not ray.is_initialized():
        raise Unavailable(NOT_RUNNING)
    if client() is None:
        serve.start(proxy_location=ProxyLocation.Disabled, logging_config={"log_level": "WARNING"})


def client() -> Any | None:
    """The controller's client; None where none runs, or where one ran that is gone for good."""
    return _get_global_client(raise_if_no_controller_running=False) if ray.is_initialized() else None


def found_applications() -> dict[str, Found]:
    """What Serve says of each of its applications, by name; nothing where Serve does not run.

    Raises Unavailable when the cluster does not answer.
    """
    controller = client()
    if controller is None:
        return {}
    try:
        applications = controller.get_serve_details().get("applications", {})
    except RayActorError:  # somebody shut Serve down: whoever comes next begins it anew
        _disconnect()
        return {}
    except (RayError, RayServeException) as error:
        raise Unavailable(AWAY) from error
    return {name: found(app) for name, app in applications.items()}


def found(app: dict[str, Any]) -> Found:
    """One application of Serve's details."""
    deployments = list(app.get("deployments", {}).values())
    messages = [app.get("message") or "", *(one.get("message") or "" for one in deployments)]
    replicas = [replica for one in deployments for replica in one.get("replicas", [])]
    message = "\n".join(text for text in messages if text)
    return Found(text(app["status"]), message, app.get("last_deployed_time_s") or 0, [plain(one) for one in replicas])


def plain(replica: dict[str, Any]) -> dict[str, Any]:
    """A replica's details with its state as text."""
    return {**replica, "state": text(replica["state"])}


def text(state: Any) -> str:
    """A state as Serve writes it, whether it comes as a member of an enumeration or as text."""
    return str(getattr(state, "value", state))


def deploy(apps: Iterable[Application], settings: Settings) -> dict[str, str]:
    """Bring applications up side by side; returns before their models are loaded, with what Serve refuses and why."""
    refused: dict[str, str] = {}
    targets = []
    for app in apps:
        try:
            targets.append(serve.RunTarget(hosted(app, settings), app.name, route_prefix=None))
        except ValueError as error:
            refused[app.name] = str(error)
    return {**refused, **run(targets)}


def run(targets: Sequence[serve.RunTarget]) -> dict[str, str]:
    """Have Serve run applications; what it refuses, and why, is found by asking for each alone."""
    if not targets:
        return {}
    try:
        serve.run_many(targets, wait_for_ingress_deployment_creation=False, wait_for_applications_running=False)
    except ValueError as error:
        if len(targets) == 1:
            return {targets[0].name: str(error)}
        return {name: why for target in targets for name, why in run([target]).items()}
    return {}


def delete(name: str) -> None:
    """Take an application down; returns before its replicas have ended."""
    serve.delete(name, _blocking=False)
