"""One photo's page over HTTP, as a browser without scripts sees it: every fact, its faces and forms, its neighbours."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from api.pages.page import POLICY
from cluster.store.people import id_of
from cluster.store.schema import rows_of
from tests.api.album import face, naming, thought
from tests.api.browsing import Page, browser
from tests.api.world import NOON, World

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}"
FACTS: dict[str, Any] = {
    "place": "Oslo", "state": "Østlandet", "country": "Norway", "country_code": "NO", "latitude": 59.9139,
    "longitude": 10.7522, "altitude": 12.0, "camera_make": "Canon", "camera_model": "EOS R5", "lens": "RF50mm",
    "iso": 100, "f_number": 1.8, "exposure_s": 0.004, "focal_mm": 50.0, "rating": 4, "tags": ["cat", "sofa"],
    "tag_scores": [0.75, 0.5], "caption": "A cat on a sofa.", "caption_by": "florence", "keywords": ["pet"],
    "title": "Mia", "flags": ["truncated"], "ocr": "EXIT\nthis way", "taken_offset_min": 120, "width": 6000,
    "height": 4000, "has_raw": True, "variants": 2, "faces_rev": "f@1", "clip_error": "the picture is too odd",
}  # fmt: skip


def shown(client: httpx.Client, photo_id: str, query: str = "", status: int = 200) -> Page:
    """A photo's page."""
    answer = client.get(f"/photos/{photo_id}{query}")
    assert answer.status_code == status, answer.text[:800]
    return Page(answer)


def hrefs(page: Page) -> list[str]:
    """Where a page's links lead."""
    return [has["href"] for has in page.all("a") if "href" in has]


def test_everything_known_of_a_photo_is_on_its_page(world: World) -> None:
    """Its date by its own clock, place, camera, words, files and stages; links lead on from them."""
    world.user("paula")
    photo_id = world.photo("paula", "day/one.jpg", **FACTS)
    raw = {
        "file_id": "f" * 32, "source": "folder", "path": b"day/one.dng", "name": "day/one.dng", "kind": "raw",
        "size": 2_500_000, "photo_id": photo_id, "state": "failed", "error": "it has no lines", "seen_at": NOON,
    }  # fmt: skip
    world.library("paula").files.upsert(rows_of([raw], world.library("paula").files.schema))

    page = shown(browser(world, "paula"), photo_id)

    for fact in (
        "Mia", "Friday, 17 May 2024", "14:00 UTC+2", "A cat on a sofa.", "Oslo, Østlandet, Norway", "59.9139° N",
        "12 m above the sea", "Canon EOS R5", "RF50mm", "ISO 100", "ƒ/1.8", "1/250 s", "50 mm", "24 MP", "cat", "sofa",
        "pet", "EXIT\nthis way", "day/one.dng", "2.5 MB", "it has no lines", "Main", "RAW", "the picture is too odd",
        "The file ends too early", photo_id,
    ):  # fmt: skip
        assert fact in page.text, fact
    assert {"/?place=Oslo", "/?tag=cat", "/?tag=pet"} <= set(hrefs(page))
    assert f"/api/photos/{photo_id}/original?file_id={'f' * 32}" in hrefs(page)
    assert page.all("img", alt="A cat on a sofa.")[0]["src"].startswith(f"/api/photos/{photo_id}/thumbnail/preview")
    assert page.all("svg", role="img", **{"class": "map"})
    assert page.all("p", role="img", **{"aria-label": "4 stars"})


def test_hostile_words_are_text(world: World) -> None:
    """Of names, captions, titles, tags, places, cameras, pictures and people."""
    world.user("petr")
    names = ("title", "caption", "ocr", "place", "state", "country", "camera_model", "lens")
    photo_id = world.photo(
        "petr", "x.jpg", tags=[HOSTILE], tag_scores=[1.0], keywords=[HOSTILE], **dict.fromkeys(names, HOSTILE)
    )
    naming(world, "petr").label([face(world, "petr", photo_id)], name=HOSTILE)
    answer = browser(world, "petr").get(f"/photos/{photo_id}?{urlencode({'tag': HOSTILE})}")
    page = Page(answer)

    assert answer.status_code == 200
    assert HOSTILE in page.text
    assert all(has.get("src", "").startswith("/assets/") for has in page.all("script"))
    assert not [has for _, has in page.elements if any(name.startswith("on") or name == "style" for name in has)]
    assert all(has["src"].startswith(("/assets/", "/api/photos/")) for has in page.all("img"))
    assert all(address.startswith(("/", "#")) for address in hrefs(page))
    assert answer.headers["content-security-policy"] == POLICY


