"""From nothing to a first scan by the pages alone: the wizard, with and without scripts, by mouse and by keyboard."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from api.setup import Setup
from tests.api.world import PASSWORD, World
from tests.browser.axe import dress, violations
from tests.browser.conftest import PHONE, site_of
from tests.browser.watch import Watch

Contexts = Callable[..., BrowserContext]


def code_of(world: World) -> str:
    """What `brightroom up` shows."""
    return Setup(world.settings, world.system).code()


def filled(page: Page, code: str, again: str = PASSWORD) -> None:
    """Fill the form of the first step in, and send it."""
    page.get_by_label("Set-up code").fill(code)
    page.get_by_label("Your name").fill("Ada <b>")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(again)
    page.get_by_role("button", name="Create the administrator").click()


def first_scan(world: World, page: Page) -> None:
    """Everything from the first page to a scan that was asked for."""
    photos = world.root / "family photos"
    (photos / "2024").mkdir(parents=True)
    page.goto("/")
    expect(page).to_have_url(f"{world.http.url}/setup")
    filled(page, "AAAA-BBBB-CCCC")
    expect(page.get_by_role("alert")).to_contain_text("code")
    filled(page, code_of(world), "something else")
    expect(page.get_by_role("alert")).to_contain_text("not the same")
    filled(page, code_of(world))

    expect(page).to_have_url(f"{world.http.url}/welcome")
    page.get_by_label("Or type the path").fill(str(world.root))
    page.get_by_role("button", name="Open").click()
    page.get_by_role("link", name="family photos").click()
    page.get_by_role("button", name="Use this folder").click()
    expect(page.get_by_role("heading", name="Ready for the first scan")).to_be_visible()
    page.get_by_role("button", name="Start the first scan").click()
    expect(page).to_have_url(f"{world.http.url}/")

    (ada,) = world.system.users.list()
    assert (ada.name, ada.admin, ada.scan_directory) == ("Ada <b>", True, str(photos))
    assert [job.action for job in world.system.jobs.list(ada.user_id, 5)] == ["scan"]


def test_a_newcomer_gets_from_the_first_page_to_the_first_scan(empty: World, contexts: Contexts, watch: Watch) -> None:
    """Through a wrong code, passwords that differ, and the server's folders."""
    watch.forgive("status of 40[03]")  # of the two forms that were wrong

    first_scan(empty, contexts(site_of(empty), "").new_page())


def test_a_newcomer_without_scripts_gets_as_far(empty: World, contexts: Contexts, watch: Watch) -> None:
    """On a phone, too."""
    watch.forgive("status of 40[03]")

    first_scan(empty, contexts(site_of(empty), "", size=PHONE, java_script_enabled=False).new_page())


def test_the_wizard_reads_well(empty: World, contexts: Contexts) -> None:
    """Light and dark, wide and on a phone, before and after the first step."""
    for size in (PHONE, (1440, 900)):
        page = contexts(site_of(empty), "", size=size).new_page()
        page.goto("/setup" if size == PHONE else "/login")
        for look in ("light", "dark"):
            dress(page, look)
            assert violations(page) == []


def test_the_wizard_works_by_keyboard_alone(empty: World, contexts: Contexts) -> None:
    """Each field after the other, and Return at the end."""
    page = contexts(site_of(empty), "").new_page()
    page.goto("/setup")
    page.get_by_label("Set-up code").focus()
    for text in (code_of(empty), "ada", PASSWORD, PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Create the administrator")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{empty.http.url}/welcome")
