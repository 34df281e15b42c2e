"""What people and cameras write is shown as text on every page, however it looks; long texts stay in their places."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.api.world import NOON, World
from tests.browser.conftest import PHONE, site_of
from tests.browser.measure import beyond
from tests.browser.site import Site
from tests.browser.stock import drawn
from tests.browser.watch import Watch

Contexts = Callable[..., BrowserContext]
NAMES = (
    "<img src=x onerror=alert(1)>.jpg", "\"><script>alert(1)<script>.jpg", "{{ 7*7 }}${7*7}.jpg",
    "\u202egpj.elif-xof.jpg", "שלום עולם.jpg", "javascript:alert(1).jpg", "a" * 240 + ".jpg",
    "👩\u200d👩\u200d👧\u200d👦 &amp; <b>.jpg", "%2e%2e%2f' --.jpg", "</title><svg onload=alert(1)>.jpg",
)  # fmt: skip
CAPTION = "<svg onload=alert(1)> שלום " + "W" * 1500 + " a word and " * 200
MARKUP = "document.querySelectorAll('main [onerror], main [onload], main script, main b').length"
PAGES = (
    "/",
    "/photos/{photo}",
    "/photos/{photo}/similar",
    "/search?q=<img src=x onerror=alert(1)>",
    "/library",
    "/trash",
)


def stocked(world: World) -> Site:
    """A library of hostile names."""
    for number, name in enumerate(NAMES):
        world.photo(
            "ada", name.replace("/", "_"), f"{number}".encode(), caption=CAPTION[:4000], tags=["<b>b</b>", "x" * 300],
            place="<img src=x onerror=alert(1)>", taken_at=NOON,
        )  # fmt: skip
    drawn(world, "ada")
    return site_of(world)


@pytest.mark.parametrize("size", [PHONE, (1440, 900)])
def test_names_captions_and_tags_are_text_and_stay_in_their_places(
    small: World, contexts: Contexts, watch: Watch, size: tuple[int, int]
) -> None:
    """Nothing runs, nothing is drawn of them but letters, no page becomes wider than its window."""
    site = stocked(small)
    watch.forgive("status of 503")  # no services are here
    page = contexts(site, size=size).new_page()
    page.on("dialog", lambda dialog: watch.mishaps.append(f"a dialog: {dialog.message}"))
    photos = site.get("/api/photos")["photos"]
    for path in dict.fromkeys(path.format(photo=one["photo_id"]) for path in PAGES for one in photos):
        page.goto(path)
        page.wait_for_timeout(150)
        assert page.evaluate(MARKUP) == 0, path
        assert beyond(page) == [], path


def test_a_users_name_is_text(small: World, contexts: Contexts) -> None:
    """In the menu, and wherever administrators see it."""
    small.user("<img src=x onerror=alert(1)>")
    page = contexts(site_of(small), "<img src=x onerror=alert(1)>").new_page()
    page.goto("/account")
    page.locator("[data-menu] summary").click()

    assert page.locator(".menu-name").inner_text() == "<img src=x onerror=alert(1)>"
    assert page.evaluate(MARKUP) == 0