def test_another_owners_photo_is_a_page_that_is_not_there(world: World) -> None:
    """As is one that never was; whoever is not logged in is asked to, and comes back."""
    theirs = world.photo("ben", "theirs.jpg")

    for photo_id in (theirs, "0" * 32):
        for rest in ("", "/similar"):
            answer = browser(world, "ann").get(f"/photos/{photo_id}{rest}")
            assert answer.status_code == 404
            assert "There is no such photo." in answer.text
    away = browser(world).get(f"/photos/{theirs}?kind=image")
    assert (away.status_code, away.headers["location"]) == (303, f"/login?back=%2Fphotos%2F{theirs}%3Fkind%3Dimage")


def test_links_lead_along_the_list_that_one_came_from(world: World) -> None:
    """Filters go on from photo to photo and back to their list, be that the timeline, a search, a person, an event."""
    world.user("pia")
    ids = [
        world.photo("pia", f"{number}.jpg", taken_at=NOON - timedelta(days=number), place=("Rome", "Oslo")[number % 2])
        for number in range(5)
    ]
    me = browser(world, "pia")

    middle = shown(me, ids[2], "?place=rome")
    assert [has["href"] for has in middle.all("a", rel="prev")] == [f"/photos/{ids[0]}?place=rome"]
    assert [has["href"] for has in middle.all("a", rel="next")] == [f"/photos/{ids[4]}?place=rome"]
    assert "/?place=rome" in hrefs(middle)
    assert "hidden" in shown(me, ids[0]).all("a", rel="prev")[0]
    assert "/search?q=cat&place=rome" in hrefs(shown(me, ids[2], "?q=cat&place=rome"))
    assert f"/events/{'e' * 32}" in hrefs(shown(me, ids[2], f"?event={'e' * 32}"))
    assert me.get(f"/photos/{ids[2]}?kind=film").status_code == 400
    assert me.get(f"/photos/{ids[2]}?event=../../evil").status_code == 200
    assert "/events/../../evil" not in hrefs(shown(me, ids[2], "?event=../../evil"))


def test_faces_are_named_confirmed_and_rejected_without_scripts(fresh: World) -> None:
    """Each has forms that come back to its photo, which then tells what was done and takes it back."""
    photo_id = fresh.photo("ann", "party.jpg", width=100, height=80)
    first, second = (face(fresh, "ann", photo_id, number) for number in range(2))
    naming(fresh, "ann").label([face(fresh, "ann", fresh.photo("ann", "other.jpg"))], name="Kim")
    thought(fresh, "ann", id_of("Kim"), "inferred", 0.93, first)
    me, here = browser(fresh, "ann"), f"/photos/{photo_id}"

    page = shown(me, photo_id)
    assert "93% sure" in page.text
    assert {has["data-face"] for has in page.all("li") if "data-face" in has} == {first, second}
    for path, more, then in (
        ("faces/confirm", {}, "Kim"), ("faces/reject", {"person_id": id_of("Kim")}, "Unknown"),
        ("faces/label", {"name": "Lee"}, "Lee"), ("faces/unlabel", {}, "Unknown"), ("faces/delete", {}, ""),
    ):  # fmt: skip
        assert f"POST /api/{path}" in {has["data-to"] for has in shown(me, photo_id).all("form", action="/form")}
        back = f"{here}?acted=1"
        form = {"_to": f"POST /api/{path}", "_back": back, "_said": "Done so.", "face_ids:list": first, **more}
        answer = me.post("/form", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, back)
        after = shown(me, photo_id, "?acted=1")
        assert "Done so." in after.text
        assert "Just now" in after.text
        names = {has["data-face"]: has["data-name"] or "Unknown" for has in after.all("li") if "data-face" in has}
        assert names.get(first, "") == then
    undo = next(has["data-to"] for has in after.all("form") if has.get("data-to", "").endswith("/undo"))
    me.post("/form", data={"_to": undo, "_back": here})
    assert first in {has.get("data-face") for has in shown(me, photo_id).all("li")}


