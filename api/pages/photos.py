"""The timeline: all photos, newest first, under filters. The first of them are in the page; js/timeline.js goes on."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from litestar import get
from litestar.response import Template

from api.access import USER
from api.pages.chips import OFTEN, Fields
from api.pages.dates import day
from api.pages.inside import Asked, Inside
from api.pages.page import page
from api.pages.words import WORDS
from api.paging import Cursor
from cluster.store.jobs import LIVE

FIRST = 60  # photos in the page itself
SCANS = ("scan", "scan-nextcloud")
KINDS: dict[str, Fields] = {
    "all": [], "only_video": [("kind", "video")], "only_live": [("kind", "live")], "only_raw": [("kind", "raw")],
    "only_missing": [("missing", "true")],
}  # fmt: skip
TEXTS = {"tag": "filter_tag", "place": "filter_place", "date_from": "filter_from", "date_to": "filter_to"}


class Day(msgspec.Struct, frozen=True):
    """Photos of one day, where they were taken."""

    name: str  # empty: nobody knows the day
    photos: list[Mapping[str, Any]]


class Month(msgspec.Struct, frozen=True):
    """The days of one month."""

    name: str
    days: list[Day]


@get("/", opt=USER, include_in_schema=False)
async def timeline_page(request: Asked, cursor: Cursor = "") -> Template:
    """The first photos after `cursor`, or what to do where there are none."""
    inside, fields = Inside(request), fields_of(request)
    found = await inside.get("/api/photos", **grouped(fields), limit=FIRST, cursor=cursor or None, before=bool(cursor))
    empty = not (found["photos"] or fields or cursor)
    return await page(
        request, "photos.html", "photos", months=months_of(found["photos"]), query=address(fields)[1:],
        filtered=bool(fields), kinds=kinds_of(fields), chosen=await chosen_of(inside, fields),
        newer=turned(fields, found["previous_cursor"]), older=turned(fields, found["next_cursor"]),
        scanning=empty and await scanning(inside),
    )  # fmt: skip


def fields_of(request: Asked) -> Fields:
    """The filters of the page's address, those that the API has."""
    names = ("kind", "missing", "person", "tag", "place", "date_from", "date_to")
    given = [(name, value) for name, value in request.query_params.multi_items() if name in names and value]
    last = dict(given)  # of what the API takes once, it takes the last
    return list(dict.fromkeys(field for field in given if field[0] in OFTEN or field in last.items()))


def grouped(fields: Fields) -> dict[str, list[str]]:
    """The filters as parameters of the API."""
    return {name: [value for other, value in fields if other == name] for name, _ in fields}


def address(fields: Fields) -> str:
    """The timeline under these filters."""
    return f"/?{urlencode(fields)}" if fields else "/"


def turned(fields: Fields, cursor: str | None) -> str | None:
    """Another page of the timeline; None where there is none."""
    return None if cursor is None else address([*fields, *([("cursor", cursor)] if cursor else [])])


async def scanning(inside: Inside) -> bool:
    """Whether photos are on their way."""
    return any(job["action"] in SCANS for job in (await inside.get("/api/jobs", state=list(LIVE), owner="me"))["jobs"])


def kinds_of(fields: Fields) -> list[tuple[str, str, bool]]:
    """What kinds of photos there are to choose from: a name, the timeline of it, whether it is chosen."""
    kind = [field for field in fields if field[0] in ("kind", "missing")]
    rest = [field for field in fields if field not in kind]
    return [(name, address([*rest, *chosen]), kind == chosen) for name, chosen in KINDS.items()]


async def chosen_of(inside: Inside, fields: Fields) -> list[tuple[str, str]]:
    """The other filters in words, each with the timeline without it."""
    chosen = []
    for name, value in fields:
        if name == "person":
            person = await inside.get(f"/api/people/{quote(value, safe='')}")
            text = WORDS("photos.filter_person", name=person["name"] or WORDS("photos.somebody"))
        elif name in TEXTS:
            what = day(value) if name.startswith("date_") else value
            text = WORDS(f"photos.{TEXTS[name]}", what=what)
        else:
            continue
        chosen.append((text, address([field for field in fields if field != (name, value)])))
    return chosen


def months_of(photos: Iterable[Mapping[str, Any]]) -> list[Month]:
    """Photos by month and day, in their order, by the clocks of the places they were taken at."""
    days = [(day, list(them)) for day, them in groupby(photos, day_of)]
    return [
        Month(month, [Day(f"{day:%a} {day.day} {day:%B}" if day else "", them) for day, them in ones])
        for month, ones in groupby(days, lambda one: f"{one[0]:%B %Y}" if one[0] else "")
    ]


def day_of(photo: Mapping[str, Any]) -> date | None:
    """The day a photo was taken on; None where nobody knows."""
    if photo["taken_at"] is None:
        return None
    offset = timedelta(minutes=photo["taken_offset_min"] or 0)
    try:
        return (datetime.fromisoformat(photo["taken_at"]) + offset).date()
    except OverflowError:  # the calendar's first or last day
        return datetime.fromisoformat(photo["taken_at"]).date()


HANDLERS = [timeline_page]
