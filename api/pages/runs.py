"""The page of everybody's jobs, for administrators: whose they are, how they go, and the words that steer them."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter
from litestar.response import Template

from api.access import ADMIN
from api.pages.admin import ACTIVE
from api.pages.inside import Asked, Inside, beside
from api.pages.page import page
from api.paging import Cursor
from cluster.store.jobs import LIVE

Chosen = Annotated[str, QueryParameter(name="state", max_length=20)]  # `state` is Litestar's own word
AT_ONCE = 20  # jobs of a page
FILTERS: dict[str, tuple[str, ...]] = {
    "": (), "live": LIVE, "done": ("done",), "failed": ("failed",), "cancelled": ("cancelled",), "paused": ("paused",),
}  # fmt: skip


@get("/admin/jobs", opt=ADMIN, include_in_schema=False)
async def all_jobs_page(request: Asked, chosen: Chosen = "", cursor: Cursor = "") -> Template:
    """Jobs of all users, newest first; a state that nobody knows is none."""
    inside, states = Inside(request), FILTERS.get(chosen, ())
    shown = await beside(
        found=inside.get("/api/jobs", state=list(states) or None, limit=AT_ONCE, cursor=cursor or None),
        users=inside.get("/api/users"),
    )
    names = {user["user_id"]: user["name"] for user in shown["users"]}
    return await page(
        request, "admin_jobs.html", ACTIVE, tab="jobs", jobs=shown["found"]["jobs"], names=names,
        told=msgspec.json.encode(names).decode(), following=shown["found"]["next_cursor"], state=chosen, cursor=cursor,
        states=states, filters=FILTERS, limit=AT_ONCE,
    )  # fmt: skip


HANDLERS = [all_jobs_page]
