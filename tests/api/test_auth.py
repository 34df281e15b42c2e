"""Logging in and out, over a real server."""

import hashlib
import itertools
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
from argon2 import PasswordHasher

from api.cookies import PLAIN
from tests.api.world import CHEAP, PASSWORD, World, answering, build

ADDRESSES = itertools.count(1)
SAME = {"Sec-Fetch-Site": "same-origin"}


def new_address() -> dict[str, str]:
    """A client address that no other test used."""
    return {"X-Forwarded-For": f"198.51.100.{next(ADDRESSES)}"}


def login(client: httpx.Client, name: str = "ann", password: str = PASSWORD, **more: object) -> httpx.Response:
    """One login."""
    return client.post("/api/auth/login", json={"name": name, "password": password, **more})


def test_a_browser_gets_a_cookie_that_scripts_cannot_read(world: World) -> None:
    """HttpOnly, SameSite=Lax, for the whole site; not Secure, because these settings say so; no token in the body."""
    answer = login(world.client(**new_address()))

    cookie = SimpleCookie(answer.headers["set-cookie"])[PLAIN]
    assert answer.json()["user"]["name"] == "ann"
    assert answer.json()["token"] is None
    assert cookie["httponly"] is True
    assert cookie["samesite"].lower() == "lax"
    assert cookie["path"] == "/"
    assert not cookie["secure"]
    assert int(cookie["max-age"]) == 30 * 24 * 3600


def test_a_secure_cookie_has_the_name_that_only_this_host_can_set(tmp_path: Path) -> None:
    """Behind TLS it never travels in the clear, no neighbour can plant one, and no other name counts."""
    world = build(tmp_path, secure_cookies=True)
    world.user("ann")
    with answering(world):
        cookie = SimpleCookie(login(world.client()).headers["set-cookie"])[f"__Host-{PLAIN}"]

        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
        for name, status in ((cookie.key, 200), (PLAIN, 401)):
            assert world.client(Cookie=f"{name}={cookie.value}").get("/api/auth/me").status_code == status
        schemes = world.client().get("/schema/openapi.json").json()["components"]["securitySchemes"]
        assert schemes["cookie"]["name"] == cookie.key


def test_the_cookie_is_the_session_until_logging_out(world: World) -> None:
    """The cookie alone identifies a browser; after logging out, the same cookie is nobody's."""
    client = world.client(**new_address())
    token = login(client).cookies[PLAIN]
    assert client.get("/api/auth/me").json()["name"] == "ann"

    answer = client.post("/api/auth/logout", headers=SAME)

    assert answer.status_code == 204
    assert SimpleCookie(answer.headers["set-cookie"])[PLAIN]["max-age"] == "0"
    assert world.client(Cookie=f"{PLAIN}={token}").get("/api/auth/me").status_code == 401


def test_a_program_gets_a_token_and_no_cookie(world: World) -> None:
    """With `bearer`, the answer carries the token, which works in Authorization."""
    answer = login(world.client(**new_address()), bearer=True, label="a script")

    token = answer.json()["token"]
    assert "set-cookie" not in answer.headers
    assert world.client(token).get("/api/auth/me").json()["name"] == "ann"


def test_only_the_hash_of_a_token_is_stored(world: World) -> None:
    """Whoever reads the store cannot log in with what is there."""
    token = login(world.client(**new_address()), bearer=True).json()["token"]

    rows = world.system.sessions.table.rows()
    stored = {str(value) for column in rows.columns for value in column.to_pylist()}
    assert hashlib.sha256(token.encode()).hexdigest() in stored
    assert not any(token in value for value in stored)
    assert len(token) >= 43  # 256 bits as base64


def test_a_name_is_the_same_in_any_case(world: World) -> None:
    """People do not remember how they spelled it."""
    assert login(world.client(**new_address()), name="  ANN ").json()["user"]["name"] == "ann"


def test_a_wrong_password_and_an_unknown_name_are_told_alike(world: World) -> None:
    """The answer does not say which names exist."""
    wrong = login(world.client(**new_address()), password="not the password")
    unknown = login(world.client(**new_address()), name="nobody here")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong.headers["www-authenticate"].startswith("Bearer")


def test_a_disabled_user_cannot_log_in_and_sessions_end_at_once(world: World) -> None:
    """Disabling takes effect on the very next request, and the refusal does not say why."""
    user = world.user("dora")
    client, admin = world.as_user("dora"), world.as_user("root")
    assert client.get("/api/auth/me").status_code == 200

    admin.patch(f"/api/users/{user.user_id}", json={"disabled": True})

    assert client.get("/api/auth/me").status_code == 401
    refused = login(world.client(**new_address()), name="dora")
    assert refused.json()["detail"] == login(world.client(**new_address()), name="nobody here").json()["detail"]


