"""The page of logs, for administrators: some lines of one, oldest first, from the newest back; scripts follow it."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from litestar.response import Template

from api.access import ADMIN
from api.pages.admin import ACTIVE
from api.pages.inside import Asked, Inside
from api.pages.page import page
from api.paging import Cursor
from cluster.logs import ABOUT

Text = Annotated[str, QueryParameter(max_length=64)]
AT_ONCE = 200  # lines
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@get("/admin/logs", opt=ADMIN, include_in_schema=False)
async def logs_page(
    request: Asked, service: Text = "api", level: Text = "", job: Text = "", cursor: Cursor = ""
) -> Template:
    """The last lines of a log, of a level and a job where those are chosen."""
    found = await Inside(request).get(
        "/api/server/logs", service=service or "api", level=level or None, job=job.strip() or None, limit=AT_ONCE,
        cursor=cursor or None,
    )  # fmt: skip
    kept = {one["service"]: one for one in found["services"]}
    return await page(
        request, "admin_logs.html", ACTIVE, tab="logs", lines=found["lines"][::-1], following=found["next_cursor"],
        kept=kept.get(service), service=service, level=level, job=job.strip(), cursor=cursor, services=ABOUT,
        levels=LEVELS, limit=AT_ONCE,
    )  # fmt: skip


HANDLERS = [logs_page]
