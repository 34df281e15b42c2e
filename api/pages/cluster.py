"""The cluster's page: nodes and GPUs as they are now and in the last hour, Ray, what is stored, which version runs."""

from typing import Any

from litestar import Response, get
from litestar.response import Template

from api.access import ADMIN
from api.pages.admin import ACTIVE
from api.pages.cluster_cells import of_cluster, shape_of
from api.pages.inside import Asked, Inside, beside
from api.pages.page import page

FEW = 4  # nodes that are all shown open


@get("/admin/cluster", opt=ADMIN, include_in_schema=False)
async def cluster_page(request: Asked) -> Template:
    """The cluster as it is now; scripts draw the last hour."""
    inside = Inside(request)
    shown = await beside(
        cluster=inside.get("/api/cluster"), stats=inside.get("/api/server/stats"), users=inside.get("/api/users")
    )
    names = {user["user_id"]: user["name"] for user in shown["users"]}
    cluster, stored = shown["cluster"], shown["stats"]["storage"]
    return await page(
        request, "admin_cluster.html", ACTIVE, tab="cluster", cluster=cluster, stored=stored, names=names,
        cells=of_cluster(cluster), shape=shape_of(cluster), few=len(cluster["nodes"]) <= FEW,
        gpus=sum(len(node["gpus"]) for node in cluster["nodes"]),
    )  # fmt: skip


@get("/admin/cluster.json", opt=ADMIN, include_in_schema=False)
async def cluster_cells(request: Asked) -> Response[dict[str, Any]]:
    """What has become of the figures of that page."""
    cluster = await Inside(request).get("/api/cluster")
    return Response({"cells": of_cluster(cluster), "shape": shape_of(cluster)})


HANDLERS = [cluster_page, cluster_cells]
