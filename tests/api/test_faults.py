"""Errors: pages for whoever navigates, problem documents for programs; and what every page forbids the browser."""

import base64
import logging

import httpx
import pytest
from litestar import get

from api.access import PUBLIC
from api.app import create_app
from api.pages.page import POLICY, SAID
from cluster.errors import TooMany
from tests.api.browsing import Page, browser
from tests.api.page_routes import PAGES
from tests.api.world import World, answering, build

PLAIN_PAGES = [path for method, path, _, who in PAGES if method == "GET" and who[2] < 400 and not set("{.") & set(path)]


@pytest.mark.parametrize(
    "path", ["/nowhere", "/jobs/none", "/jobs/" + "a" * 300, "/jobs/%00", "/library/no-such-action", "/../etc"]
)
def test_what_is_not_there_is_told_on_a_page(world: World, path: str) -> None:
    """With a sentence and a way on."""
    answer = browser(world, "ann").get(path)

    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"].startswith("text/html")
    assert Page(answer).all("a", href="/")
    assert answer.headers["cache-control"] == "no-store"


def test_programs_get_problem_documents_of_pages_too(world: World) -> None:
    """Whoever does not ask for HTML."""
    for path, status in (("/nowhere", 404), ("/library", 401), ("/jobs/none", 401)):
        answer = world.client().get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/photos/none", "/api/nowhere", "/metrics/x", "/assets/x/nothing.js"])
def test_the_api_answers_problem_documents_to_browsers_too(world: World, path: str) -> None:
    """Only what is a page is told as one."""
    assert browser(world, "ann").get(path).headers["content-type"] == "application/problem+json"


def test_whoever_is_not_logged_in_is_asked_to_and_comes_back(world: World) -> None:
    """To the very address, with its query."""
    answer = browser(world).get("/jobs/a%20b?cursor=x&y=%C3%A9%26")

    assert answer.status_code == 303
    back = httpx.URL(answer.headers["location"])
    assert back.path == "/login"
    assert back.params["back"].startswith("/jobs/a")
    assert back.params["back"].endswith("?cursor=x&y=%C3%A9%26")
    assert browser(world).post("/form").headers["location"] == "/login"


def test_a_wrong_host_is_told_without_redirect(world: World) -> None:
    """Nothing of a request under another name is believed."""
    for host in ("evil.example", "[", "a b", "evil.example:99999999"):
        answer = browser(world, Host=host).get("/library")
        assert answer.status_code == 400
        assert "evil" not in answer.text


def test_a_port_that_there_cannot_be_is_no_bug_of_ours(world: World) -> None:
    """The way to log in does not lead by what the request calls this host."""
    answer = browser(world, Host="127.0.0.1:99999999").get("/library?x=1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?back=%2Flibrary%3Fx%3D1")


@pytest.mark.parametrize("cookie", ["%%%", "W1tb", base64.urlsafe_b64encode(b'{"text":"","z":' + b"[" * 3500).decode()])
def test_a_cookie_that_is_none_of_ours_breaks_no_page(world: World, cookie: str) -> None:
    """Others on the same host can set cookies, whatever is in them."""
    client = browser(world, "ann")
    client.cookies.set(SAID, cookie, domain="127.0.0.1")

    assert client.get("/account").status_code == 200
    assert client.get("/nowhere").status_code == 404


def test_a_bug_is_a_page_without_insides(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """And a wait says how long."""

    @get("/bug", opt=PUBLIC, sync_to_thread=False)
    def bug() -> str:
        raise KeyError("the secret of /etc/shadow")

    @get("/busy", opt=PUBLIC, sync_to_thread=False)
    def busy() -> str:
        raise TooMany("Wait a little, then try again.", 7)

    world = build(tmp_path_factory.mktemp("bug"))
    app = create_app(world.deps)
    app.register(bug)
    app.register(busy)
    with answering(world, app), caplog.at_level(logging.CRITICAL):
        answer, waiting = browser(world).get("/bug"), browser(world).get("/busy")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "KeyError" not in answer.text
    assert (waiting.status_code, waiting.headers["retry-after"]) == (429, "7")
    assert "Wait a little" in Page(waiting).text


@pytest.mark.parametrize("path", [*PLAIN_PAGES, "/nowhere", "/jobs/none"])
@pytest.mark.parametrize("name", ["", "root"])
def test_every_page_allows_the_browser_our_own_files_and_nothing_else(world: World, name: str, path: str) -> None:
    """No inline script or style, no eval, no other host, no frame, no markup out of text."""
    answer = browser(world, name).get(path)
    if answer.status_code == 303:
        return

    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_the_policy_names_no_exception() -> None:
    """Everything that may be loaded is from here, and violations are reported."""
    parts = dict(part.strip().split(" ", 1) for part in POLICY.split(";"))

    assert "unsafe" not in POLICY
    assert "http" not in POLICY
    assert "*" not in POLICY
    assert parts["default-src"] == parts["base-uri"] == parts["frame-ancestors"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == parts["form-action"] == "'self'"
    assert parts["require-trusted-types-for"] == "'script'"
    assert parts["report-uri"] == "/csp-reports"


@pytest.mark.parametrize("path", PLAIN_PAGES)
def test_no_page_has_anything_inline_or_from_elsewhere(world: World, path: str) -> None:
    """The policy would refuse it; the pages keep to it by themselves."""
    answer = browser(world, "root").get(path, follow_redirects=True)
    assert answer.status_code == 200

    for tag, has in Page(answer).elements:
        assert not [name for name in has if name.startswith("on") or name == "style"], (tag, has)
        assert tag != "style"
        assert tag != "script" or has["src"].startswith("/assets/"), has
        for name in ("src", "href", "action", "srcset", "poster"):
            assert not has.get(name, "").startswith(("http:", "https:", "//", "javascript:", "data:")), (tag, has)


@pytest.mark.parametrize("path", PLAIN_PAGES)
def test_every_page_has_a_title_a_language_one_heading_and_a_way_past_the_navigation(world: World, path: str) -> None:
    """For whoever does not see it."""
    page = Page(browser(world, "root").get(path, follow_redirects=True))

    assert page.all("html", lang="en")
    assert len(page.all("title")) >= 1
    assert len(page.all("h1")) == 1
    assert page.all("a", href="#main")
    assert page.all("main", id="main")
    ids = [has["id"] for _, has in page.elements if "id" in has]
    assert len(ids) == len(set(ids)), sorted(one for one in set(ids) if ids.count(one) > 1)
