"""The services that compute, as everybody may see them. Starting and stopping them is not offered here yet."""

from litestar import Router, get

from api.access import USER
from api.deps import Given
from serve_apps.fleet import ServiceStatus


@get("/", opt=USER, summary="All services")
async def list_services(deps: Given) -> list[ServiceStatus]:
    """Each service with its state, replicas, model and device, and why it is not running when it is not."""
    return list(await deps.models.services())


ROUTES = Router("/api/services", route_handlers=[list_services], tags=["services"])
