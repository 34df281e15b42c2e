"""The Library page over a Brightroom that works: a scan watched to its end, actions with their plans and their undo."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.pixels import picture
from tests.browser.site import Site

SCAN_MS = 120_000
FEW = 3


@pytest.fixture
def photos(site: Site) -> Path:
    """The folder of ben's photos, where they are few."""
    folder = Path(site.get("/api/auth/me", "ben")["scan_directory"])
    for number in range(FEW):
        data = picture(".jpg") + bytes([number])  # what follows the picture makes another file of it
        (folder / f"few <b>{number}.jpg").write_bytes(data)
    return folder


def card(page: Page, action: str) -> Any:
    """The card of the last job of an action."""
    return page.locator(f"[data-job][data-action='{action}']").first


def done(page: Page, action: str) -> None:
    """Wait until the last job of an action is done, as the page says."""
    expect(card(page, action)).to_have_attribute("data-state", "done", timeout=SCAN_MS)


def test_a_scan_is_watched_to_its_end_and_what_it_missed_is_deleted_and_brought_back(
    site: Site, visit: Visit, photos: Path
) -> None:
    """Without loading the page again: stages with bars, figures that grow, a plan before, an undo after."""
    page = visit("/library", "ben")
    page.locator("form button[data-action=scan]").first.click()
    expect(page.locator("[data-live-jobs] [data-action=scan]")).to_be_visible()
    expect(page.locator("[data-running]")).to_be_visible()
    expect(page.locator("[data-live-jobs] progress").first).to_be_visible(timeout=SCAN_MS)
    done(page, "scan")
    expect(page.locator("[data-stat=photos]")).to_have_text(str(FEW), timeout=10_000)
    expect(page.locator("[data-running]")).to_be_hidden()

    for file in photos.glob("few*"):
        file.unlink()
    page.locator("form button[data-action=scan]").first.click()
    expect(page.locator("[data-live-jobs] [data-action=scan]")).to_be_visible()
    done(page, "scan")
    page.locator("a[data-plan=delete-missing]").click()
    plan = page.get_by_role("dialog")
    expect(plan).to_contain_text("few <b>0.jpg")
    assert site.get("/api/library/stats", "ben")["photos"] + site.get("/api/library/stats", "ben")["missing"] >= FEW
    plan.locator("button.danger, button.primary").last.click()
    done(page, "delete-missing")

    undo = card(page, "delete-missing").get_by_role("button", name=re.compile("^Undo"))
    undo.click()
    expect(page.get_by_text("It is taken back.")).to_be_visible()
    assert site.get("/api/trash", "ben")["photos"] == []


@pytest.mark.parametrize("action", ["train-faces", "generate-events"])
def test_an_action_is_looked_at_then_done(visit: Visit, action: str) -> None:
    """What it would do is shown before; the job is shown until it is done."""
    page = visit("/library")
    page.locator(f"a[data-plan='{action}']").click()
    plan = page.get_by_role("dialog")
    expect(plan).to_be_visible()
    assert page.locator(f"[data-live-jobs] [data-action='{action}']").count() == 0
    plan.locator("button.primary").click()

    done(page, action)


def test_a_job_is_read_about(visit: Visit) -> None:
    """Its stages, what it changed, and each file that failed with the reason."""
    page = visit("/library")
    page.locator("[data-action=scan] h3 a").last.click()
    page.wait_for_url("**/jobs/*")

    expect(page.locator("main progress").first).to_be_visible()
    expect(page.locator("main .errors tbody tr, main .errors li").first).to_be_visible()


def test_a_newcomer_names_somebody_and_finds_a_photo(site: Site, visit: Visit) -> None:
    """From faces that nobody named, or from a person, to a hit of a search; the name is taken back afterwards."""
    page = visit("/people?show=unknown")
    form = page.locator(".cluster form.name-form").first
    if form.count():
        form.locator("input[name=name]").fill("Newcomer's Friend")
        form.locator("button.primary").click()
    else:
        page.goto(f"/people/{site.ids()['person']}")
        page.locator("[data-title] button").click()
        page.keyboard.type("Newcomer's Friend")
        page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo").first).to_be_visible()

    page.goto("/people")
    page.get_by_role("link", name="Newcomer's Friend").first.click()
    expect(page.locator("h1")).to_have_text("Newcomer's Friend")
    expect(page.locator("main a[href^='/photos/'] img").first).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("a cat")
    page.locator("dialog.spotlight li", has_text="Search photos for").click()
    page.wait_for_url("**/search?q=a*cat*")
    hit = page.locator("main a[href^='/photos/']").first
    expect(hit).to_be_visible(timeout=30_000)
    hit.click()
    page.wait_for_url("**/photos/*")
    with site.api() as api:
        act = api.get("/api/people/acts", params={"limit": 1}).json()["acts"][0]["act_id"]
        assert api.post(f"/api/people/acts/{act}/undo").status_code == 200


def test_photos_load_and_are_shown(visit: Visit) -> None:
    """Each picture in sight has come, and has a size of its own."""
    page = visit("/")
    expect(page.locator("main a[href^='/photos/'] img").first).to_be_visible()
    page.wait_for_timeout(1500)
    broken = page.locator("main img").evaluate_all(
        "all => all.filter(one => one.complete && one.src && !one.naturalWidth).map(one => one.src)"
    )
    assert broken == []
