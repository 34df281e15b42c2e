"""The administration in a browser: plots that can be read by keys, a stop that asks first, logs that grow, users."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from cluster.logs import logs_dir
from tests.api.standins import two_nodes
from tests.api.world import World
from tests.browser.conftest import site_of

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def page(small: World, contexts: Callable[..., BrowserContext]) -> Page:
    """An administrator's page."""
    return contexts(site_of(small)).new_page()


def measured(world: World) -> None:
    """Most of an hour of measurements, some of which failed."""
    assert world.app
    history = world.app.state.history
    clock, history._clock = history._clock, world.clock
    history._points.clear()  # what was measured since the start
    world.clock.now = datetime.now(UTC) - timedelta(minutes=50)
    for place in range(500):
        world.clock.advance(seconds=5)
        history.add(None if 200 < place < 300 else two_nodes())
    world.clock.now, history._clock = datetime.now(UTC), clock


def test_plots_tell_their_values_by_keys_and_as_a_table(small: World, page: Page) -> None:
    """A line breaks where nobody measured; each image has a text instead of it."""
    measured(small)
    page.goto("/admin/cluster")
    use = page.locator("figure.plot", has_text="GPU use").first

    expect(page.locator("figure.plot")).to_have_count(4)
    expect(use.locator("svg[role=img]")).to_have_attribute("aria-label", re.compile("GPU 0: 25 % now, 25 % to 25 %"))
    assert (use.locator(".lines path").get_attribute("d") or "").count("M") >= 2
    use.locator("svg[role=img]").focus()
    page.keyboard.press("ArrowLeft")
    expect(use.locator("[aria-live]")).to_contain_text("GPU 0")
    use.get_by_text("Values as a table").click()
    expect(use.locator("tbody tr")).to_have_count(13)
    expect(use.locator("tbody")).to_contain_text("not measured")


def test_a_service_is_stopped_after_a_yes_and_started_again_by_undo(small: World, page: Page) -> None:
    """The question says what then does not work; no means no."""
    page.goto("/admin")
    page.get_by_role("link", name="Stop clip_embeddings").click()
    expect(page.get_by_role("dialog")).to_contain_text("Search by meaning will not answer")
    page.get_by_role("button", name="Cancel").click()
    assert small.models.down == set()

    page.get_by_role("link", name="Stop clip_embeddings").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    row = page.locator("[data-service=clip_embeddings]")
    expect(row).to_contain_text("stopped")
    expect(page.get_by_role("button", name="Start clip_embeddings")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("healthy")


def test_a_log_grows_while_it_is_looked_at(small: World, page: Page) -> None:
    """New lines come without asking, as text; searching hides the others."""
    file = logs_dir(small.settings.root) / "api.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    about = {"service": "api", "job": "", "node": "vm", "pid": 1, "logger": "api.test", "exception": ""}

    def wrote(message: str) -> None:
        told = {"at": datetime.now(UTC).isoformat(), "level": "WARNING", "message": message, **about}
        with file.open("a") as log:
            log.write(json.dumps(told) + "\n")

    wrote("before")
    page.goto("/admin/logs")
    expect(page.locator(".line")).to_have_count(1)
    page.wait_for_function("document.querySelector('[data-follow]').hidden === false")
    wrote(HOSTILE)
    expect(page.locator(".line")).to_have_count(2)
    expect(page.locator(".line").last).to_contain_text(HOSTILE)
    page.get_by_label("Search what is shown").fill("before")
    expect(page.locator(".line:visible")).to_have_count(1)


def test_a_user_is_made_and_disabled(small: World, page: Page) -> None:
    """The password is shown once; disabling asks first."""
    page.goto("/admin/users/new")
    page.get_by_label("Name", exact=True).fill("kim")
    page.get_by_role("button", name="Create the user").click()
    expect(page.locator("[data-password]")).to_have_text(re.compile(r"^[a-z0-9]{5}(-[a-z0-9]{5}){3}$"))

    page.get_by_role("link", name="Go on to kim").click()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("dialog")).to_contain_text("they cannot log in")
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(page.locator("main .badge", has_text="disabled")).to_be_visible()
    kim = next(user for user in small.system.users.list() if user.name == "kim")
    assert kim.disabled
