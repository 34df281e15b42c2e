"""Browsers for tests: the system's Chromium, watched; and a Brightroom whose pages they open, with a scanned library.

While pages are being made, BRIGHTROOM_SITE may name a Brightroom that runs (users `ada` and `ben` with the password of
tests); otherwise it is the one of the session. BRIGHTROOM_CHROMIUM names the browser where it is not on the PATH.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from api.http_server import serving
from api.passwords import Passwords
from api.up import Brightroom
from tests.api.world import PASSWORD, World, answering, build
from tests.browser.site import Site
from tests.browser.watch import Watch
from tests.conftest import Household
from tests.sample_library import write_sample_library

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ELSEWHERE = os.environ.get("BRIGHTROOM_SITE", "")
PHONE, TABLET, WIDE = (390, 844), (820, 1180), (1440, 900)
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of a file of tests; it ends with the file, as its loop is in the way of other tests."""
    path = next(filter(None, map(shutil.which, (os.environ.get("BRIGHTROOM_CHROMIUM", ""), *NAMES))), None)
    if path is None:
        reason = "no Chromium: tests/browser/install.sh installs one, BRIGHTROOM_CHROMIUM names one"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What went wrong on the pages of a test, which fails for it."""
    watching = Watch()
    yield watching
    assert watching.unforgiven == []


@pytest.fixture
def contexts(chromium: Browser, watch: Watch) -> Iterator[Callable[..., BrowserContext]]:
    """Opens contexts: browsers of their own, of a size and a colour scheme, with what a user's browser keeps."""
    opened: list[BrowserContext] = []

    def made(
        site: Site, user: str = "ada", size: tuple[int, int] = WIDE, dark: bool = False, **more: Any
    ) -> BrowserContext:
        look = {"viewport": {"width": size[0], "height": size[1]}, "color_scheme": "dark" if dark else "light"}
        context = chromium.new_context(base_url=site.url, storage_state=site.state(user), **{**look, **more})
        context.set_default_timeout(10_000)
        watch.follow(context)
        opened.append(context)
        return context

    yield made
    for context in opened:
        context.close()


@pytest.fixture
def visit(site: Site, contexts: Callable[..., BrowserContext]) -> Iterator[Visit]:
    """Opens pages of the Brightroom with the sample library; no refusal is reported meanwhile."""
    before = site.reports()

    def opened(path: str, user: str = "ada", **more: Any) -> Page:
        page = contexts(site, user, **more).new_page()
        page.goto(path)
        return page

    yield opened
    assert site.reports() == before


if ELSEWHERE:

    @pytest.fixture(scope="session")
    def site() -> Site:
        """A Brightroom that runs already."""
        return Site(ELSEWHERE)

else:

    @pytest.fixture(scope="session")
    def site(brightroom: Brightroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
        """The Brightroom of the session with an administrator, ada, whose sample library is scanned, and with ben."""
        hashed, users = Passwords().hash(PASSWORD), brightroom.system.users
        folder = tmp_path_factory.mktemp("ada") / "photos"
        folder.mkdir()
        write_sample_library(folder)
        ada = users.create("ada", hashed, True, str(folder))
        users.create("ben", hashed, False, str(tmp_path_factory.mktemp("ben")))
        assert Household(brightroom, ada.user_id, folder).scan().state == "done"
        app = brightroom.application()
        with serving(app, "127.0.0.1", 0) as server:
            yield Site(server.url, lambda: int(app.state.reports.count))


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    """A Brightroom without services that nobody has set up."""
    with answering(build(tmp_path, page_size=100)) as made:
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    """A Brightroom without services, with ada and ben, and whatever photos a test puts into it."""
    made = build(tmp_path, page_size=100)
    made.user("ada", admin=True)
    made.user("ben")
    with answering(made):
        yield made


def site_of(world: World) -> Site:
    """A Brightroom without services as browsers see it."""
    assert world.app
    reports = world.app.state.reports
    return Site(world.http.url, lambda: int(reports.count))
