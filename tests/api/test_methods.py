"""HEAD wherever there is GET, and what OPTIONS tells."""

import socket

import httpx
import pytest

from tests.api.test_routes import MATRIX
from tests.api.world import World

READ = sorted({path for method, path, *_ in MATRIX if method == "GET"})
STREAMS = ("/api/jobs/events", "/api/cluster/events")
DATA = bytes(range(256)) * 40
# What two answers need not share: /metrics counts the first one, and only a body is sent in chunks.
CHANGING = {"date", "content-length", "transfer-encoding"}


@pytest.fixture(scope="module")
def photo(world: World) -> str:
    """A photo of ann's."""
    return world.photo("ann", "head.jpg", DATA)


@pytest.mark.parametrize("path", [path for path in READ if path not in STREAMS])
def test_head_answers_like_get_without_a_body(world: World, photo: str, path: str) -> None:
    """The same status and the same headers, whoever asks."""
    about = {"photo_id": photo, "size": "big", "path": "x", "name": "tags", "service": "api"}
    concrete = path.format(
        **about, **dict.fromkeys(("job_id", "user_id", "event_id", "person_id", "face_id", "login_id"), "0")
    )
    for client in (world.as_user("root"), world.as_user("ann"), world.client()):
        got, head = client.get(concrete), client.head(concrete)

        assert (head.status_code, head.content) == (got.status_code, b"")
        assert {name: value for name, value in head.headers.items() if name not in CHANGING} == {
            name: value for name, value in got.headers.items() if name not in CHANGING
        }
        assert ("content-length" in head.headers) == ("content-length" in got.headers)


def test_head_of_an_original_tells_its_size_version_and_ranges(world: World, photo: str) -> None:
    """What a video player, or `curl -I`, wants to know before it asks for a part."""
    client, path = world.as_user("ann"), f"/api/photos/{photo}/original"

    whole = client.head(path)
    part = client.head(path, headers={"Range": "bytes=10-19"})
    known = client.head(path, headers={"If-None-Match": whole.headers["etag"]})

    assert whole.headers["content-length"] == str(len(DATA))
    assert whole.headers["accept-ranges"] == "bytes"
    assert (part.status_code, part.headers["content-range"]) == (206, f"bytes 10-19/{len(DATA)}")
    assert part.headers["content-length"] == "10"
    assert known.status_code == 304


def test_not_one_byte_of_a_body_follows(world: World, photo: str) -> None:
    """On the wire; the connection goes on with the next answer."""
    asked = f"Host: {world.http.url[7:]}\r\nAuthorization: Bearer {world.token('ann')}\r\n"
    request = f"HEAD /api/photos/{photo}/original HTTP/1.1\r\n{asked}\r\n"
    last = f"HEAD /api/auth/me HTTP/1.1\r\n{asked}Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", world.http.port), timeout=20) as wire:
        wire.sendall((request + last).encode())
        told = b"".join(iter(lambda: wire.recv(65536), b""))

    first, second, nothing = told.split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 200")
    assert nothing == b""


@pytest.mark.parametrize("path", STREAMS)
def test_head_of_an_event_stream_ends(world: World, path: str) -> None:
    """And leaves no listener behind."""
    assert world.app
    head = world.as_user("root").head(path)

    assert head.headers["content-type"].startswith("text/event-stream")
    feed, history = world.app.state.feed, world.app.state.history
    world.until(lambda: feed.listeners == history.listeners == 0)


def test_head_is_no_way_to_change_anything(world: World) -> None:
    """Where there is no GET there is no HEAD."""
    refused = world.as_user("ann").head("/api/auth/logout")

    assert refused.status_code == 405
    assert refused.headers["allow"] == "POST"


@pytest.fixture(params=["anonymous", "ann"])
def client(request: pytest.FixtureRequest, world: World) -> httpx.Client:
    """Anybody, and somebody."""
    return world.client() if request.param == "anonymous" else world.as_user("ann")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/photos", "GET, HEAD"),
        ("/api/users", "GET, HEAD, POST"),
        ("/api/auth/login", "POST"),
        ("/healthz", "GET, HEAD"),
    ],
)
def test_options_names_the_methods_to_anybody(client: httpx.Client, path: str, allowed: str) -> None:
    """And invites no page of another site: there is no CORS."""
    answer = client.options(path, headers={"Origin": "https://other.example", "Access-Control-Request-Method": "POST"})

    assert answer.status_code == 405
    assert ", ".join(sorted(answer.headers["allow"].split(", "))) == allowed
    assert not [name for name in answer.headers if name.startswith("access-control")]
