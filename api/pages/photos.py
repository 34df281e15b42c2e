"""The timeline: all photos, newest first, under filters. The first of them are in the page; js/timeline.js goes on."""

from typing import Any, TypeAlias

from litestar import Request, get
from litestar.response import Template

from api.access import USER
from api.pages.inside import Inside
from api.pages.page import page

Asked: TypeAlias = Request[Any, Any, Any]
FIRST = 60  # photos in the page itself


@get("/", opt=USER, include_in_schema=False)
async def timeline_page(request: Asked) -> Template:
    """The newest photos."""
    found = await Inside(request).get("/api/photos", limit=FIRST)
    return await page(request, "photos.html", "photos", photos=found["photos"])


HANDLERS = [timeline_page]
