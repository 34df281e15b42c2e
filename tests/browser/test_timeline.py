"""The page of all photos in a browser: what of it is in the document, what stays where it is, by wheel and by keys."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from cluster.store.schema import rows_of
from tests.api.world import NOON, World
from tests.browser.axe import dress, violations
from tests.browser.conftest import PHONE, WIDE, site_of

Contexts = Callable[..., BrowserContext]
SHAPES = ((300, 200), (200, 300), (400, 300), (600, 200), (200, 200))
TOP = """[...document.querySelectorAll('.timeline-canvas a.photo')].map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.bottom > 110).sort(([, a], [, b]) => a.top - b.top || a.left - b.left)
  .map(([one, box]) => [one.dataset.photo, Math.round(box.top)])[0]"""
FOCUS = "document.activeElement.dataset.photo"


def photos(world: World, count: int, name: str = "p", **columns: Any) -> list[str]:
    """So many photos of ada's, seven a day, newest first; their ids."""
    rows = []
    for number in range(count):
        width, height = SHAPES[number % len(SHAPES)]
        rows.append(
            {
                "photo_id": f"{name}{number:05d}", "content_id": f"{number:032x}", "name": f"{name}{number:05d}.jpg",
                "kind": "image", "width": width, "height": height, "taken_at": NOON - timedelta(hours=24 * number / 7),
                "media_error": "none was made", "media_rev": "media-1", "added_at": NOON, "changed_at": NOON, **columns,
            }
        )  # fmt: skip
    table = world.library("ada").photos
    table.upsert(table.completed(rows_of(rows, table.schema)))
    return [row["photo_id"] for row in rows]


def opened(world: World, contexts: Contexts, path: str = "/", **more: Any) -> Page:
    """A page with the timeline drawn by its script."""
    page = contexts(site_of(world), **more).new_page()
    page.goto(path)
    page.wait_for_selector(".timeline-canvas a.photo")
    return page


def rolled(page: Page, turns: int, step: int = 500) -> Any:
    """Turn the wheel; the first photo that is seen afterwards, and where."""
    page.mouse.move(400, 500)
    for _ in range(turns):
        page.mouse.wheel(0, step)
        page.wait_for_timeout(40)
    page.wait_for_timeout(700)
    return page.evaluate(TOP)


def test_only_what_is_near_is_in_the_document(small: World, contexts: Contexts) -> None:
    """Of 3,000 photos never more than some hundred, from the first to the last, and no photo is skipped."""
    ids = photos(small, 3000)
    page = opened(small, contexts)
    expect(page.locator("[data-count]")).to_have_text("3,000 photos")

    rolled(page, 20)
    seen = page.locator("a.photo").count()
    page.locator("a.photo").first.focus()
    page.keyboard.press("End")

    expect(page.locator(f"a.photo[data-photo={ids[-1]}]")).to_be_focused()
    assert 20 < seen < 250
    assert page.locator("a.photo").count() < 250


def test_photos_that_come_meanwhile_do_not_move_what_is_seen(small: World, contexts: Contexts) -> None:
    """New ones above are there when one goes up; at the very top they are seen at once."""
    photos(small, 400)
    page = opened(small, contexts)
    before = rolled(page, 12)

    (new,) = photos(small, 1, "new", taken_at=NOON + timedelta(days=40))
    tell(page)
    expect(page.locator("[data-count]")).to_have_text("401 photos")
    page.wait_for_timeout(800)

    assert page.evaluate(TOP) == before
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(f"a.photo[data-photo={new}]")).to_be_in_viewport()
    page.wait_for_timeout(2000)
    (newest,) = photos(small, 1, "newest", taken_at=NOON + timedelta(days=41))
    tell(page)
    expect(page.locator(f"a.photo[data-photo={newest}]")).to_be_in_viewport()


