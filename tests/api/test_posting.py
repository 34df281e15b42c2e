"""Forms without scripts: the request of the API that each stands for is sent as its sender, and nothing else is."""

import base64
import json
from typing import Any

import httpx
import pytest

from api.pages.page import SAID, Said, saying
from api.pages.posting import body_of
from tests.api.browsing import Page, browser
from tests.api.world import PASSWORD, World

NOWHERE = [
    "", "POST", "/api/trash/restore", "POST/api/trash/restore", "GET /api/photos", "HEAD /api/photos",
    "TRACE /api/photos", "OPTIONS /api/photos", "post /api/trash/restore", "POST /form", "POST /login",
    "POST /csp-reports", "POST //evil.example/api/", "POST http://evil.example/api/", "POST /apifoo",
    "POST api/photos", "POST /api/../form", "POST /api/trash/../../form", "POST /api/a b", "POST /api/a\nX: y",
    "POST /api/a\r\n\r\nGET /", "POST /api/a\x00", "POST /api/🙂", "POST  /api/a", "POST /api/" + "a" * 3000,
    "PUT,POST /api/a",
]  # fmt: skip


def sent(client: httpx.Client, to: str, back: str = "/library", **fields: Any) -> httpx.Response:
    """The answer to a form."""
    return client.post("/form", data={"_to": to, "_back": back, **fields})


def said(answer: httpx.Response) -> dict[str, Any]:
    """What the next page will tell."""
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{SAID}="))
    assert "HttpOnly" in cookie
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(cookie.partition("=")[2].partition(";")[0].strip('"')))
    return told


