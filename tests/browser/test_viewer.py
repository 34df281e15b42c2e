"""One photo in a browser: from photo to photo, zoom, faces that are named, added and taken back, by hand and keys."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.api.album import face
from tests.api.world import World
from tests.browser.conftest import PHONE, site_of
from tests.browser.stock import drawn, stocked
from tests.browser.watch import Watch

Contexts = Callable[..., BrowserContext]
NOW = "[data-zoom-now]"
TOAST = ".toast"


@pytest.fixture
def ids(small: World) -> list[str]:
    """Ada's photos, newest first; the third has an unknown face."""
    made = stocked(small, "ada", 9)
    with site_of(small).api() as client:
        listed = [one["photo_id"] for one in client.get("/api/photos").json()["photos"]]
    assert set(listed) == set(made)
    return listed


@pytest.fixture
def page(small: World, contexts: Contexts) -> Page:
    """A page of ada's."""
    return contexts(site_of(small), reduced_motion="reduce").new_page()


@pytest.fixture
def portrait(small: World, page: Page) -> Page:
    """The page of a photo with one unknown face."""
    photo_id = small.photo("ada", "portrait.jpg", width=640, height=480)
    face(small, "ada", photo_id)
    drawn(small, "ada")
    page.goto(f"/photos/{photo_id}")
    expect(page.locator(".box")).to_have_count(1)
    return page


def touched(page: Page, *points: tuple[float, float]) -> None:
    """A finger that goes from point to point."""
    session = page.context.new_cdp_session(page)
    kinds = ["touchStart", *["touchMove"] * (len(points) - 1), "touchEnd"]
    for kind, at in zip(kinds, [*points, None], strict=True):
        fingers: list[Any] = [{"x": at[0], "y": at[1]}] if at else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


def test_arrows_lead_from_photo_to_photo_and_escape_back_to_the_list(ids: list[str], page: Page) -> None:
    """In the list's own order, in place; the way back is one step, however many photos were looked at."""
    page.goto("/")
    page.locator(f"a[data-photo='{ids[0]}']").click()
    page.wait_for_url(f"**/photos/{ids[0]}*")
    for photo_id in ids[1:4]:
        page.keyboard.press("ArrowRight")
        page.wait_for_url(f"**/photos/{photo_id}*")
        expect(page.locator("[data-viewer]")).to_have_attribute("data-viewer", photo_id)
    page.click("[data-beside=newer]")
    page.wait_for_url(f"**/photos/{ids[2]}*")
    expect(page.locator("[data-beside=newer]")).to_be_focused()
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "/photos/" not in url)
    page.go_forward()
    page.wait_for_url("**/photos/*")


def test_hits_of_a_search_lead_to_the_next_hit(ids: list[str], page: Page) -> None:
    """In the order they were found in, which no filter tells."""
    page.goto("/search?q=ada")
    hits = page.locator(".found a[data-photo]").evaluate_all("all => all.map(one => one.dataset.photo)")
    assert len(hits) > 3
    page.locator(".found a[data-photo]").nth(1).click()
    page.wait_for_url(f"**/photos/{hits[1]}*")
    for step, photo_id in (("ArrowRight", hits[2]), ("ArrowLeft", hits[1]), ("ArrowLeft", hits[0])):
        page.keyboard.press(step)
        page.wait_for_url(f"**/photos/{photo_id}*")
    expect(page.locator("[data-beside=newer]")).to_be_hidden()
    page.click("[data-back]")
    page.wait_for_url("**/search?q=ada")


def test_a_picture_is_zoomed_by_keys_wheel_and_hand(portrait: Page) -> None:
    """Between the whole picture and its limit, never out of view; arrows then move it instead of going on."""
    before = portrait.url
    for key, told in (("+", "150%"), ("+", "225%"), ("-", "150%"), ("0", "100%"), ("-", "100%")):
        portrait.keyboard.press(key)
        expect(portrait.locator(NOW)).to_have_text(told)
    for _ in range(12):
        portrait.keyboard.press("+")
    expect(portrait.locator("[data-zoom-by=in]")).to_be_disabled()
    portrait.keyboard.press("ArrowRight")
    assert portrait.url == before
    portrait.keyboard.press("Escape")
    expect(portrait.locator(NOW)).to_have_text("100%")
    portrait.mouse.move(400, 400)
    portrait.mouse.wheel(0, -300)
    expect(portrait.locator(NOW)).not_to_have_text("100%")
    portrait.mouse.down()
    portrait.mouse.move(4000, 4000, steps=4)
    portrait.mouse.up()
    view, picture = (portrait.locator(f"[data-{name}]").bounding_box() for name in ("view", "picture"))
    assert view
    assert picture
    assert picture["x"] <= view["x"] + 1 or picture["width"] < view["width"]
    portrait.keyboard.press("0")
    portrait.mouse.dblclick(400, 400)
    expect(portrait.locator(NOW)).to_have_text("250%")


