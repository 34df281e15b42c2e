"""Every error is a problem document of one shape, and tells nothing of our insides."""

import logging
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from litestar import get
from ray.exceptions import RayTaskError

from api.access import PUBLIC
from api.app import create_app
from api.errors import STATUSES, Fault, Problem, fault
from cluster import errors
from tests.api.world import World, answering, build

JSON = {"Content-Type": "application/json"}
REFUSED: dict[str, tuple[int, Callable[[httpx.Client, httpx.Client], httpx.Response]]] = {
    "no such address": (404, lambda me, _: me.get("/nowhere")),
    "no such id": (404, lambda me, _: me.get("/api/photos/none")),
    "wrong method": (405, lambda me, _: me.delete("/api/photos")),
    "not logged in": (401, lambda _, nobody: nobody.get("/api/photos")),
    "not an administrator": (403, lambda me, _: me.get("/api/users")),
    "wrong parameter": (400, lambda me, _: me.get("/api/photos", params={"limit": 501})),
    "wrong cursor": (400, lambda me, _: me.get("/api/photos", params={"cursor": "!"})),
    "wrong body": (400, lambda _, nobody: nobody.post("/api/auth/login", json={"name": 1})),
    "no body": (400, lambda _, nobody: nobody.post("/api/auth/login")),
    "body that is no JSON": (400, lambda _, nobody: nobody.post("/api/auth/login", content="{", headers=JSON)),
    "body too large": (413, lambda _, nobody: nobody.post("/api/auth/login", json={"name": "x" * 70_000})),
    "wrong media type": (415, lambda _, nobody: nobody.post("/api/auth/login", content="a=b")),
    "wrong host": (400, lambda me, _: me.get("/api/photos", headers={"Host": "evil.example"})),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_a_problem_document(world: World, case: str) -> None:
    """Its type, title and status agree, its sentence says something, and nothing may cache it."""
    expected, call = REFUSED[case]

    answer = call(world.as_user("ann"), world.client())

    told = msgspec.json.decode(answer.content, type=Problem)
    assert answer.status_code == told.status == expected
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert told.type == f"urn:brightroom:problem:{told.title.lower().replace(' ', '-')}"
    assert told.detail.endswith(".")
    assert len(told.detail) > 20


def test_each_fault_of_a_request_is_named(world: World) -> None:
    """With the parameter or field it is in."""
    answer = world.as_user("ann").get("/api/photos", params={"kind": "painting", "date_from": "yesterday"})

    assert {one["field"] for one in answer.json()["errors"]} == {"kind", "date_from"}


def test_an_unknown_field_is_an_error(world: World) -> None:
    """A slip of the pen does not pass in silence."""
    answer = world.client().post("/api/auth/login", json={"name": "a", "password": "b" * 8, "remember": True})

    assert answer.status_code == 400
    assert "remember" in answer.json()["detail"]


@pytest.mark.parametrize("kind", STATUSES)
def test_every_error_raised_on_purpose_has_its_status_and_sentence(
    tmp_path_factory: pytest.TempPathFactory, kind: type[errors.ServiceError]
) -> None:
    """What is raised anywhere below is told as it was said."""
    sentence = "This cannot be done now. Try again tomorrow."
    extra: tuple[Any, ...] = (7,) if kind is errors.TooMany else ()

    answer = answer_of(tmp_path_factory, kind(sentence, *extra))

    assert answer.status_code == STATUSES[kind]
    assert answer.json()["detail"] == sentence
    assert answer.headers.get("retry-after") == ("7" if extra else None)


def test_every_service_error_has_a_status() -> None:
    """A new one must be given one, as must what pictures that are sent may raise."""
    assert set(STATUSES) == {*errors.ServiceError.__subclasses__(), errors.PhotoError, errors.OutOfMemory}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Poisoned("The GPU failed. Ask again."), 503),
        (errors.Unreadable("The picture is damaged. Send another."), 400),
        (errors.TooLarge("The picture is too large. Send another."), 400),
        (errors.DecoderDied("The decoder crashed. Send another."), 400),
        (errors.OutOfMemory("The GPU is too small. Give it more."), 503),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_kind_of_an_error_has_its_status(
    tmp_path_factory: pytest.TempPathFactory, error: Exception, status: int
) -> None:
    """Also without a line of its own in the table."""
    answer = answer_of(tmp_path_factory, error)

    assert answer.status_code == status
    assert answer.json()["detail"] == str(error)


@pytest.mark.parametrize(
    ("kind", "status"),
    [(errors.Unavailable, 503), (errors.Poisoned, 503), (errors.NotFound, 404), (errors.Unreadable, 400)],
)
def test_an_error_that_comes_through_ray_is_told_as_it_was_raised(
    tmp_path_factory: pytest.TempPathFactory, kind: type[errors.BrightroomError], status: int
) -> None:
    """Ray makes a kind of its own of it, whose text is a traceback with the insides of another process."""
    raised = kind("This cannot be done now. Try again tomorrow.")
    through = RayTaskError("work", "Traceback: /a/secret/path", raised).as_instanceof_cause()
    assert type(through) is not kind
    assert "/a/secret/path" in str(through)

    answer = answer_of(tmp_path_factory, through)

    assert answer.status_code == status
    assert answer.json()["detail"] == str(raised)


def test_a_bug_is_logged_and_not_told(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is a 500 without message, type or traceback; the log has all three."""
    with caplog.at_level(logging.ERROR, "api.errors"):
        answer = answer_of(tmp_path_factory, KeyError("the secret of /etc/shadow"))

    assert answer.status_code == 500
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert "secret" not in answer.text
    assert "KeyError" not in answer.text
    assert "the secret of /etc/shadow" in caplog.text


def answer_of(factory: pytest.TempPathFactory, error: Exception) -> httpx.Response:
    """What a client gets when a route raises an error."""

    @get("/raise", opt=PUBLIC, sync_to_thread=False)
    def raising() -> str:
        raise error

    world = build(factory.mktemp("raising"))
    app = create_app(world.deps)
    app.register(raising)
    with answering(world, app):
        return world.client().get("/raise")


@pytest.mark.parametrize(
    ("complaint", "expected"),
    [
        ({"key": "limit", "message": "Expected `int`"}, Fault("limit", "Expected `int`")),
        ({"key": "data", "message": "'data'"}, Fault("body", "this is missing")),
        ({"key": "q", "message": "'q'"}, Fault("q", "this is missing")),
        ({}, Fault("", "")),
    ],
)
def test_what_is_missing_is_called_missing(complaint: dict[str, Any], expected: Fault) -> None:
    """Not by a bare name in quotes."""
    assert fault(complaint) == expected


def test_every_answer_forbids_what_browsers_might_do_with_it(world: World) -> None:
    """Answers, refusals and unknown addresses alike."""
    for path in ("/healthz", "/api/photos", "/nowhere", "/schema"):
        headers = world.client().get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "server" not in headers
