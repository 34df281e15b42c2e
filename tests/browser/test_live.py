"""What happens on the server is seen on the page: by a stream that is resumed, or by asking where none comes."""

import socket
import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, Request, expect

from api.app import create_app
from api.http_server import serving
from tests.api.world import World
from tests.browser.conftest import site_of
from tests.browser.watch import Watch

Contexts = Callable[..., BrowserContext]
STREAM = "/api/jobs/events"


def asked_streams(page: Page) -> list[Request]:
    """The requests for the stream that a page makes from now on."""
    found: list[Request] = []
    page.on("request", lambda request: found.append(request) if request.url.endswith(STREAM) else None)
    return found


def job_of(world: World, action: str = "scan") -> str:
    """A job of ada's that waits."""
    return world.deps.jobs.start(world.users["ada"].user_id, action, {}).job_id


def test_a_job_that_starts_elsewhere_appears_on_the_page(small: World, contexts: Contexts) -> None:
    """Without loading it again, and the top of every page says that it runs."""
    page = contexts(site_of(small)).new_page()
    page.goto("/library")
    expect(page.locator("[data-running]")).to_be_hidden()

    job = job_of(small)

    expect(page.locator(f"[data-job='{job}']")).to_be_visible()
    expect(page.locator("[data-running]")).to_contain_text("1 job is running")


def test_a_dropped_stream_is_resumed_after_what_was_seen_last(small: World, contexts: Contexts, watch: Watch) -> None:
    """The server goes and comes back on its port; the page says so, goes on by itself and misses nothing."""
    watch.forgive("net::ERR_", "Failed to fetch", "502|503")
    page = contexts(site_of(small)).new_page()
    streams = asked_streams(page)
    first = job_of(small)
    page.goto("/library")
    expect(page.locator(f"[data-job='{first}']")).to_be_visible()
    port = small.http.port
    small.deps.jobs.pause(first)
    page.wait_for_timeout(1500)
    seen = len(streams)

    small.http.stop()
    expect(page.get_by_text("Brightroom does not answer")).to_be_visible(timeout=15_000)
    missed = job_of(small, "train-faces")
    free(port)
    with serving(create_app(small.deps), "127.0.0.1", port):
        expect(page.locator(f"[data-job='{missed}']")).to_be_visible(timeout=30_000)
        expect(page.get_by_text("Brightroom answers again")).to_be_visible()
        resumed = [request for request in streams[seen:] if request.headers.get("last-event-id")]
        assert resumed
        page.goto("about:blank")


def free(port: int) -> None:
    """Wait until nobody listens on a port."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)


def test_where_no_stream_comes_through_the_page_asks(small: World, contexts: Contexts, watch: Watch) -> None:
    """As behind a proxy that holds streams back."""
    watch.forgive("net::ERR_", "Failed to fetch")
    page = contexts(site_of(small)).new_page()
    page.route(f"**{STREAM}", lambda route: route.abort())
    page.goto("/library")

    job = job_of(small)

    expect(page.locator(f"[data-job='{job}']")).to_be_visible(timeout=30_000)


def test_a_page_holds_one_stream_and_none_while_nobody_sees_it(small: World, contexts: Contexts) -> None:
    """Browsers give a host six connections; a page that is left lets its own go."""
    page = contexts(site_of(small)).new_page()
    streams = asked_streams(page)
    for path in ("/library", "/account", "/trash"):
        streams.clear()
        page.goto(path)
        page.wait_for_timeout(700)
        assert len(streams) == 1, path


def test_a_session_that_ended_elsewhere_leads_to_logging_in(small: World, contexts: Contexts, watch: Watch) -> None:
    """And back to the page."""
    watch.forgive("status of 401")
    page = contexts(site_of(small)).new_page()
    page.goto("/library")
    small.system.sessions.revoke_all(small.users["ada"].user_id)

    page.get_by_role("button", name="Scan photos").first.click()

    page.wait_for_url("**/login?back=%2Flibrary")
