"""By keyboard alone: from the skip link to every action; dialogs hold the focus and give it back; all of it is seen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.api.world import World
from tests.browser.conftest import PHONE, site_of
from tests.browser.stock import stocked

Contexts = Callable[..., BrowserContext]
HERE = "document.activeElement"
SHOWN = """() => {
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const marks = (at) => at && (at.outlineStyle !== "none" || at.boxShadow !== "none");
  const around = [one, one.parentElement, one.nextElementSibling].map((at) => at && getComputedStyle(at));
  const marked = around.some(marks) || one.matches("main, body");
  return [box.width > 0 && inside, marked, one.outerHTML.slice(0, 120)];
}"""
MOST = 60


@pytest.fixture
def page(small: World, contexts: Contexts) -> Page:
    """A page of ada's, who has a library."""
    stocked(small, "ada", 12)
    return contexts(site_of(small), reduced_motion="reduce").new_page()


@pytest.mark.parametrize("path", ["/", "/library", "/people", "/people?show=unknown", "/events", "/trash", "/account"])
def test_whatever_has_the_focus_is_seen_to_have_it(page: Page, path: str) -> None:
    """From the skip link on, in the order of the page."""
    page.goto(path)
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    unseen = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if page.evaluate(f"{HERE} === document.body"):
            break
        visible, marked, what = page.evaluate(SHOWN)
        if not (visible and marked):
            unseen.append(what)

    assert unseen == []


def test_the_skip_link_leads_past_the_navigation(page: Page) -> None:
    """The next stop is on the page itself."""
    page.goto("/library")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate(f"document.querySelector('main').contains({HERE})")


def test_the_menu_opens_and_closes_and_keeps_the_focus(page: Page) -> None:
    """Escape gives it back to where it came from."""
    page.goto("/library")
    page.locator("[data-menu] summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(f"document.querySelector('.menu-body').contains({HERE})")
    page.keyboard.press("Escape")

    expect(page.locator("[data-menu] summary")).to_be_focused()
    assert page.locator("[data-menu]").get_attribute("open") is None


@pytest.mark.parametrize("keys", ["Control+k", "Meta+k", "/"])
def test_the_spotlight_opens_by_its_keys_and_gives_the_focus_back(page: Page, keys: str) -> None:
    """What is typed is found, arrows choose, Return goes there."""
    page.goto("/library")
    page.locator("main a").first.focus()
    page.keyboard.press(keys)
    expect(page.locator("dialog.spotlight input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.spotlight")).to_have_count(0)
    expect(page.locator("main a").first).to_be_focused()

    page.keyboard.press(keys)
    page.keyboard.type("trash")
    expect(page.locator("dialog.spotlight [aria-selected=true]")).to_contain_text("Trash")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{page.url.rpartition('/')[0]}/trash")


def test_the_spotlight_finds_people_and_searches(page: Page) -> None:
    """People by name; anything else is searched for."""
    page.goto("/library")
    page.keyboard.press("Control+k")
    page.keyboard.type("Kim")
    expect(page.locator("dialog.spotlight li", has_text="Kim of ada").first).to_be_visible()
    for _ in range(12):
        page.keyboard.press("ArrowDown")
        if "Search photos for" in page.locator("dialog.spotlight [aria-selected=true]").inner_text():
            break
    page.keyboard.press("Enter")

    page.wait_for_url("**/search?*Kim*")


def test_a_dialog_holds_the_focus_closes_on_escape_and_gives_it_back(page: Page) -> None:
    """As with what an action would do."""
    page.goto("/library")
    opener = page.locator("a[data-plan='generate-events']")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(f"{HERE} === document.body || document.querySelector('dialog').contains({HERE})")
    page.keyboard.press("Escape")

    expect(page.locator("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_dialog_has_a_name_and_a_button_that_closes_it(page: Page) -> None:
    """And clicking beside it closes it too, without doing anything."""
    page.goto("/library")
    for close in ("button", "beside"):
        page.locator("a[data-plan='generate-events']").click()
        made = page.get_by_role("dialog")
        expect(made).to_have_accessible_name("Generate events: what it would do")
        made.get_by_role("button", name="Close").click() if close == "button" else page.mouse.click(5, 5)
        expect(page.locator("dialog")).to_have_count(0)
    assert page.locator("[data-live-jobs] [data-job]").count() == 0


def test_an_action_is_done_from_its_dialog_by_keyboard(small: World, page: Page) -> None:
    """The button that does it has the focus."""
    page.goto("/library")
    page.locator("a[data-plan='generate-events']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog button.primary")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("[data-live-jobs] [data-action='generate-events']")).to_be_visible()
    assert [job.action for job in small.system.jobs.list(small.users["ada"].user_id, 5)] == ["generate-events"]


def test_photos_are_walked_by_arrows_and_opened_by_return(page: Page) -> None:
    """And Escape leads from a photo back to it."""
    page.goto("/")
    page.wait_for_timeout(1000)  # until scripts have laid the photos out
    page.locator("main a[href^='/photos/']").first.focus()
    first = page.evaluate(f"{HERE}.getAttribute('href')")
    page.keyboard.press("ArrowRight")
    second = page.evaluate(f"{HERE}.getAttribute('href')")
    assert second != first
    page.keyboard.press("Enter")
    page.wait_for_url("**/photos/*")
    shown = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => location.href !== before", arg=shown)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(shown)
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "/photos/" not in url)


def test_on_a_phone_the_navigation_is_at_hand(small: World, contexts: Contexts) -> None:
    """All of it, without opening anything, and in reach of a thumb."""
    page = contexts(site_of(small), size=PHONE, has_touch=True).new_page()
    page.goto("/library")
    for name in ("Photos", "People", "Events", "Library"):
        box = page.locator(".side nav").get_by_role("link", name=name, exact=True).bounding_box()
        assert box
        assert box["y"] > PHONE[1] * 0.8
        assert min(box["width"], box["height"]) >= 24


def test_calm_is_kept_where_it_is_asked_for(page: Page) -> None:
    """Nothing turns, slides or fades for longer than an instant."""
    for path in ("/", "/library", "/people", "/events"):
        page.goto(path)
        moving = page.evaluate(
            "() => document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 20).length"
        )
        assert moving == 0, path
