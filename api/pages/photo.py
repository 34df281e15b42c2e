"""One photo: large, between its neighbours, with everything known of it and what can be said of its faces."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from api.access import USER
from api.originals import media_type
from api.pages import shot
from api.pages.inside import Asked, Inside, beside, nothing
from api.pages.page import page
from api.pages.world_map import piece
from cluster.errors import Conflict, Unavailable

FILTERS = ("date_from", "date_to", "place", "tag", "kind", "person", "missing", "event")
SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")  # what every browser can show
ACTED = "acted"  # a parameter: a form of this page was just sent, without scripts
PANEL = "brightroom_panel"  # a cookie of scripts: "closed"
JUST_NOW = timedelta(minutes=10)
ALIKE = 18  # similar photos


@get("/photos/{photo_id:str}", opt=USER, include_in_schema=False)
async def photo_page(request: Asked, photo_id: FromPath[str]) -> Template:
    """The photo between those that the filters of the address let through."""
    inside, filters = Inside(request), filters_of(request)
    asked = await beside(
        detail=inside.get(f"/api/photos/{photo_id}"),
        beside=inside.get(f"/api/photos/{photo_id}/neighbours", **filters),
        acts=inside.get("/api/people/acts", limit=1) if ACTED in request.query_params else nothing(acts=[]),
    )
    around = {"query": query_of(request), "back": back_of(request, filters), "beside": asked["beside"]}
    closed, last_act = request.cookies.get(PANEL) == "closed", recent(asked["acts"])
    shown = {**told(asked["detail"]), **around, "closed": closed, "last_act": last_act}
    return await page(request, "photo.html", "photos", **shown)


def told(detail: Mapping[str, Any]) -> dict[str, Any]:
    """A photo of the API with how its page puts what is known of it; faces with a name come first, from the left."""
    faces = sorted(detail["faces"], key=lambda face: (face["standing"] == "unknown", face["left"]))
    return {
        **detail, "faces": faces, "taken": shot.taken(detail), "noted": shot.camera(detail),
        "pixels": shot.picture(detail["photo"]), "where": shot.where(detail["position"]),
        "map": piece(detail["position"]), "files": files(detail),
    }  # fmt: skip


@get("/photos/{photo_id:str}/similar", opt=USER, include_in_schema=False)
async def similar_page(request: Asked, photo_id: FromPath[str]) -> Template:
    """Photos that look like one; a sentence where they cannot be told now."""
    inside = Inside(request)
    detail = await inside.get(f"/api/photos/{photo_id}")
    found, why = [], ""
    try:
        answer = await inside.get(f"/api/photos/{photo_id}/similar", limit=ALIKE)
        found = [hit["photo"] for hit in answer["hits"]]
    except (Conflict, Unavailable) as error:
        why = str(error)
    return await page(request, "similar.html", "photos", photo=detail["photo"], similar=found, why=why)


def filters_of(request: Asked) -> dict[str, list[str]]:
    """The filters of the list that somebody came from, as the API takes them."""
    return {name: found for name in FILTERS if (found := request.query_params.getall(name, []))}


def back_of(request: Asked, filters: Mapping[str, list[str]]) -> tuple[str, str]:
    """Where that list is, and what it is."""
    if "q" in request.query_params:
        return f"/search{query_of(request)}", "back_search"
    for name, path, text in (("event", "/events/", "back_event"), ("person", "/people/", "back_person")):
        if list(filters) == [name] and len(filters[name]) == 1 and filters[name][0].isalnum():
            return path + filters[name][0], text
    return "/" + (f"?{urlencode(filters, doseq=True)}" if filters else ""), "back"


def query_of(request: Asked) -> str:
    """What of an address leads along a list, from photo to photo."""
    given = parse_qsl(request.url.query, keep_blank_values=True)
    fields = [(name, value) for name, value in given if name != ACTED]
    return f"?{urlencode(fields)}" if fields else ""


def recent(told: Mapping[str, Any]) -> dict[str, Any] | None:
    """The last thing said of faces or people, if it was just now and can be taken back."""
    now = datetime.now(UTC)
    fresh = [
        act for act in told["acts"] if not act["undone_at"] and now - datetime.fromisoformat(act["made_at"]) < JUST_NOW
    ]
    return fresh[0] if fresh else None


def files(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The files that the page shows itself: the main one, where browsers can, and the video of a Live Photo."""
    photo, there = detail["photo"], [one for one in detail["variants"] if one["state"] != "missing"]
    main = next((one for one in there if one["main"]), None)
    videos = [one for one in there if one["kind"] == "video"]
    zoomable = main if main and main["kind"] == "image" and media_type(main["name"]) in SHOWN else None
    live = videos[0] if photo["kind"] != "video" and photo["has_live"] and videos else None
    return {"main": main, "zoomable": zoomable, "live": live}


HANDLERS = [photo_page, similar_page]
