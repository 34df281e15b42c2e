"""The services that compute, for administrators: how each is, start and stop, and which model it computes with.

What follows from a wish is `serve_apps/fleet.py`'s business, from a choice of model `batch/models.py`'s.
"""

from typing import Any, Literal

import msgspec
from litestar import Router, get, post, put
from litestar.params import FromPath, JSONBody

from api.access import ADMIN
from api.deps import Given, Me
from cluster.errors import NotFound
from serve_apps.status import ServiceStatus


class ModelChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be other about a service's model; what is left out stays as it is. See configs/README.md."""

    kind: str | msgspec.UnsetType = msgspec.UNSET
    checkpoint: str | msgspec.UnsetType = msgspec.UNSET
    revision: str | msgspec.UnsetType = msgspec.UNSET
    dtype: str | msgspec.UnsetType = msgspec.UNSET
    device: str | msgspec.UnsetType = msgspec.UNSET
    batch_size: int | msgspec.UnsetType = msgspec.UNSET
    cpus: float | msgspec.UnsetType = msgspec.UNSET
    gpus: float | msgspec.UnsetType = msgspec.UNSET
    gpu_memory_gb: float | msgspec.UnsetType = msgspec.UNSET
    min_replicas: int | msgspec.UnsetType = msgspec.UNSET
    max_replicas: int | msgspec.UnsetType = msgspec.UNSET
    idle_s: float | msgspec.UnsetType = msgspec.UNSET
    options: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


@get("/", opt=ADMIN, summary="All services")
async def list_services(deps: Given) -> list[ServiceStatus]:
    """Each service with its state and why, its replicas, model, device, share of GPU, requests, times and errors."""
    return list(await deps.models.services())


@get("/{name:str}", opt=ADMIN, summary="One service")
async def show_service(name: FromPath[str], deps: Given) -> ServiceStatus:
    """A service as in the list of all."""
    found = next((status for status in await deps.models.services() if status.name == name), None)
    if found is None:
        raise NotFound("There is no service of this name; GET /api/services lists them.")
    return found


@post("/{name:str}/{step:str}", opt=ADMIN, sync_to_thread=True, status_code=202, summary="Start or stop a service")
def steer_service(
    name: FromPath[str], step: FromPath[Literal["start", "stop"]], deps: Given, user: Me
) -> ServiceStatus:
    """Want a service running or stopped, from now on and after every restart; it is so within seconds.

    A start of a service whose model could not be loaded tries to load it again.
    """
    return deps.models.start(name, user.name) if step == "start" else deps.models.stop(name, user.name)


@put("/{name:str}/model", opt=ADMIN, sync_to_thread=True, status_code=202, summary="Change the model of a service")
def change_model(name: FromPath[str], data: JSONBody[ModelChange], deps: Given, user: Me) -> ServiceStatus:
    """Choose another model; the one in use answers until the new one is loaded and has seen all it is searched for.

    The answer's `next_model` is the chosen one while the change is under way. Choosing the former model goes back.
    """
    return deps.models.choose(name, msgspec.to_builtins(data), user.name)


ROUTES = Router(
    "/api/services", route_handlers=[list_services, show_service, steer_service, change_model], tags=["services"]
)
