"""Who may use which route: the whole matrix of routes and callers, and that no route is without a rule."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from litestar import Litestar, get

from api.access import RULE, Rule
from api.app import create_app
from tests.api.page_routes import PAGES
from tests.api.world import PASSWORD, World, answering, build

ID = "0" * 32
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# method, path, body, and what an anonymous caller, a user and an administrator get when the rule is what decides.
PUBLIC, USER, ADMIN = (200, 200, 200), (401, 200, 200), (401, 403, 200)
MATRIX: list[tuple[str, str, Any, tuple[int, int, int]]] = [
    ("POST", "/api/auth/login", {"name": "ann", "password": PASSWORD}, PUBLIC),
    ("GET", "/healthz", None, PUBLIC),
    ("GET", "/schema", None, PUBLIC),
    ("GET", "/schema/openapi.json", None, PUBLIC),
    ("GET", "/schema/schema.js", None, PUBLIC),
    ("GET", "/schema/schema.css", None, PUBLIC),
    ("GET", "/schema/{path}", None, (404, 404, 404)),
    ("POST", "/api/auth/logout", None, (401, 204, 204)),
    ("GET", "/api/auth/me", None, USER),
    ("GET", "/api/setup", None, PUBLIC),
    ("POST", "/api/setup", {"code": "", "name": "x", "password": PASSWORD}, (409, 409, 409)),
    ("POST", "/api/auth/password", {"old": "not this one", "new": "does not matter"}, (401, 403, 403)),
    ("GET", "/api/users", None, ADMIN),
    ("POST", "/api/users", {"name": " ", "password": PASSWORD}, (401, 403, 400)),
    ("GET", "/api/users/{user_id}", None, (401, 403, 404)),
    ("PATCH", "/api/users/{user_id}", {}, (401, 403, 404)),
    ("POST", "/api/users/{user_id}/password", {"password": PASSWORD}, (401, 403, 404)),
    ("GET", "/api/library/stats", None, USER),
    ("POST", "/api/library/actions/scan", None, (401, 202, 202)),
    ("POST", "/api/library/actions/scan-nextcloud", None, (401, 409, 409)),
    ("POST", "/api/library/actions/delete-missing", {"confirm": 0}, (401, 400, 400)),
    ("POST", "/api/library/actions/save-metadata", {"in_file": "x"}, (401, 400, 400)),
    ("POST", "/api/library/actions/{action}", None, (401, 400, 400)),
    ("GET", "/api/events", None, USER),
    ("GET", "/api/events/{event_id}", None, (401, 404, 404)),
    ("PATCH", "/api/events/{event_id}", {}, (401, 404, 404)),
    ("DELETE", "/api/events/{event_id}", None, (401, 404, 404)),
    ("POST", "/api/events/{event_id}/restore", None, (401, 404, 404)),
    ("GET", "/api/jobs", None, USER),
    ("GET", "/api/jobs/{job_id}", None, (401, 404, 404)),
    ("GET", "/api/jobs/{job_id}/errors", None, (401, 404, 404)),
    ("POST", "/api/jobs/{job_id}/{step}", None, (401, 400, 400)),
    ("GET", "/api/jobs/events", None, USER),
    ("GET", "/api/photos", None, USER),
    ("GET", "/api/photos/months", None, USER),
    ("GET", "/api/photos/tiles", None, USER),
    ("GET", "/api/photos/{photo_id}", None, (401, 404, 404)),
    ("GET", "/api/photos/{photo_id}/thumbnail/{size}", None, (401, 400, 400)),
    ("GET", "/api/photos/{photo_id}/neighbours", None, (401, 404, 404)),
    ("GET", "/api/photos/{photo_id}/original", None, (401, 404, 404)),
    ("POST", "/api/photos/{photo_id}/caption", None, (401, 404, 404)),
    ("GET", "/api/photos/{photo_id}/similar", None, (401, 404, 404)),
    ("GET", "/api/search", None, (401, 400, 400)),
    ("POST", "/api/search/image", None, (401, 400, 400)),
    ("GET", "/api/suggestions", None, USER),
    ("GET", "/api/trash", None, USER),
    ("GET", "/api/trash/actions", None, USER),
    ("POST", "/api/trash/restore", {}, (401, 400, 400)),
    ("GET", "/api/trash/{photo_id}/thumbnail/{size}", None, (401, 400, 400)),
    ("GET", "/api/nextcloud", None, USER),
    ("PUT", "/api/nextcloud", {"server": "https://10.0.0.1", "login": "x", "password": "y"}, (401, 400, 400)),
    ("PATCH", "/api/nextcloud", {}, (401, 404, 404)),
    ("DELETE", "/api/nextcloud", None, (401, 400, 400)),
    ("GET", "/api/nextcloud/folders", None, (401, 404, 404)),
    ("POST", "/api/nextcloud/check", None, (401, 404, 404)),
    ("POST", "/api/nextcloud/login", {"server": "https://10.0.0.1"}, (401, 400, 400)),
    ("GET", "/api/nextcloud/login/{login_id}", None, (401, 404, 404)),
    ("GET", "/api/services", None, ADMIN),
    ("GET", "/api/services/{name}", None, (401, 403, 404)),
    ("POST", "/api/services/{name}/{step}", None, (401, 403, 400)),
    ("PUT", "/api/services/{name}/model", {}, (401, 403, 404)),
    ("GET", "/api/cluster", None, ADMIN),
    ("GET", "/api/cluster/history", None, ADMIN),
    ("GET", "/api/cluster/events", None, ADMIN),
    ("GET", "/api/server/settings", None, ADMIN),
    ("GET", "/api/server/stats", None, ADMIN),
    ("GET", "/api/server/folders", None, ADMIN),
    ("GET", "/api/server/storage", None, USER),
    ("GET", "/api/server/version", None, USER),
    ("GET", "/api/server/logs", None, ADMIN),
    ("GET", "/api/server/logs/{service}", None, (401, 403, 404)),
    ("GET", "/api/people", None, USER),
    ("GET", "/api/people/acts", None, USER),
    ("POST", "/api/people/acts/{act_id}/undo", None, (401, 404, 404)),
    ("GET", "/api/people/{person_id}", None, (401, 404, 404)),
    ("GET", "/api/people/{person_id}/about", None, (401, 404, 404)),
    ("PATCH", "/api/people/{person_id}", {}, (401, 404, 404)),
    ("POST", "/api/people/merge", {"into": ID, "others": [ID]}, (401, 404, 404)),
    ("POST", "/api/people/{person_id}/split", {"face_ids": [ID], "name": "Kim"}, (401, 404, 404)),
    ("GET", "/api/faces", None, USER),
    ("POST", "/api/faces", {"photo_id": ID, "left": 0, "top": 0, "right": 1, "bottom": 1}, (401, 404, 404)),
    ("GET", "/api/faces/{face_id}", None, (401, 404, 404)),
    ("POST", "/api/faces/label", {"face_ids": [ID], "name": "Kim"}, (401, 404, 404)),
    ("POST", "/api/faces/confirm", {"face_ids": [ID]}, (401, 404, 404)),
    ("POST", "/api/faces/reject", {"face_ids": [ID]}, (401, 404, 404)),
    ("POST", "/api/faces/unlabel", {"face_ids": [ID]}, (401, 404, 404)),
    ("POST", "/api/faces/delete", {"face_ids": [ID]}, (401, 404, 404)),
    ("GET", "/api/library/confidence", None, USER),
    ("PUT", "/api/library/confidence", {"confidence": 0.9}, USER),
    ("GET", "/metrics", None, ADMIN),
]
CALLS = [*MATRIX, *PAGES]
OPEN = {"/healthz", "/login", "/setup", "/csp-reports", "/assets/{digest}/{name}", "/api/auth/login", "/api/setup"}
FROM_AFAR = {"X-Forwarded-For": "203.0.113.9"}


def routes(app: Litestar) -> set[tuple[str, str]]:
    """Method and path template of every route of an application."""
    return {
        (method, route.path_format)
        for route in app.routes
        for method in getattr(route, "methods", ())
        if method != "HEAD"  # what has GET has it
    }


def status(client: httpx.Client, method: str, path: str, body: Any) -> int:
    """The status of one call, without waiting for a stream's end."""
    concrete = path.replace("{", "").replace("}", "")
    sent = {"content": body, "headers": FORM | FROM_AFAR} if isinstance(body, str) else {"json": body}
    with client.stream(method, concrete, **{"headers": FROM_AFAR, **sent}) as answer:
        return answer.status_code


