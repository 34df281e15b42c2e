"""Logging in and out by forms, and that nobody is sent to another site by one."""

from datetime import timedelta

import pytest

from api.cookies import PLAIN
from api.pages.posting import own
from tests.api.browsing import Page, browser
from tests.api.world import PASSWORD, World

RIGHT = {"name": "ann", "password": PASSWORD}
HOSTILE = [
    "http://evil.example/", "https:evil.example", "//evil.example", "///evil.example", "/\\evil.example",
    "\\\\evil.example", "/a\\b", "javascript:alert(1)", "data:text/html,x", "evil.example", "", " /library",
    "/\t/evil.example", "/\n/evil.example", "/x\r\nSet-Cookie: a=b", "http://[", "//[", "/\x00", "mailto:a@b", "?x",
    "#y", "/\u202egro.live",
]  # fmt: skip


def test_the_right_password_opens_a_session_and_leads_back(world: World) -> None:
    """To the page that somebody came from, with its query."""
    client = browser(world)
    page = Page(client.get("/login", params={"back": "/search?q=a b&page=2"}))
    form = page.form("/login")
    assert form["back"] == "/search?q=a b&page=2"

    answer = client.post("/login", data={**form, **RIGHT})

    assert answer.status_code == 303
    assert answer.headers["location"] in ("/search?q=a b&page=2", "/search?q=a%20b&page=2")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    assert client.get("/library").status_code == 200


def test_a_wrong_password_is_told_on_the_page_which_keeps_the_name_and_never_the_password(fresh: World) -> None:
    """Whether the name or the password was wrong is not told."""
    told = []
    for name in ("ann", "<b>nobody</b>"):
        answer = browser(fresh).post("/login", data={"name": name, "password": "not this one", "back": "/people"})
        page = Page(answer)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert page.form("/login") == {"back": "/people", "name": name, "password": ""}
        assert "not this one" not in answer.text
        told.append(page.text.replace(name, ""))
    assert told[0] == told[1]
    assert "The name or the password is wrong" in told[0]


def test_too_many_tries_are_told_to_wait_also_with_the_right_password(fresh: World) -> None:
    """And after that long they may go on."""
    client = browser(fresh)
    answers = [client.post("/login", data={"name": "ann", "password": f"wrong {n}"}) for n in range(12)]
    assert answers[-1].status_code == 429
    waits = int(answers[-1].headers["retry-after"])

    assert client.post("/login", data=RIGHT).status_code == 429
    fresh.clock.now += timedelta(seconds=waits + 1)
    assert client.post("/login", data=RIGHT).status_code == 303


@pytest.mark.parametrize("back", HOSTILE)
def test_a_log_in_leads_to_no_other_site(world: World, back: str) -> None:
    """Whatever the address that brought somebody here says: the form, the answer, and for who is logged in already."""
    client = browser(world)
    assert own(back) == "/"
    assert Page(client.get("/login", params={"back": back})).form("/login")["back"] == "/"
    assert client.post("/login", data={**RIGHT, "back": back}).headers["location"] == "/"
    assert client.get("/login", params={"back": back}).headers["location"] == "/"


def test_a_name_and_a_way_back_are_text_in_the_page(fresh: World) -> None:
    """Also such as would be markup."""
    nasty = '/"><script>alert(1)</script>'
    answer = browser(fresh).post("/login", data={"name": nasty, "password": "x", "back": nasty})

    assert Page(answer).form("/login") == {"back": nasty, "name": nasty, "password": ""}
    assert "<script>alert" not in answer.text


def test_logging_out_ends_the_session_and_needs_a_page_of_ours(world: World) -> None:
    """A link or another site's form logs nobody out."""
    client = browser(world, "ann")
    token = client.cookies[PLAIN]
    assert client.get("/logout").status_code == 405
    assert client.post("/logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/account").status_code == 200

    answer = client.post("/logout")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert PLAIN not in client.cookies
    assert world.client(token).get("/api/auth/me").status_code == 401


def test_another_site_cannot_log_a_browser_in(world: World) -> None:
    """Into the account of whoever made that site."""
    for site in ("cross-site", "same-site"):
        answer = browser(world, **{"Sec-Fetch-Site": site}).post("/login", data=RIGHT)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [b"", b"name=ann", b"\xff\xfe=%ff", b"&" * 8000, b"name=ann&" * 500, b"{}"])
def test_a_form_that_makes_no_sense_is_refused_without_a_fault_of_ours(fresh: World, body: bytes) -> None:
    """Half of one, one with too many fields, or something else."""
    answer = browser(fresh).post("/login", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})

    assert answer.status_code in (400, 401, 429)


def test_a_form_that_is_far_too_large_is_not_read(world: World) -> None:
    """A log-in is short."""
    answer = browser(world).post("/login", data={"name": "a" * 9000, "password": "x"})

    assert answer.status_code == 413


def test_ones_own_account_is_a_page(world: World) -> None:
    """With the forms for a new password and for ending all sessions."""
    page = Page(browser(world, "ann").get("/account"))

    sent_to = {form["data-to"] for form in page.all("form") if "data-to" in form}
    assert sent_to == {"POST /api/auth/password", "POST /api/auth/logout?everywhere=true"}


def test_logging_out_everywhere_ends_other_sessions_too(fresh: World) -> None:
    """By the form, without scripts."""
    client, other = browser(fresh, "ann"), browser(fresh, "ann")

    answer = client.post("/form", data={"_to": "POST /api/auth/logout?everywhere=true", "_back": "/login"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert other.get("/account").headers["location"].startswith("/login")
