"""The pages of people: those with names, clusters without, faces to confirm, one person, and what was said so far."""

from typing import Any, Literal

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from api.access import USER
from api.pages.inside import Asked, Inside, beside, nothing
from api.pages.page import page
from api.paging import Cursor

Show = FromQuery[Literal["named", "unknown", "sure", "hidden"]]
By = FromQuery[Literal["name", "faces"]]
Standing = FromQuery[Literal["", "labeled", "inferred", "unknown"]]
Tab = FromQuery[Literal["", "photos", "faces"]]
Sureness = FromQuery[Literal["doubt", "certainty"]]
FaceOrder = FromQuery[Literal["doubt", "certainty", "time"]]

PEOPLE = 120  # of a page
CLUSTERS = 24
SAMPLES = 6  # faces of each cluster
FACES = 60  # to be looked at in one go
PHOTOS = 60
ACTS = 50
KNOWN = 500  # people to choose from
LATELY = 20  # acts
ASKED = {"standing": "inferred", "hidden": False}  # faces to confirm
TEACHING = ("label", "confirm", "reject", "unlabel", "rename", "merge", "split", "add")  # what training learns from


@get("/people", opt=USER, include_in_schema=False)
async def people_page(
    request: Asked,
    show: Show = "named",
    by: By = "name",
    order: Sureness = "doubt",
    select: FromQuery[bool] = False,
    cursor: Cursor = "",
) -> Template:
    """People in four groups: named, unknown, thought to be somebody, and hidden."""
    inside = Inside(request)
    shown = await beside(
        sums=sums(inside),
        stats=inside.get("/api/library/stats"),
        confidence=inside.get("/api/library/confidence"),
        last_act=inside.get("/api/people/acts", limit=LATELY),
        training=inside.get("/api/jobs", action="train-faces", limit=1, owner="me"),
        listed=listed(inside, show, by, order, cursor),
        known=inside.get("/api/people", limit=KNOWN) if show == "unknown" else nothing(people=[]),
    )
    choices: dict[str, Any] = {"show": show, "by": by, "order": order, "select": select, "cursor": cursor}
    helps = training_helps(shown["last_act"]["acts"], shown["training"]["jobs"], shown["stats"])
    return await page(request, "people.html", "people", **shown, **choices, helps=helps)


@get("/people/acts", opt=USER, include_in_schema=False)
async def acts_page(request: Asked, cursor: Cursor = "") -> Template:
    """What was said of people and faces, each to be taken back."""
    said = await Inside(request).get("/api/people/acts", limit=ACTS, cursor=cursor or None)
    return await page(request, "acts.html", "people", acts=said["acts"], next_cursor=said["next_cursor"])


@get("/people/{person_id:str}", opt=USER, include_in_schema=False)
async def person_page(
    request: Asked,
    person_id: FromPath[str],
    tab: Tab = "",
    standing: Standing = "",
    order: FaceOrder = "doubt",
    cursor: Cursor = "",
) -> Template:
    """One person, or a cluster: who it is, and the photos or faces."""
    inside = Inside(request)
    person = await inside.get(f"/api/people/{person_id}")
    tab = tab or ("photos" if person["kind"] == "person" else "faces")
    known = person["person_id"]
    shown = await beside(
        about=inside.get(f"/api/people/{known}/about"),
        others=inside.get("/api/people", limit=KNOWN),
        last_act=inside.get("/api/people/acts", limit=1),
        listed=inside.get("/api/photos", person=known, limit=PHOTOS, cursor=cursor or None)
        if tab == "photos"
        else inside.get(
            "/api/faces", person_id=known, standing=standing, order=order, limit=FACES, cursor=cursor or None
        ),
    )
    choices: dict[str, Any] = {"tab": tab, "standing": standing, "order": order, "cursor": cursor}
    return await page(request, "person.html", "people", person=person, **shown, **choices)


async def listed(inside: Inside, show: str, by: str, order: str, cursor: str) -> Any:
    """What one of the groups shows."""
    after = cursor or None
    if show == "sure":
        return await inside.get("/api/faces", **ASKED, order=order, limit=FACES, cursor=after)
    if show == "unknown":
        return await inside.get(
            "/api/people", kind="cluster", order="faces", samples=SAMPLES, limit=CLUSTERS, cursor=after
        )
    if show == "hidden":
        return await hidden(inside)
    return await inside.get("/api/people", order=by, limit=PEOPLE, cursor=after)


async def hidden(inside: Inside) -> Any:
    """Everybody who is hidden, with a name or without."""
    found = await beside(
        named=inside.get("/api/people", hidden=True, limit=KNOWN),
        unknown=inside.get("/api/people", hidden=True, kind="cluster", order="faces", limit=KNOWN),
    )
    return {"people": [*found["named"]["people"], *found["unknown"]["people"]], "next_cursor": None}


async def sums(inside: Inside) -> dict[str, int]:
    """How many there are in each group of people."""
    found = await beside(
        named=inside.get("/api/people", limit=1),
        sure=inside.get("/api/faces", **ASKED, limit=1),
        unknown=inside.get("/api/people", kind="cluster", limit=1),
        hidden=inside.get("/api/people", hidden=True, limit=1),
        hidden_unknown=inside.get("/api/people", kind="cluster", hidden=True, limit=1),
    )
    totals = {name: int(one["total"]) for name, one in found.items()}
    return {**totals, "hidden": totals["hidden"] + totals["hidden_unknown"]}


def training_helps(acts: list[Any], jobs: list[Any], stats: Any) -> bool:
    """Whether something was said since faces were trained last, and there are faces to be found."""
    if not stats["faces_labeled"] or not stats["faces_unknown"] + stats["faces_inferred"]:
        return False
    taught = [act["made_at"] for act in acts if act["kind"] in TEACHING and not act["undone_at"]]
    return bool(taught) and (not jobs or (jobs[0]["state"] == "done" and taught[0] > jobs[0]["created_at"]))


HANDLERS = [people_page, acts_page, person_page]
