"""Without scripts: everything can be read, and the main actions work, by links and forms alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.api.world import PASSWORD, World
from tests.browser.conftest import site_of
from tests.browser.stock import stocked
from tests.browser.watch import Watch

Contexts = Callable[..., BrowserContext]


@pytest.fixture
def page(small: World, contexts: Contexts) -> Page:
    """A browser that runs no scripts, of ada, who has a library."""
    stocked(small, "ada", 12)
    return contexts(site_of(small), java_script_enabled=False).new_page()


def test_somebody_logs_in_and_out(small: World, contexts: Contexts, watch: Watch) -> None:
    """And comes back to where they wanted to go."""
    watch.forgive("status of 401")
    page = contexts(site_of(small), "", java_script_enabled=False).new_page()
    page.goto("/people?show=unknown")
    for password in ("not this one", PASSWORD):
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{small.http.url}/people?show=unknown")

    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="Log out").click()

    expect(page).to_have_url(f"{small.http.url}/login")


def test_photos_are_seen_opened_and_paged(page: Page) -> None:
    """With their details; the next one is a link away."""
    page.goto("/")
    assert page.locator("main a[href^='/photos/'] img").count() == 12
    page.locator("main a[href^='/photos/']").first.click()
    expect(page.locator("main img").first).to_be_visible()
    expect(page.get_by_text("A day of ada in Oslo").first).to_be_visible()
    address = page.url
    page.locator("a[rel=next]").first.click()
    assert page.url != address


def test_photos_are_found(page: Page) -> None:
    """By the one box at the top of every page."""
    page.goto("/library")
    page.locator(".top input[name=q]").fill("ada in Rome")
    page.keyboard.press("Enter")

    expect(page.locator("main a[href^='/photos/']").first).to_be_visible()


def test_a_scan_is_started_paused_and_cancelled(small: World, page: Page) -> None:
    """Each by its button, with a word on what came of it."""
    page.goto("/library")
    page.locator("button[data-action=scan]").first.click()
    expect(page.get_by_role("status").first).to_contain_text("started")
    (job,) = small.system.jobs.list(small.users["ada"].user_id, 5)
    assert job.action == "scan"
    card = page.locator(f"[data-job='{job.job_id}']")
    card.get_by_role("button", name="Cancel").click()

    assert small.system.jobs.get(job.job_id).wanted in ("cancel", "run")
    expect(page.locator(f"[data-job='{job.job_id}']")).to_be_visible()


def test_an_action_is_looked_at_first(page: Page) -> None:
    """Its dry run is a page of its own."""
    page.goto("/library")
    page.locator("a[href='/library/delete-missing']").first.click()
    expect(page.locator("h1")).to_contain_text("Delete missing photos")


def test_somebody_is_named(page: Page) -> None:
    """By the row of faces that nobody has named."""
    page.goto("/people?show=unknown")
    row = page.locator(".cluster").first
    row.locator("input[name=name]").fill("Lou <b>")
    row.locator("button.primary").click()

    page.goto("/people")
    expect(page.get_by_role("link", name="Lou <b>").first).to_be_visible()


def test_an_event_is_renamed(page: Page) -> None:
    """And keeps its title."""
    page.goto("/events")
    page.locator("main a[href^='/events/']").first.click()
    page.locator("details.drop summary").first.click()
    page.locator("#rename input[name=title]").fill("The long way home")
    page.locator("#rename button").click()

    expect(page.locator("h1")).to_have_text("The long way home")


def test_photos_come_back_from_the_trash(page: Page) -> None:
    """All of them."""
    page.goto("/trash")
    assert page.locator(".trashed li").count() == 2
    page.locator("#all button").click()

    expect(page.locator(".trashed li")).to_have_count(0)


def test_a_password_is_changed(page: Page) -> None:
    """With a word on it."""
    page.goto("/account")
    page.get_by_label("Your password now").fill(PASSWORD)
    page.get_by_label("New password").fill("a better sentence than that")
    page.get_by_role("button", name="Change the password").click()

    expect(page.get_by_role("status").first).to_contain_text("password is changed")


def test_an_administrator_makes_a_user(page: Page) -> None:
    """Who may log in then."""
    page.goto("/admin/users")
    page.locator("main a[href='/admin/users/new']").click()
    page.get_by_label("Name", exact=True).fill("cleo")
    page.locator("main [name=choice][value=typed]").check()
    for field in page.locator("main input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main form button[type=submit]").click()

    page.goto("/admin/users")
    expect(page.get_by_text("cleo").first).to_be_visible()