def tell(page: Page) -> None:
    """Let the page hear that a job has ended, as its stream tells it."""
    told = "{ job_id: String(Math.random()), state: 'running', stages: [] }"
    page.evaluate(f"document.dispatchEvent(new CustomEvent('jobs', {{ detail: {told} }}))")


def test_one_comes_back_to_where_one_was(small: World, contexts: Contexts) -> None:
    """With the photo that was opened focused; its page knows the filters."""
    photos(small, 700)
    page = opened(small, contexts, "/?kind=image")
    before = rolled(page, 14)
    name = page.evaluate("document.elementFromPoint(400, 500).closest('a.photo').dataset.photo")

    page.mouse.click(400, 500)
    expect(page).to_have_url(f"{small.http.url}/photos/{name}?kind=image")
    page.go_back()
    page.wait_for_selector(".timeline-canvas a.photo")
    page.wait_for_timeout(700)

    assert page.evaluate(TOP) == before
    assert page.evaluate(FOCUS) == name


def test_arrows_go_to_the_photo_that_lies_there(small: World, contexts: Contexts) -> None:
    """Right and left in order, down and up by place; what has the focus is seen whole below the bars."""
    ids = photos(small, 300)
    page = opened(small, contexts)
    page.locator(f"a.photo[data-photo={ids[0]}]").focus()

    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUS) == ids[1]
    passed = [ids[1]]
    for _ in range(12):
        above = page.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(120)
        box = page.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
        passed.append(page.evaluate(FOCUS))
        assert box["bottom"] <= WIDE[1]
        assert box["left"] < above["right"] + 200
    assert [ids.index(one) for one in passed] == sorted({ids.index(one) for one in passed})
    for _ in range(13):
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(120)
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") > 60
    assert ids.index(page.evaluate(FOCUS)) < 7
    page.keyboard.press("Home")
    expect(page.locator(f"a.photo[data-photo={ids[0]}]")).to_be_focused()


def test_the_slider_goes_by_months_and_years(small: World, contexts: Contexts) -> None:
    """It says which month it is at; keys go on by one, by a year, and to both ends; dragging goes anywhere."""
    photos(small, 4000)
    page = opened(small, contexts)
    slider = page.get_by_role("slider", name="Month")

    slider.focus()
    down = [("ArrowDown", "April 2024"), ("ArrowUp", "May 2024"), ("PageDown", "December 2023")]
    for key, month in [*down, ("End", "October 2022"), ("Home", "May 2024")]:
        page.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuetext", month)
    box = page.locator("[data-scrubber]").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] * 0.6, steps=5)
    page.mouse.up()
    expect(slider).to_have_attribute("aria-valuetext", re.compile("(May|June|July) 2023"))


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_the_script_draws_photos_where_the_server_did(small: World, contexts: Contexts, size: tuple[int, int]) -> None:
    """Nothing jumps when it takes over."""
    photos(small, 300)
    places = []
    for scripts in (False, True):
        page = contexts(site_of(small), size=size, java_script_enabled=scripts).new_page()
        page.goto("/")
        page.wait_for_selector(".timeline-canvas a.photo" if scripts else "a.photo")
        tiles = page.locator("a.photo")
        places.append([tiles.nth(number).bounding_box() for number in range(12)])

    for drawn, taken in zip(*places, strict=True):
        assert drawn
        assert taken
        for side in ("x", "y", "width", "height"):
            assert abs(drawn[side] - taken[side]) < 24


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_it_reads_well(small: World, contexts: Contexts, size: tuple[int, int]) -> None:
    """Light and dark, with photos and without any."""
    photos(small, 200, has_raw=True, has_live=True, caption="A <b>cat</b>")
    for path in ("/", "/?missing=true", "/?tag=nothing"):
        page = contexts(site_of(small), size=size).new_page()
        page.goto(path)
        page.wait_for_timeout(500)
        for look in ("light", "dark"):
            dress(page, look)
            assert violations(page) == []