@pytest.fixture(scope="module")
def ended(world: World) -> tuple[str, str]:
    """Tokens of a revoked and of an expired session."""
    return world.revoked("ann"), world.expired("ann")


def test_the_matrix_names_every_route(fresh: World) -> None:
    """A route that is added without a line in the matrix fails here."""
    assert routes(create_app(fresh.deps)) == {(method, path) for method, path, *_ in CALLS}


def test_every_route_declares_a_rule(fresh: World) -> None:
    """No route is open, or closed, because somebody forgot to say."""
    app = create_app(fresh.deps)

    unruled = [
        f"{method} {route.path_format}"
        for route in app.routes
        for method, (handler, _) in route.route_handler_map.items()  # type: ignore[union-attr]
        if not isinstance(handler.opt.get(RULE), Rule)
    ]

    assert not unruled


def test_a_route_without_a_rule_is_closed_to_administrators_too(fresh: World) -> None:
    """Deny is what happens by default."""

    @get("/forgotten")
    async def forgotten() -> str:
        return "anybody?"

    app = create_app(fresh.deps)
    app.register(forgotten)
    world = build(fresh.root, fresh.clock)
    world.users = fresh.users
    with answering(world, app):
        assert world.client().get("/forgotten").status_code == 401
        assert world.as_user("root").get("/forgotten").status_code == 403


@pytest.mark.parametrize(("method", "path", "body", "expected"), CALLS, ids=[f"{m} {p}" for m, p, *_ in CALLS])
def test_a_route_answers_each_caller_as_its_rule_says(
    world: World, ended: tuple[str, str], method: str, path: str, body: Any, expected: tuple[int, int, int]
) -> None:
    """Anonymous callers, users and administrators get what the matrix says; ended sessions what anonymous ones get."""
    anonymous, user, admin = expected
    public = expected[0] not in (401,)
    callers: dict[str, Callable[[], httpx.Client]] = {
        "anonymous": world.client,
        "revoked": lambda: world.client(ended[0]),
        "expired": lambda: world.client(ended[1]),
        "forged": lambda: world.client("A" * 43),
    }

    got = {name: status(caller(), method, path, body) for name, caller in callers.items()}

    assert got == dict.fromkeys(callers, anonymous)
    token = world.new_token if path.endswith("/logout") else world.token
    assert status(world.client(token("ann")), method, path, body) == user
    assert status(world.client(token("ben")), method, path, body) == user
    assert status(world.client(token("root")), method, path, body) == admin
    assert public == (path in OPEN or path.startswith("/schema"))
