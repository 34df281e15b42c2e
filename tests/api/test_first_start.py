"""The first start: one administrator, made by whoever has the code, once; by the page and by the API."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from api.setup import Setup
from tests.api.browsing import Page, browser
from tests.api.world import PASSWORD, World, answering, build


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    """A Brightroom that nobody has set up."""
    with answering(build(tmp_path)) as made:
        yield made


@pytest.fixture
def code(empty: World) -> str:
    """The code that `brightroom up` shows."""
    return Setup(empty.settings, empty.system).code()


def form(code: str, **other: str) -> dict[str, str]:
    """What somebody types."""
    return {"code": code, "name": "ada", "password": PASSWORD, "again": PASSWORD, **other}


def test_the_code_is_in_a_file_of_its_owners_alone_and_stays_the_same(empty: World, code: str) -> None:
    """It can be looked up again where the first screen is gone."""
    file = empty.settings.root / "run" / "setup-code"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == code == Setup(empty.settings, empty.system).code()
    assert len(code.replace("-", "")) == 12
    assert list(file.parent.glob(".setup-code*")) == []


def test_every_way_in_leads_to_the_first_start(empty: World) -> None:
    """Nobody can log in yet."""
    client = browser(empty)

    assert client.get("/library").headers["location"].startswith("/login")
    assert client.get("/login").headers["location"] == "/setup"
    assert client.get("/setup").status_code == 200
    assert client.get("/api/setup").json() == {"needed": True}


def test_whoever_has_the_code_becomes_the_administrator_and_chooses_a_folder(empty: World, code: str) -> None:
    """And is logged in; the code is gone, however it was typed."""
    client = browser(empty)

    answer = client.post("/setup", data=form(f" {code.lower()} "))

    assert (answer.status_code, answer.headers["location"]) == (303, "/welcome")
    assert client.get("/welcome").status_code == 200
    assert client.get("/api/auth/me").json()["admin"] is True
    assert client.get("/api/setup").json() == {"needed": False}
    assert not (empty.settings.root / "run" / "setup-code").exists()


def test_a_program_sets_up_by_the_api(empty: World, code: str) -> None:
    """With the same code, and is logged in by the cookie of the answer."""
    answer = empty.client().post("/api/setup", json={"code": code, "name": "ada", "password": PASSWORD})

    assert answer.status_code == 201
    assert answer.json()["user"]["admin"] is True
    assert "HttpOnly" in answer.headers["set-cookie"]


@pytest.mark.parametrize("wrong", ["", "AAAA-BBBB-CCCC", "é" * 20, "\x00"])
def test_a_wrong_code_makes_nobody(empty: World, code: str, wrong: str) -> None:
    """The page keeps what was typed except the password; the API says 403."""
    answer = browser(empty).post("/setup", data=form(wrong))

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert Page(answer).form("/setup")["name"] == "ada"
    assert PASSWORD not in answer.text
    assert empty.client().post("/api/setup", json=told(wrong)).status_code == 403
    assert empty.system.users.list() == []


def told(code: str) -> dict[str, str]:
    """The body of a first user."""
    return {"code": code, "name": "ada", "password": PASSWORD}


def test_without_a_code_shown_there_is_no_right_one(empty: World) -> None:
    """Before `brightroom up` made it, nothing fits, not even nothing."""
    assert empty.client().post("/api/setup", json=told("")).status_code == 403


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"again": "another password"}, "not the same"),
        ({"password": "short", "again": "short"}, "characters"),
        ({"password": "x" * 2000, "again": "x" * 2000}, "characters"),
        ({"name": "  "}, "name"),
    ],
)
def test_what_does_not_do_is_told_before_anybody_is_made(
    empty: World, code: str, other: dict[str, str], says: str
) -> None:
    """And the code still holds."""
    answer = browser(empty).post("/setup", data=form(code, **other))

    assert answer.status_code == 400
    assert says in Page(answer).text
    assert empty.system.users.list() == []
    assert browser(empty).post("/setup", data=form(code)).status_code == 303


def test_there_is_no_second_first_user(empty: World, code: str) -> None:
    """Not even with the code."""
    browser(empty).post("/setup", data=form(code))

    assert empty.client().post("/api/setup", json=told(code)).status_code == 409
    assert browser(empty).post("/setup", data=form(code, name="eve")).status_code == 409
    assert browser(empty).get("/setup").headers["location"] == "/login"
    assert [user.name for user in empty.system.users.list()] == ["ada"]


def test_of_many_who_set_up_at_the_same_time_one_does(empty: World, code: str) -> None:
    """The others are told that it is done."""

    def one(number: int) -> httpx.Response:
        return empty.client().post("/api/setup", json={"code": code, "name": f"ada{number}", "password": PASSWORD})

    with ThreadPoolExecutor(8) as at_once:
        answers = list(at_once.map(one, range(8)))

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    assert len(empty.system.users.list()) == 1


def test_guessing_the_code_has_to_wait_longer_and_longer(empty: World, code: str) -> None:
    """The right code too, until the wait is over; whoever comes from elsewhere does not wait for who guesses."""
    client = browser(empty)
    answers = [client.post("/setup", data=form(f"wrong {n}")) for n in range(12)]
    assert answers[-1].status_code == 429

    elsewhere = empty.client(**{"X-Forwarded-For": "203.0.113.9"})
    assert elsewhere.post("/api/setup", json=told("wrong")).status_code == 403
    assert client.post("/setup", data=form(code)).status_code == 429
    empty.clock.now += timedelta(seconds=int(answers[-1].headers["retry-after"]) + 1)
    assert client.post("/setup", data=form(code)).status_code == 303


def test_another_site_cannot_set_up(empty: World, code: str) -> None:
    """Nor a page under the same domain."""
    for site in ("cross-site", "same-site"):
        answer = browser(empty, **{"Sec-Fetch-Site": site}).post("/setup", data=form(code))
        assert answer.status_code == 403
    assert empty.system.users.list() == []


def test_an_administrator_browses_to_a_folder_and_takes_it_without_scripts(empty: World, code: str) -> None:
    """By links and forms alone, to the first scan."""
    photos = empty.root / "the photos & <b>videos</b>"
    (photos / "2024").mkdir(parents=True)
    client = browser(empty)
    client.post("/setup", data=form(code))

    page = Page(client.get("/welcome", params={"folder": str(empty.root)}))
    assert any(photos.name in page.text and link for link in page.all("a"))
    chosen = Page(client.get("/welcome", params={"folder": str(photos)})).form("/form")
    assert chosen["scan_directory"] == str(photos)
    answer = client.post("/form", data=chosen)
    assert answer.headers["location"] == "/welcome"

    start = Page(client.get("/welcome")).form("/form")
    assert start["_to"] == "POST /api/library/actions/scan"
    assert client.post("/form", data=start).headers["location"] == "/"
    assert [job.action for job in empty.system.jobs.list(empty.system.users.list()[0].user_id, 5)] == ["scan"]


def test_who_is_no_administrator_is_told_whom_to_ask(fresh: World) -> None:
    """They cannot look into the server's folders."""
    page = Page(browser(fresh, "ann").get("/welcome", params={"folder": "/etc"}))

    assert "/etc" not in page.text