def test_a_caption_is_written_anew_by_a_form(fresh: World) -> None:
    """And where the service is stopped, the page says so, and how to start it."""
    photo_id = fresh.photo("ann", "cat.jpg", caption="Old.")
    me, here = browser(fresh, "ann"), f"/photos/{photo_id}"
    form = shown(me, photo_id).form("/form")
    assert form["_to"] == f"POST /api/photos/{photo_id}/caption"
    fresh.models.down.add("image_captioning")

    answer = me.post("/form", data=form)

    assert answer.headers["location"] == here
    page = shown(me, photo_id)
    assert page.all("div", role="alert")
    assert "Old." in page.text


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"media_rev": ""}, "No picture yet"),
        ({"media_error": "it ends in the middle"}, "it ends in the middle"),
        ({"missing": True}, "The original is missing"),
        ({"taken_at": None}, "No date is known"),
        ({}, "Where it was taken is not known."),
        ({}, "The camera noted nothing."),
        ({}, "Faces have not been looked for in this photo yet."),
        ({"faces_rev": "f@1"}, "No faces were found in this photo."),
    ],
)
def test_what_is_not_known_is_said(world: World, columns: dict[str, Any], told: str) -> None:
    """With what to do next, where something can be done."""
    photo_id = world.photo("ann", f"{told}.jpg", **columns)

    assert told in shown(browser(world, "ann"), photo_id).text


def test_a_video_and_a_live_photo_play_from_their_originals(world: World) -> None:
    """The video with its preview as its poster; the Live Photo's video for scripts, and to download."""
    video = world.photo("ann", "clip.mp4", kind="video", duration_s=75.0)
    live = world.photo("ann", "IMG_1.jpg", has_live=True, variants=2)
    moving = {
        "file_id": "a" * 32, "source": "folder", "path": b"IMG_1.mov", "name": "IMG_1.mov", "kind": "video", "size": 9,
        "photo_id": live, "state": "ok", "seen_at": NOON,
    }  # fmt: skip
    world.library("ann").files.upsert(rows_of([moving], world.library("ann").files.schema))
    me = browser(world, "ann")

    played = shown(me, video)
    [has] = played.all("video")
    assert "1:15" in played.text
    assert has["src"].startswith(f"/api/photos/{video}/original")
    assert has["poster"].startswith(f"/api/photos/{video}/thumbnail/preview")
    assert {"controls", "playsinline"} <= set(has)
    assert me.get(has["src"], headers={"Range": "bytes=0-3"}).status_code == 206
    [button] = [has for has in shown(me, live).all("button") if "data-live" in has]
    assert button["data-live"] == f"/api/photos/{live}/original?file_id={'a' * 32}"


@pytest.mark.parametrize(("name", "zoomable"), [("a.png", True), ("b.heic", False), ("c.tif", False), ("d.webp", True)])
def test_originals_are_zoomed_into_where_browsers_can_show_them(world: World, name: str, zoomable: bool) -> None:
    """The others are looked at by their preview."""
    page = shown(browser(world, "ann"), world.photo("ann", name))
    [picture] = [has for has in page.all("div") if "data-picture" in has]

    assert ("data-original" in picture) == zoomable


def test_similar_photos_are_a_page_or_a_sentence(fresh: World) -> None:
    """Where the service is stopped, or has not seen the photo, that is said quietly."""
    photo_id, other = fresh.photo("ann", "cat one.jpg"), fresh.photo("ann", "cat two.jpg")
    me = browser(fresh, "ann")

    assert f"/photos/{photo_id}/similar" in hrefs(shown(me, photo_id))
    assert f"/photos/{other}" in hrefs(Page(me.get(f"/photos/{photo_id}/similar")))
    fresh.models.down.add("image_similarity")
    answer = me.get(f"/photos/{photo_id}/similar")
    assert answer.status_code == 200
    assert "image_similarity is stopped" in answer.text
    unseen = fresh.photo("ann", "new.jpg", clip_rev="")
    assert "no vector yet" in me.get(f"/photos/{unseen}/similar").text


def test_the_panel_stays_as_it_was_left(world: World) -> None:
    """Scripts keep that in a cookie, so that nothing jumps when the next page comes."""
    photo_id, me = world.photo("ann", "panel.jpg"), browser(world, "ann")

    assert not [has for has in shown(me, photo_id).all("article") if "data-closed" in has]
    me.cookies.set("brightroom_panel", "closed", domain="127.0.0.1")
    assert [has for has in shown(me, photo_id).all("article") if "data-closed" in has]
