"""Two users of one Brightroom never see each other's photos, people, events, jobs or trash, nor what one may not."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.api.world import World
from tests.browser.conftest import site_of
from tests.browser.stock import stocked
from tests.browser.watch import Watch

Contexts = Callable[..., BrowserContext]
LISTS = ("/", "/people", "/people?show=unknown", "/events", "/trash", "/library", "/search?q=in+Oslo", "/people/acts")


def seen(page: Page) -> set[str]:
    """The ids of all photos whose pictures are on a page."""
    sources = page.locator("img[src*='/api/photos/']").evaluate_all("all => all.map(one => one.getAttribute('src'))")
    return {str(source).split("/")[3] for source in sources}


def test_each_sees_their_own_only(small: World, contexts: Contexts, watch: Watch) -> None:
    """On every list there is, and by any address that the other knows."""
    ids = {name: stocked(small, name, 12) for name in ("ada", "ben")}
    small.deps.jobs.start(small.users["ada"].user_id, "scan", {})
    watch.forgive("status of 404", "status of 503")
    site = site_of(small)
    for me, other in (("ada", "ben"), ("ben", "ada")):
        theirs, page = site.ids(other), contexts(site, me).new_page()
        shown: set[str] = set()
        for path in LISTS:
            page.goto(path)
            page.wait_for_timeout(400)
            shown |= seen(page)
            assert not seen(page) & set(ids[other]), path
            assert f"of {other}" not in page.locator("main").inner_text(), path
        assert shown & set(ids[me])
        for path in (f"/photos/{theirs['photo']}", f"/people/{theirs['person']}", f"/events/{theirs['event']}"):
            answer = page.goto(path)
            assert answer
            assert answer.status == 404, path


def test_who_is_no_administrator_sees_no_administration(small: World, contexts: Contexts, watch: Watch) -> None:
    """No link to it, no page of it, nothing of it in the search for anything."""
    watch.forgive("status of 403")
    page = contexts(site_of(small), "ben").new_page()
    page.goto("/library")
    assert page.locator("a[href^='/admin']").count() == 0
    page.keyboard.press("Control+k")
    page.locator("dialog.spotlight input").fill("users")
    page.wait_for_timeout(300)
    assert page.locator("dialog.spotlight li", has_text="Page").count() == 0

    for path in ("/admin", "/admin/users", "/admin/logs", "/admin/settings", "/admin/cluster", "/admin/jobs"):
        answer = page.goto(path)
        assert answer
        assert answer.status == 403, path


def test_what_one_does_appears_on_no_page_of_the_other(small: World, contexts: Contexts) -> None:
    """Jobs that start are told to their owner alone."""
    pages = {name: contexts(site_of(small), name).new_page() for name in ("ada", "ben")}
    for page in pages.values():
        page.goto("/library")

    job = small.deps.jobs.start(small.users["ben"].user_id, "scan", {}).job_id

    expect(pages["ben"].locator(f"[data-job='{job}']")).to_be_visible()
    expect(pages["ada"].locator(f"[data-job='{job}']")).to_have_count(0)
    expect(pages["ada"].locator("[data-running]")).to_be_hidden()


def test_whoever_logs_in_next_in_a_tab_finds_nothing_of_the_one_before(small: World, contexts: Contexts) -> None:
    """Where somebody was and what they found is kept for one tab, until they log out of it."""
    (photo, *_) = stocked(small, "ada", 2)
    page = contexts(site_of(small), "ada").new_page()
    page.goto("/search?place=Oslo")
    page.goto(f"/photos/{photo}", referer=page.url)
    assert page.evaluate("sessionStorage.length") > 0

    page.goto("/account")
    page.locator("[data-menu] summary").click()
    page.locator("form[action='/logout'] button").click()
    page.wait_for_url("**/login")

    assert page.evaluate("sessionStorage.length") == 0
