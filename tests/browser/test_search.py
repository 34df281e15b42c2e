"""Searching in a browser: suggestions become chips, the address is all of a search, and pictures are dropped."""

import re
from collections.abc import Callable

import pytest
import simplejpeg
import skimage.data
from playwright.sync_api import BrowserContext, Page, expect

from tests.api.world import World
from tests.browser.conftest import PHONE, WIDE, site_of
from tests.browser.stock import stocked
from tests.browser.watch import Watch

Contexts = Callable[..., BrowserContext]
BOX = ".top .find input[name=q]"
CHOSEN = "#find-list [aria-selected=true]"
CAT = simplejpeg.encode_jpeg(skimage.data.chelsea(), quality=85)
DROP = """([bytes, name]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
  for (const kind of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
  }
}"""
HOSTILE = "<img src=x onerror=alert(1)>.jpg"


@pytest.fixture
def page(small: World, contexts: Contexts) -> Page:
    """A page of ada's, who has a library."""
    stocked(small, "ada", 12)
    return contexts(site_of(small), reduced_motion="reduce").new_page()


def suggested(page: Page, text: str, what: str) -> None:
    """Type, wait until something is suggested, and go down to it."""
    page.locator(BOX).press_sequentially(text, delay=10)
    expect(page.locator("#find-list li", has_text=what).first).to_be_visible()
    for _ in range(12):
        page.keyboard.press("ArrowDown")
        if what in page.locator(CHOSEN).inner_text():
            return
    pytest.fail(f"{what} cannot be reached")


@pytest.mark.parametrize("start", ["/library", "/search", "/people"])
def test_a_suggestion_becomes_a_chip_and_the_rest_stays_text(page: Page, start: str) -> None:
    """From any page, by keyboard; Backspace takes the chip out, and the way back leads to it again."""
    page.goto(start)
    page.focus(BOX)
    suggested(page, "sunny day kim", "Kim of ada")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/search\?q=sunny\+day&person="))
    expect(page.locator(".find-chips li")).to_have_count(1)
    expect(page.locator(".find-chips svg.face")).to_be_visible()
    expect(page.locator(BOX)).to_have_value("sunny day")
    expect(page.locator(BOX)).to_be_focused()
    expect(page.locator(".found a.photo")).to_have_count(2)

    page.keyboard.press("Home")
    page.keyboard.press("Backspace")
    expect(page.locator(".find-chips")).to_have_count(0)
    page.go_back()
    expect(page.locator(".find-chips li")).to_have_count(1)


def test_enter_searches_for_the_text_and_escape_closes_the_list(page: Page) -> None:
    """Nothing is chosen until somebody chooses."""
    page.goto("/library")
    page.locator(BOX).press_sequentially("oslo", delay=10)
    expect(page.locator("#find-list li").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#find-list")).to_be_hidden()
    page.keyboard.press("Enter")

    page.wait_for_url("**/search?q=oslo")
    expect(page.locator("h1")).to_have_text("“oslo”")


def test_a_place_is_a_timeline_and_a_click_chooses(page: Page) -> None:
    """Another place takes its place; an event is gone to."""
    page.goto("/library")
    page.locator(BOX).press_sequentially("oslo", delay=10)
    page.click("#find-list li:has-text('Place')")
    page.wait_for_url("**/search?place=Oslo")
    expect(page.locator("[data-timeline] a.photo")).to_have_count(4)

    page.locator(BOX).press_sequentially("rom", delay=10)
    page.click("#find-list li:has-text('Place')")
    page.wait_for_url("**/search?place=Rome")

    page.locator(BOX).press_sequentially("in rome", delay=10)
    page.click("#find-list li:has-text('Event')")
    page.wait_for_url("**/events/*")


def test_a_photo_of_a_search_leads_back_to_it(page: Page) -> None:
    """With all its chips."""
    page.goto("/search?place=Oslo")
    page.locator("[data-timeline] a.photo").first.click()
    page.wait_for_url("**/photos/*place=Oslo")
    page.click("[data-back]")

    page.wait_for_url(re.compile(r"/search\?(q=&)?place=Oslo$"))


def test_recent_searches_are_offered_until_they_are_forgotten(page: Page) -> None:
    """In the box, and on the page without a search."""
    page.goto("/search?q=harbour")
    page.goto("/search")
    expect(page.locator("[data-recent-list] a")).to_have_text("“harbour”")
    page.focus(BOX)
    expect(page.locator("#find-list [role=option]")).to_have_text("“harbour”")
    page.keyboard.press("Escape")
    page.click("[data-forget]")
    expect(page.locator("[data-recent]")).to_be_hidden()
    page.reload()
    expect(page.locator("[data-recent]")).to_be_hidden()


@pytest.mark.parametrize("path", ["/search", "/search?place=Oslo", "/search/image"])
def test_a_picture_that_is_dropped_is_searched_for(page: Page, path: str) -> None:
    """It is shown, its name is text, and what is found is among the chips; one comes back from it."""
    page.goto(path)
    page.evaluate(DROP, [list(CAT), HOSTILE])

    expect(page.locator("[data-picture-found] a.photo")).to_have_count(4 if "place" in path else 12)
    expect(page.locator(".picture-shown img")).to_have_attribute("src", re.compile("^blob:"))
    expect(page.locator(".picture-shown .name")).to_have_text(HOSTILE)
    page.locator(".picture-shown .plain").click()
    expect(page.locator("[data-picture-found] a.photo")).to_have_count(0)


def test_what_is_no_picture_says_so(page: Page, watch: Watch) -> None:
    """Before it is sent, where that can be told, and else what the API says."""
    watch.forgive("400 \\(Bad Request\\)", "status of 400")
    page.goto("/search/image")
    file = page.locator("input[type=file]")
    file.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"})
    expect(page.locator(".picture-shown [role=alert]")).to_contain_text("That is no picture")
    file.set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"words"})
    expect(page.locator(".picture-shown [role=alert]")).not_to_contain_text("That is no picture")


def test_more_comes_as_one_scrolls(small: World, contexts: Contexts) -> None:
    """Each photo once, until there are no more."""
    for number in range(150):
        small.photo("ada", f"{number}.jpg", search_text="dune", width=64, height=48)
    page = contexts(site_of(small), size=WIDE).new_page()
    page.goto("/search?q=dune")

    for _ in range(20):
        page.mouse.wheel(0, 5000)
        if page.locator(".found a.photo").count() == 150:
            break
        page.wait_for_timeout(200)
    expect(page.locator(".found a.photo")).to_have_count(150)
    expect(page.locator("[data-more]")).to_have_count(0)
    ids = page.locator(".found a.photo").evaluate_all("all => all.map((one) => one.dataset.photo)")
    assert len(set(ids)) == 150


def test_the_box_and_its_list_fit_a_phone(small: World, contexts: Contexts) -> None:
    """Nothing is wider than the screen, with long names too."""
    stocked(small, "ada", 12)
    small.photo("ada", "x.jpg", place="Llanfairpwllgwyngyllgogerychwyrndrobwll" * 4, search_text="x")
    page = contexts(site_of(small), size=PHONE).new_page()
    for path in ("/search", "/search?place=Llanfair&q=x&kind=image&date_from=2024-01-01", "/search?q=x&place=nowhere"):
        page.goto(path)
        page.click(BOX)
        page.keyboard.type(" llan")
        expect(page.locator("#find-list li", has_text="Llanfair").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        box = page.locator("#find-list").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