def test_a_face_is_named_at_its_box_and_that_is_taken_back(portrait: Page) -> None:
    """By keyboard alone; the focus comes back to the box."""
    portrait.locator(".box").focus()
    portrait.keyboard.press("Enter")
    expect(portrait.locator("dialog [data-name-input]")).to_be_focused()
    portrait.keyboard.type("Zoë <b>")
    portrait.keyboard.press("Enter")

    expect(portrait.locator(".box.labeled .box-name")).to_have_text("Zoë <b>")
    expect(portrait.locator("dialog")).to_have_count(0)
    expect(portrait.locator(".who-name")).to_have_text("Zoë <b>")
    expect(portrait.locator(".box")).to_be_focused()
    portrait.locator(TOAST).get_by_role("button", name="Undo").click()
    expect(portrait.locator(".box.unknown")).to_have_count(1)


def test_a_face_that_is_none_goes_and_comes_back(portrait: Page) -> None:
    """From the panel."""
    portrait.locator(".who summary").click()
    portrait.locator(".who").get_by_role("button", name="Not a face").click()
    expect(portrait.locator(".box")).to_have_count(0)
    portrait.locator(TOAST).get_by_role("button", name="Undo").click()
    expect(portrait.locator(".box")).to_have_count(1)


def test_a_face_is_added_by_keys(portrait: Page, small: World) -> None:
    """Arrows move the box, with Shift they size it; Escape leaves one after the other."""
    portrait.locator("[data-add-face]").focus()
    portrait.keyboard.press("Enter")
    expect(portrait.locator(".box.drawn")).to_be_focused()
    portrait.keyboard.press("Enter")
    portrait.keyboard.press("Escape")
    expect(portrait.locator("dialog")).to_have_count(0)
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown"):
        portrait.keyboard.press(key)
    portrait.keyboard.press("Enter")
    portrait.keyboard.type("Kim")
    portrait.keyboard.press("Enter")

    expect(portrait.locator(".boxes .box")).to_have_count(2)
    expect(portrait.locator(".drawing")).to_have_count(0)
    rows = small.library("ada").faces.rows().to_pylist()
    [added] = [row for row in rows if row["origin"] == "user"]
    assert added["left"] == pytest.approx(0.5 - 0.15 * 480 / 640 + 0.01, abs=1e-3)
    assert added["bottom"] == pytest.approx(0.5 + 0.15 + 0.03, abs=1e-3)


def test_a_face_is_added_by_drawing(portrait: Page, small: World) -> None:
    """From corner to corner, in any direction."""
    portrait.click("[data-add-face]")
    around = portrait.locator("[data-picture]").bounding_box()
    assert around
    at = [(around["x"] + x * around["width"], around["y"] + y * around["height"]) for x, y in ((0.9, 0.8), (0.6, 0.5))]
    portrait.mouse.move(*at[0])
    portrait.mouse.down()
    portrait.mouse.move(*at[1], steps=3)
    portrait.mouse.up()
    portrait.locator("dialog [data-name-input]").fill("Lee")
    portrait.get_by_role("button", name="Add the face").click()

    expect(portrait.locator(".boxes .box")).to_have_count(2)
    rows = small.library("ada").faces.rows().to_pylist()
    [added] = [row for row in rows if row["origin"] == "user"]
    assert (added["left"], added["right"]) == (pytest.approx(0.6, abs=0.01), pytest.approx(0.9, abs=0.01))


def test_what_is_hidden_stays_so(portrait: Page) -> None:
    """The panel by i, boxes by f, also on the next page; a letter that is typed hides nothing."""
    portrait.keyboard.press("i")
    portrait.keyboard.press("f")
    expect(portrait.locator("[data-panel]")).to_be_hidden()
    portrait.reload()
    expect(portrait.locator("[data-panel]")).to_be_hidden()
    expect(portrait.locator(".boxes")).to_be_hidden()
    portrait.keyboard.press("i")
    portrait.keyboard.press("f")
    expect(portrait.locator(".boxes")).to_be_visible()
    portrait.locator(".who summary").click()
    portrait.locator(".who [data-name-input]").press_sequentially("fifi")
    expect(portrait.locator(".boxes")).to_be_visible()
    expect(portrait.locator("[data-panel]")).to_be_visible()


def test_a_caption_says_that_it_is_being_written_and_why_it_cannot(portrait: Page, small: World, watch: Watch) -> None:
    """The photo stays where it is."""
    watch.forgive("503")
    small.models.down.add("image_captioning")
    portrait.locator("[data-caption] button").click()
    expect(portrait.locator(".toast.wrong")).to_contain_text("image_captioning is stopped")
    expect(portrait.locator("[data-caption] button")).to_have_text("Write anew")


def test_on_a_phone_a_swipe_leads_on_and_a_double_tap_zooms(ids: list[str], small: World, contexts: Contexts) -> None:
    """To the left for the next photo, as pages are turned; a short one leads nowhere."""
    page = contexts(site_of(small), size=PHONE, has_touch=True, reduced_motion="reduce").new_page()
    page.goto(f"/photos/{ids[1]}")
    expect(page.locator("[data-zoom]")).to_be_visible()
    touched(page, (200, 200), (180, 200), (170, 200))
    page.wait_for_timeout(300)
    assert page.url.endswith(ids[1])
    touched(page, (300, 200), (220, 205), (120, 210))
    page.wait_for_url(re.compile(f"/photos/{ids[2]}"))
    for _ in range(2):
        touched(page, (195, 300))
    expect(page.locator(NOW)).to_have_text("250%")
