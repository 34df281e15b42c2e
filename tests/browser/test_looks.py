"""Every page in every size, light and dark: nothing to say for axe, no scrolling sideways, and a picture of each."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.axe import dress, violations
from tests.browser.conftest import PHONE, TABLET, WIDE, Visit
from tests.browser.measure import beyond
from tests.browser.places import PLACES, Place
from tests.browser.site import Site
from tests.browser.watch import Watch
from tests.conftest import REPOSITORY

PICTURES = REPOSITORY / "build" / "screenshots"
SIZES = {"phone": PHONE, "tablet": TABLET, "wide": WIDE}
NARROWEST = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def ids(site: Site) -> dict[str, str]:
    """What pages are about."""
    return site.ids()


def pictured(page: Page, name: str, size: str) -> None:
    """Keep a picture of a page, light and dark."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    for look in ("dark", "light"):
        dress(page, look)
        page.screenshot(path=PICTURES / f"{name}-{size}-{look}.png")


def anew(page: Page, place: Place) -> list[str]:
    """What is hard to read on a page that is loaded again: Chromium, told to be dark, may leave a colour behind."""
    page.reload()
    page.locator(place.sees).first.wait_for()
    return violations(page, "color-contrast")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_page_reads_well_in_every_size_light_and_dark(
    visit: Visit, watch: Watch, ids: dict[str, str], place: Place
) -> None:
    """For everybody: axe finds nothing, targets are large enough, and at 360 pixels nothing scrolls sideways."""
    if place.name == "fault":
        watch.forgive("status of 404")
    path = place.path.format(**ids)
    faults: dict[str, Any] = {}

    page = visit(path, place.user, size=WIDE)
    page.locator(place.sees).first.wait_for()
    faults["wide"] = violations(page)
    pictured(page, place.name, "tablet")
    pictured(page, place.name, "wide")
    dress(page, "dark")
    faults["wide and dark"] = violations(page, "color-contrast") and anew(page, place)
    phone = visit(path, place.user, size=PHONE, has_touch=True)
    phone.locator(place.sees).first.wait_for()
    pictured(phone, place.name, "phone")
    faults["phone"] = violations(phone)
    dress(phone, "dark")
    faults["phone and dark"] = violations(phone, "color-contrast") and anew(phone, place)
    phone.set_viewport_size(NARROWEST)
    faults["sideways"] = beyond(phone)

    assert {where: found for where, found in faults.items() if found} == {}
