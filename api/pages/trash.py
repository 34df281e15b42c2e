"""The page of the trash: what is in it by the job that put it there, until when it stays, and putting it back."""

from collections import defaultdict
from typing import Any

from litestar import get
from litestar.response import Template

from api.access import USER
from api.pages.inside import Asked, Inside, beside
from api.pages.page import page
from api.paging import Cursor

PHOTOS = 200  # of a page


@get("/trash", opt=USER, include_in_schema=False)
async def trash_page(request: Asked, cursor: Cursor = "") -> Template:
    """What is in the trash, last deleted first."""
    inside = Inside(request)
    shown = await beside(
        trash=inside.get("/api/trash", limit=PHOTOS, cursor=cursor or None), jobs=inside.get("/api/trash/actions")
    )
    photos: dict[str, list[Any]] = defaultdict(list)
    for photo in shown["trash"]["photos"]:
        photos[photo["action_id"]].append(photo)
    actions = [action for action in shown["jobs"]["actions"] if action["action_id"] in photos]
    total = sum(action["photos"] for action in shown["jobs"]["actions"])
    return await page(
        request, "trash.html", "trash", actions=actions, photos=photos, total=total,
        next_cursor=shown["trash"]["next_cursor"],
    )  # fmt: skip


HANDLERS = [trash_page]
