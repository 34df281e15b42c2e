"""Services as administrators see and steer them; what follows on a cluster is `tests/serve_apps`'s."""

from collections.abc import Iterator

import pytest

from tests.api.standins import MODEL
from tests.api.world import World

CALLS = [
    ("GET", "/api/services", None),
    ("GET", "/api/services/tags", None),
    ("POST", "/api/services/tags/stop", None),
    ("POST", "/api/services/tags/start", None),
    ("PUT", "/api/services/tags/model", {"revision": "2"}),
]


@pytest.fixture(autouse=True)
def _all_up(world: World) -> Iterator[None]:
    yield
    world.models.down.clear()
    world.models.chosen.clear()


def test_services_tell_their_state_model_replicas_and_figures(world: World) -> None:
    """As their fleet says; one of them alone is told the same."""
    (told,) = world.as_user("root").get("/api/services").json()

    assert (told["name"], told["state"], told["model"], told["wanted"]) == (
        "clip_embeddings", "healthy", MODEL, "running",
    )  # fmt: skip
    assert (told["requests"], told["p50_s"], told["p99_s"], told["queue"], told["restarts"]) == (12, 0.01, 0.5, 0, 0)
    assert (told["replicas"][0]["node"], told["replicas"][0]["pid"]) == ("here", 4711)
    assert world.as_user("root").get("/api/services/clip_embeddings").json() == told


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_services_are_an_administrators_business(world: World, method: str, path: str, body: object) -> None:
    """403 for anybody else who is logged in, 401 for nobody."""
    assert world.as_user("ann").request(method, path, json=body).status_code == 403
    assert world.client().request(method, path, json=body).status_code == 401
    assert not world.models.down
    assert not world.models.chosen


def test_a_service_is_stopped_and_started(world: World) -> None:
    """The answer is how it is now; it is so within seconds."""
    root = world.as_user("root")

    stopped = root.post("/api/services/tags/stop")
    started = root.post("/api/services/tags/start")

    assert (stopped.status_code, stopped.json()["state"], stopped.json()["wanted"]) == (202, "stopped", "stopped")
    assert (started.status_code, started.json()["state"]) == (202, "healthy")


@pytest.mark.parametrize("path", ["/api/services/nothing/stop", "/api/services/%2e%2e/start", "/api/services/nothing"])
def test_a_service_that_nobody_knows_is_not_found(world: World, path: str) -> None:
    """Whatever is to be done with it."""
    answer = world.as_user("root").request("GET" if path.endswith("nothing") else "POST", path)

    assert answer.status_code == 404


def test_a_model_is_chosen_by_what_is_to_be_other(world: World) -> None:
    """What is left out stays as it is; what nobody knows is refused."""
    root = world.as_user("root")

    assert root.put("/api/services/tags/model", json={"checkpoint": "other", "gpus": 0.5}).status_code == 202
    assert root.put("/api/services/tags/model", json={"chekpoint": "other"}).status_code == 400

    assert world.models.chosen == {"tags": {"checkpoint": "other", "gpus": 0.5}}


def test_a_stopped_service_is_a_problem_that_says_how_to_start_it(world: World) -> None:
    """503, for whoever asks for what it does."""
    photo = world.photo("ann", "likeness.jpg")
    world.models.down.add("image_similarity")

    answer = world.as_user("ann").get(f"/api/photos/{photo}/similar")

    assert answer.status_code == 503
    assert "brightroom start-service image_similarity" in answer.json()["detail"]