def test_a_user_disabled_by_another_process_is_out_within_the_stores_freshness(world: World) -> None:
    """Without anybody ending their sessions, and without this process being told."""
    user = world.user("dirk")
    client = world.as_user("dirk")
    assert client.get("/api/auth/me").status_code == 200

    world.system.users.set_disabled(user.user_id, True)

    world.until(lambda: client.get("/api/auth/me").status_code == 401)


def test_logging_out_everywhere_ends_all_sessions(world: World) -> None:
    """A lost laptop can be logged out from another one."""
    world.user("emil")
    here, there = world.client(world.new_token("emil")), world.client(world.new_token("emil"))

    here.post("/api/auth/logout", params={"everywhere": True})

    assert here.get("/api/auth/me").status_code == 401
    assert there.get("/api/auth/me").status_code == 401


def test_changing_the_password_needs_the_old_one_and_ends_other_sessions(world: World) -> None:
    """The session that changes it stays; all others end; the old password is worth nothing."""
    world.user("fred")
    here, there = world.client(world.new_token("fred"), **new_address()), world.client(world.new_token("fred"))

    refused = here.post("/api/auth/password", json={"old": "something else", "new": "a better password"})
    changed = here.post("/api/auth/password", json={"old": PASSWORD, "new": "a better password"})

    assert (refused.status_code, changed.status_code) == (403, 204)
    assert here.get("/api/auth/me").status_code == 200
    assert there.get("/api/auth/me").status_code == 401
    assert login(world.client(**new_address()), name="fred").status_code == 401
    assert login(world.client(**new_address()), name="fred", password="a better password").status_code == 200


def test_a_session_ends_when_it_is_not_used_for_its_lifetime(fresh: World) -> None:
    """Each use extends it; a month without one ends it."""
    client = fresh.client(fresh.new_token("ann"))
    fresh.clock.advance(days=20)
    assert client.get("/api/auth/me").status_code == 200
    fresh.clock.advance(days=20)
    assert client.get("/api/auth/me").status_code == 200

    fresh.clock.advance(days=31)

    fresh.until(lambda: client.get("/api/auth/me").status_code == 401)


def renewal(answer: httpx.Response, token: str) -> bool:
    """Whether an answer sends a session's cookie again, as it was, for its whole lifetime."""
    if "set-cookie" not in answer.headers:
        return False
    cookie = SimpleCookie(answer.headers["set-cookie"])[PLAIN]
    assert (cookie.value, cookie["max-age"], cookie["path"]) == (token, str(30 * 24 * 3600), "/")
    assert cookie["httponly"] is True
    return True


def test_a_browser_keeps_its_cookie_as_long_as_its_session_is_used(fresh: World) -> None:
    """It is sent again with the first use of a day, and not with every answer."""
    token = fresh.new_token("ann")
    client = fresh.client(Cookie=f"{PLAIN}={token}")
    assert not renewal(client.get("/api/auth/me"), token)
    for _ in range(2):
        fresh.clock.advance(days=1)
        fresh.until(lambda: renewal(client.get("/api/auth/me"), token))
        assert not renewal(client.get("/api/auth/me"), token)

    assert not renewal(fresh.client(token).get("/api/auth/me"), token)


def test_a_program_that_sends_a_token_gets_no_cookie_however_old_it_is(fresh: World) -> None:
    """Its token lasts with the session by itself."""
    client = fresh.as_user("ann")
    fresh.clock.advance(days=3)

    assert "set-cookie" not in client.get("/api/auth/me").headers


def test_a_cookie_shorter_than_days_is_renewed_in_time(tmp_path: Path) -> None:
    """At half its lifetime."""
    world = build(tmp_path, session_days=0.5)
    world.user("ann")
    with answering(world):
        client = world.client(Cookie=f"{PLAIN}={world.new_token('ann')}")
        world.clock.advance(hours=6)

        assert "set-cookie" in client.get("/api/auth/me").headers


def test_logging_out_is_not_undone_by_a_renewal(fresh: World) -> None:
    """The answer sets one cookie, the expired one."""
    client = fresh.client(Cookie=f"{PLAIN}={fresh.new_token('ann')}")
    fresh.clock.advance(days=2)

    answer = client.post("/api/auth/logout", headers=SAME)

    assert [SimpleCookie(cookie)[PLAIN]["max-age"] for cookie in answer.headers.get_list("set-cookie")] == ["0"]


def test_a_password_hash_of_other_parameters_is_replaced_at_login(fresh: World) -> None:
    """Parameters can be raised later; who logs in gets the stronger hash."""
    user_id = fresh.users["ann"].user_id
    other = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    fresh.system.users.set_password(user_id, other)

    assert login(fresh.client()).status_code == 200

    assert CHEAP.outdated(other)
    assert not CHEAP.outdated(fresh.system.users.get(user_id).password_hash)
    assert login(fresh.client()).status_code == 200
