"""Searching: by text, people, places, days, tags and kinds, all in the page's address; and by a picture.

Without a text it is the timeline of what the filters let through, without anything an introduction to one's library.
"""

import asyncio
from typing import Annotated, Any

import httpx
from litestar import get, post
from litestar.params import QueryParameter
from litestar.response import Template

from api.access import USER
from api.deps import Given
from api.fusion import MOST
from api.gate import PICTURE
from api.pages.chips import Chip, Sought, chips_of, sought
from api.pages.inside import Asked, Inside, beside, error_of
from api.pages.page import page
from api.paging import Cursor
from cluster.errors import Invalid, NotFound

Limit = Annotated[int, QueryParameter(ge=1, le=MOST)]
STEPS = (60, 200, 500, MOST)  # hits: what `more` leads to
EXAMPLES = 12  # of a kind
ALIKE = 60  # photos that look like a picture
NOTHING: dict[str, Any] = {
    "examples": [], "hits": None, "photos": None, "notes": [], "more": "", "total": 0, "sought_chips": [],
}  # fmt: skip


@get("/search", opt=USER, include_in_schema=False)
async def search_page(request: Asked, deps: Given, limit: Limit = STEPS[0], cursor: Cursor = "") -> Template:
    """What fits the address, best or newest first."""
    inside, asked = Inside(request), sought(request.query_params.multi_items())
    status, found = 200, {"why": ""}
    try:
        found |= await results(inside, asked, limit, cursor)
    except (Invalid, NotFound) as error:
        status, found["why"] = 404 if isinstance(error, NotFound) else 400, str(error)
    shown = {**NOTHING, **found, "asked": asked, "sought_text": asked.q, "most_mb": deps.settings.api.upload_mb}
    return await page(request, "search.html", "photos", status, **shown)


async def results(inside: Inside, asked: Sought, limit: int, cursor: str) -> dict[str, Any]:
    """What the page shows: hits of a text, photos of filters alone, or examples."""
    if not asked.fields:
        return {"examples": (await inside.get("/api/suggestions", each=EXAMPLES))["suggestions"]}
    found = await (hits(inside, asked, limit) if asked.q else timeline(inside, asked, cursor))
    return {**found, "sought_chips": await named(inside, asked)}


async def hits(inside: Inside, asked: Sought, limit: int) -> dict[str, Any]:
    """The photos that fit a text best."""
    found = await inside.get("/api/search", q=asked.q, limit=limit, **asked.filters)
    further = next((step for step in STEPS if step > limit), 0)
    more = asked.address(limit=str(further)) if further and len(found["hits"]) == limit else ""
    return {"hits": found["hits"], "notes": found["notes"], "more": more, "total": len(found["hits"])}


async def timeline(inside: Inside, asked: Sought, cursor: str) -> dict[str, Any]:
    """The newest photos that filters let through, and how many there are."""
    found = await beside(
        page=inside.get("/api/photos", limit=STEPS[0], cursor=cursor or None, **asked.filters),
        months=inside.get("/api/photos/months", **asked.filters),
    )
    following = found["page"]["next_cursor"]
    more = asked.address(cursor=following) if following else ""
    return {"photos": found["page"]["photos"], "more": more, "total": found["months"]["photos"]}


async def named(inside: Inside, asked: Sought) -> list[Chip]:
    """The filters of a search as chips, people by their names."""
    people = await asyncio.gather(*(inside.get(f"/api/people/{person_id}") for person_id in asked.person))
    return chips_of(asked, people)


@get("/search/image", opt=USER, include_in_schema=False)
async def picture_page(request: Asked, deps: Given) -> Template:
    """Where a picture is chosen to search by."""
    most_mb = deps.settings.api.upload_mb
    return await page(request, "search_image.html", "photos", found=None, why="", most_mb=most_mb)


@post(
    "/search/image", opt={**USER, PICTURE: True}, status_code=200, include_in_schema=False, request_max_body_size=None
)  # fmt: skip
async def search_by_picture(request: Asked, deps: Given) -> Template:
    """The photos most like the picture that a form carries; the API says how large it may be."""
    answer = await passed_on(request, f"/api/search/image?limit={ALIKE}")
    found = answer.json()["hits"] if answer.is_success else None
    why = "" if answer.is_success else str(error_of(answer))
    status = 200 if answer.is_success else answer.status_code
    most_mb = deps.settings.api.upload_mb
    return await page(request, "search_image.html", "photos", status, found=found, why=why, most_mb=most_mb)


async def passed_on(request: Asked, address: str) -> httpx.Response:
    """What the API answers to a request's own body, which is passed on as it arrives."""
    inside = Inside(request)
    kept = {name: request.headers[name] for name in ("content-type", "content-length") if name in request.headers}
    headers = {**inside.headers, **kept}
    return await inside.client.post(address, content=request.stream(), headers=headers)


HANDLERS = [search_page, picture_page, search_by_picture]
