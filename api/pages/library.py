"""The Library page: what there is, scans, a Nextcloud, actions with their dry runs and undos, jobs as they run."""

from typing import Annotated

from litestar import get
from litestar.params import FromPath, QueryParameter
from litestar.response import Template

from api.access import USER
from api.pages.inside import Asked, Inside, beside, content
from api.pages.page import page
from api.paging import Cursor
from cluster.store.jobs import LIVE

ACTIONS = ("scan", "train-faces", "rescan-faces", "generate-events", "delete-missing", "save-metadata")
MOST = 12  # jobs of the past


@get("/library", opt=USER, include_in_schema=False)
async def library_page(request: Asked) -> Template:
    """The whole page, as it is now."""
    inside = Inside(request)
    shown = await beside(
        stats=inside.get("/api/library/stats"),
        jobs=inside.get("/api/jobs", limit=MOST, owner="me"),
        live=inside.get("/api/jobs", state=list(LIVE), owner="me"),
        nextcloud=inside.get("/api/nextcloud"),
        trash=inside.get("/api/trash", limit=1),
    )
    return await page(request, "library.html", "library", **shown, actions=ACTIONS)


@get("/library/{action:str}", opt=USER, include_in_schema=False)
async def plan_page(request: Asked, action: FromPath[str]) -> Template:
    """What an action would do, before it is done."""
    inside = Inside(request)
    answer = await inside.send("POST", f"/api/library/actions/{action}", dry_run=True)
    return await page(request, "plan.html", "library", action=action, plan=content(answer))


@get("/jobs/{job_id:str}", opt=USER, include_in_schema=False)
async def job_page(request: Asked, job_id: FromPath[str], cursor: Cursor = "") -> Template:
    """One job: its stages, what it changed, and what failed."""
    inside = Inside(request)
    shown = await beside(
        job=inside.get(f"/api/jobs/{job_id}"),
        errors=inside.get(f"/api/jobs/{job_id}/errors", cursor=cursor or None),
    )
    return await page(request, "job.html", "library", **shown)


@get("/nextcloud", opt=USER, include_in_schema=False)
async def cloud_page(request: Asked, path: Annotated[str, QueryParameter(max_length=4096)] = "") -> Template:
    """Choosing folders of one's Nextcloud, one level at a time."""
    inside = Inside(request)
    shown = await beside(nextcloud=inside.get("/api/nextcloud"), listed=inside.get("/api/nextcloud/folders", path=path))
    return await page(request, "cloud_folders.html", "library", **shown)


HANDLERS = [library_page, plan_page, job_page, cloud_page]