def test_a_form_does_what_its_request_does_and_leads_to_the_next_page(fresh: World) -> None:
    """A scan is started, and the page says so."""
    client = browser(fresh, "ann")

    answer = sent(client, "POST /api/library/actions/scan", _said="The scan has started.", **{"full:bool": "true"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/library")
    assert said(answer) == {"text": "The scan has started.", "wrong": False, "undo": ""}
    assert fresh.as_user("ann").get("/api/jobs").json()["jobs"][0]["arguments"]["full"] is True


def test_what_came_of_a_form_is_shown_once(world: World) -> None:
    """On the page that follows, and on no other after it."""
    client = browser(world, "ann")
    sent(client, "PUT /api/library/confidence", _said="Now <b>surer</b>.", **{"confidence:float": "0.8"})

    assert "Now <b>surer</b>." in Page(client.get("/account")).text
    assert "surer" not in client.get("/account").text


def test_a_form_that_did_not_work_says_why_in_the_apis_own_sentence(world: World) -> None:
    """As something that went wrong."""
    client = browser(world, "ann")

    answer = sent(client, "POST /api/trash/restore")

    told = said(answer)
    assert told["wrong"] is True
    assert told["text"].endswith(".")
    assert Page(client.get("/account")).all("div", role="alert")


def test_fields_become_the_body_that_they_say() -> None:
    """Texts, numbers, truths, lists, and nothing; what is empty and no text is left out."""
    assert body_of([("a", ""), ("b:int", "3"), ("c:float", "0.5"), ("d:bool", "on"), ("e:bool", "false")]) == {
        "a": "", "b": 3, "c": 0.5, "d": True, "e": False,
    }  # fmt: skip
    assert body_of([("ids:list", "x"), ("ids:list", "y"), ("n:int", ""), ("p:some", ""), ("q:none", "")]) == {
        "ids": ["x", "y"], "q": [],
    }  # fmt: skip
    assert body_of([]) is None


@pytest.mark.parametrize(
    "field",
    [
        ("n:int", "many"),
        ("n:int", "1.5"),
        ("n:int", "9" * 5000),
        ("n:float", "a"),
        ("n:exec", "1"),
        ("n:__class__", "1"),
    ],
)
def test_a_field_that_is_not_what_it_says_is_refused(world: World, field: tuple[str, str]) -> None:
    """With a page that says so; nothing is sent."""
    answer = sent(browser(world, "ann"), "POST /api/trash/restore", **dict([field]))

    assert answer.status_code == 400
    assert "text/html" in answer.headers["content-type"]


def test_a_text_and_a_list_of_one_name_are_refused(world: World) -> None:
    """Whichever comes first."""
    client = browser(world, "ann")

    assert sent(client, "POST /api/trash/restore", **{"photo_ids": "x", "photo_ids:list": "y"}).status_code == 400


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_numbers_that_json_does_not_have_reach_no_route(world: World, number: str) -> None:
    """They are refused as any number that does not fit."""
    answer = sent(browser(world, "ann"), "PUT /api/library/confidence", **{"confidence:float": number})

    assert answer.status_code == 400


@pytest.mark.parametrize("to", NOWHERE)
def test_only_changes_by_the_api_can_be_asked_for(world: World, to: str) -> None:
    """Not pages, not other methods, not other hosts, no line of a header."""
    answer = sent(browser(world, "ann"), to)

    assert answer.status_code == 400
    assert SAID not in answer.headers.get("set-cookie", "")


def test_another_sites_form_does_nothing(world: World) -> None:
    """Nor one that does not say where it is from."""
    refused = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
    for headers in refused:
        assert sent(browser(world, "ann", **headers), "POST /api/library/actions/scan").status_code == 403
    for origin in ("http://evil.example", "null"):
        client = browser(world, "ann", Origin=origin)
        del client.headers["Sec-Fetch-Site"]
        assert sent(client, "POST /api/library/actions/scan").status_code == 403


def test_a_form_of_nobody_leads_to_logging_in(world: World) -> None:
    """And of somebody whose session has ended."""
    assert sent(browser(world), "POST /api/library/actions/scan").headers["location"].startswith("/login")


def test_a_form_does_no_more_than_its_sender_may(world: World) -> None:
    """Administration is refused to users, others' things are not there."""
    client = browser(world, "ann")

    assert said(sent(client, "POST /api/users", name="eve", password="a good password"))["wrong"] is True
    assert "eve" not in {user.name for user in world.system.users.list()}


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/plain"])
def test_only_forms_are_taken(world: World, kind: str) -> None:
    """Not what the API itself takes."""
    answer = browser(world, "ann").post("/form", content=b"_to=POST+/api/trash/restore", headers={"Content-Type": kind})

    assert answer.status_code == 415


def test_huge_forms_are_refused(world: World) -> None:
    """One too long is not read, one of too many fields not understood."""
    client = browser(world, "ann")

    assert sent(client, "POST /api/trash/restore", x="y" * 300_000).status_code == 413
    many = b"_to=POST+/api/trash/restore" + b"&a=" * 21_000
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/form", content=many, headers=form).status_code == 400


def test_a_form_leads_to_no_other_site(world: World) -> None:
    """Whatever it names as the page that follows."""
    for back in ("http://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        answer = sent(browser(world, "ann"), "POST /api/library/actions/scan", back)
        assert answer.headers["location"] == "/"


def test_words_of_any_length_and_sign_fit_into_the_cookie(world: World) -> None:
    """Browsers keep none that is longer than four kilobytes."""
    for words in ("🙂" * 9000, "x" * 200_000, 'a";\r\nSet-Cookie: x=y'):
        answer = sent(browser(world, "ann"), "PUT /api/library/confidence", _said=words, **{"confidence:float": "0.8"})
        assert all(len(one) < 4000 for one in answer.headers.get_list("set-cookie"))
        assert said(answer)["text"] == words[:500]


@pytest.mark.parametrize("cookie", ["x", "!!!", "e30=", "bnVsbA==", "eyJ0ZXh0Ijo1fQ==", "w6k", "A" * 4000, "/+"])
def test_a_cookie_that_is_none_of_ours_says_nothing(world: World, cookie: str) -> None:
    """And is no fault."""
    client = browser(world, "ann")
    client.cookies.set(SAID, cookie, domain="127.0.0.1")

    answer = client.get("/account")

    assert answer.status_code == 200
    assert not [one for one in Page(answer).all("div") if "note" in one.get("class", "").split()]


def test_a_wrong_old_password_is_told_and_ends_no_session(fresh: World) -> None:
    """Whoever mistypes it stays where they are, and reads why nothing was changed."""
    client = browser(fresh, "ann")

    answer = sent(client, "POST /api/auth/password", "/account", old="not this one", new="another password")

    assert answer.headers["location"] == "/account"
    assert said(answer)["text"] == "The old password is wrong. Type it again."
    assert client.get("/account").status_code == 200


def test_nothing_of_one_senders_session_is_kept_for_the_next(fresh: World) -> None:
    """Pages of all users ask the API by one client: it takes no cookie from any answer."""
    client = browser(fresh, "ann")

    answer = sent(client, "POST /api/auth/login", name="ann", password=PASSWORD)

    assert said(answer)["wrong"] is False
    assert fresh.app
    assert not list(fresh.app.state.inside.cookies.jar)


def test_wrong_passwords_in_forms_of_one_address_keep_nobody_at_another_waiting(fresh: World) -> None:
    """They are counted where they come from, as those are that scripts send."""
    fresh.user("ben")
    here, there = (browser(fresh, "ben", **{"X-Forwarded-For": address}) for address in ("192.0.2.1", "192.0.2.2"))

    for n in range(40):
        sent(here, "POST /api/auth/login", name=f"nobody {n}", password="not this one")

    assert "too many failed logins" in said(sent(here, "POST /api/auth/login", name="ben", password=PASSWORD))["text"]
    assert said(sent(there, "POST /api/auth/login", name="ben", password=PASSWORD))["wrong"] is False


@pytest.mark.parametrize("secure", [True, False])
def test_what_came_of_a_form_travels_as_securely_as_a_session(secure: bool) -> None:
    """Over TLS only where sessions do."""
    assert saying(Said("done"), secure).secure is secure
