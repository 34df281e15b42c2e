"""The pages of events: covers by year, one event with its photos, and those that were deleted."""

import asyncio
from itertools import groupby
from typing import Any

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from api.access import USER
from api.pages.inside import Asked, Inside, beside
from api.pages.page import page
from api.paging import Cursor

EVENTS = 96  # of a page
PHOTOS = 200
FEW = 3  # events of a year that does not stand alone
PEOPLE = 8  # on an event, who are looked up


@get("/events", opt=USER, include_in_schema=False)
async def events_page(request: Asked, deleted: FromQuery[bool] = False, cursor: Cursor = "") -> Template:
    """Events by year, or those that were deleted."""
    inside = Inside(request)
    shown = await beside(
        found=inside.get("/api/events", deleted=deleted, limit=EVENTS, cursor=cursor or None),
        gone=inside.get("/api/events", deleted=True, limit=1),
        stats=inside.get("/api/library/stats"),
    )
    return await page(request, "events.html", "events", bands=bands(shown["found"]["events"]), deleted=deleted, **shown)


@get("/events/{event_id:str}", opt=USER, include_in_schema=False)
async def event_page(
    request: Asked, event_id: FromPath[str], cover: FromQuery[bool] = False, cursor: Cursor = ""
) -> Template:
    """One event; `cover` has its photos chosen from."""
    inside = Inside(request)
    found = await inside.get(f"/api/events/{event_id}", limit=PHOTOS, cursor=cursor or None)
    people = await known(inside, found["event"]["people"][:PEOPLE])
    return await page(request, "event.html", "events", **found, people=people, cover=cover, cursor=cursor)


async def known(inside: Inside, names: list[str]) -> list[dict[str, Any]]:
    """The people with some names, as long as they have them."""
    found = await asyncio.gather(*(inside.get("/api/people", q=name, limit=20) for name in names))
    return [
        person
        for name, answer in zip(names, found, strict=True)
        for person in answer["people"]
        if person["name"] == name
    ]


def bands(events: list[Any]) -> list[tuple[list[str], list[Any]]]:
    """Events by year, the first and the last of a band; years of few events share one, so that rows are full."""
    found: list[tuple[list[str], list[Any]]] = []
    for year, of_year in groupby(events, key=year_of):
        if found and len(found[-1][1]) < FEW:
            years, before = found[-1]
            found[-1] = ([year, years[-1]], [*before, *of_year])
        else:
            found.append(([year], list(of_year)))
    return found


def year_of(event: dict[str, Any]) -> str:
    """The year in which an event begins."""
    return str(event["first_at"])[:4]


HANDLERS = [events_page, event_page]
