"""The cluster as administrators see it."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import httpx

from api.app import create_app
from api.cluster import used
from cluster.errors import Unavailable
from cluster.stats import ClusterStats
from tests.api.standins import two_nodes
from tests.api.test_jobs import started
from tests.api.world import World, answering


def samples(answer: httpx.Response) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The ids, names and points of a stream's events."""
    told = {"id": "", "event": ""}
    for line in answer.iter_lines():
        field, _, value = line.partition(": ")
        if field == "data":
            yield told["id"], told["event"], json.loads(value)
        elif field in told:
            told[field] = value


def test_nodes_resources_and_deployments_are_told_together(world: World) -> None:
    """As measured when asked; bytes and fractions. A node that did not answer has no figures, rather than zeros.

    The replica's process is known on the GPU.
    """
    told = world.as_user("root").get("/api/cluster").json()

    assert told["nodes"] == [
        {
            "node_id": "node1", "name": "here", "answers": True,
            "cpu": {"model": "A processor", "logical": 2, "physical": 1, "utilization": 0.5},
            "memory": {"total": 2**30, "used": 2**29}, "disk": {"total": 2**40, "used": 2**39, "free": 2**38},
            "gpus": [{
                "index": 0, "model": "NVIDIA H100", "memory_total": 80 * 2**30, "memory_used": 2**30,
                "utilization": 0.25, "temperature": 40,
                "processes": [
                    {"pid": 4711, "memory": 2**29, "service": "clip_embeddings"},
                    {"pid": 8, "memory": None, "service": ""},
                ],
            }],
        },
        {
            "node_id": "node2", "name": "there", "answers": False,
            "cpu": None, "memory": None, "disk": None, "gpus": [],
        },
    ]  # fmt: skip
    assert (told["resources_total"], told["resources_used"]) == ({"CPU": 2.0}, {"CPU": 1.0})
    assert (told["object_store"], told["ray_version"]) == ({"total": 2**20, "used": 2**10}, "2.60.0")
    assert told["deployments"][0]["name"] == "clip_embeddings"


def test_no_more_is_left_of_a_resource_than_there_is() -> None:
    """While a node goes Ray may still tell what it had left, when its total is gone already."""
    assert used({"CPU": 2.0, "GPU": 1.0, "memory": 8.0}, {"CPU": 4.0, "GPU": 0.25}) == {
        "CPU": 0.0, "GPU": 0.75, "memory": 8.0,
    }  # fmt: skip


def test_running_jobs_of_everybody_and_rays_own_pages_are_told(fresh: World) -> None:
    """Jobs that wait or have ended are not among them."""
    fresh.system.jobs.create(fresh.users["ann"].user_id, "scan", {"waits": True})
    job = started(fresh, "ann")
    fresh.deps = replace(fresh.deps, dashboard=lambda: "http://127.0.0.1:8265")

    with answering(fresh, create_app(fresh.deps)):
        told = fresh.as_user("root").get("/api/cluster").json()

    assert [running["job_id"] for running in told["jobs"]] == [job.job_id]
    assert told["dashboard"] == "http://127.0.0.1:8265"


def test_without_a_dashboard_none_is_told(fresh: World) -> None:
    """The rest is told all the same."""

    def nowhere() -> str:
        raise Unavailable("Brightroom is not running here; start it with `brightroom up`")

    fresh.deps = replace(fresh.deps, dashboard=nowhere)
    with answering(fresh, create_app(fresh.deps)):
        answer = fresh.as_user("root").get("/api/cluster")

    assert (answer.status_code, answer.json()["dashboard"]) == (200, "")


def test_the_last_hour_begins_with_the_api(world: World) -> None:
    """One task samples, whether anybody looks or not."""
    client = world.as_user("root")
    world.until(lambda: client.get("/api/cluster/history").json()["points"])

    told = client.get("/api/cluster/history").json()

    assert told["every_s"] == 5
    assert [node["node_id"] for node in told["points"][0]["nodes"]] == ["node1"]


def test_samples_are_told_live_and_after_the_last_one_seen(world: World) -> None:
    """Named `sample`; first the newest, then each as it comes."""
    assert world.app
    history, client = world.app.state.history, world.as_user("root")
    world.until(history.points)
    with client.stream("GET", "/api/cluster/events") as answer:
        told = samples(answer)
        event_id, name, first = next(told)
        _, _, second = next(told)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert (name, [node["cpu"] for node in first["nodes"]]) == ("sample", [0.5])
    assert second["at"] > first["at"]
    with client.stream("GET", "/api/cluster/events", headers={"Last-Event-ID": event_id}) as answer:
        assert next(samples(answer))[2] == second


def test_samples_end_with_the_session_with_the_right_and_with_the_server(fresh: World) -> None:
    """Whoever is no administrator any more hears nothing more, nor who logged out; others do to the end."""
    fresh.user("once", admin=True)
    assert fresh.app
    history = fresh.app.state.history
    tokens = {name: fresh.new_token(name) for name in ("root", "once")}
    with ExitStack() as opened:
        streams = {
            name: samples(opened.enter_context(fresh.client(token).stream("GET", "/api/cluster/events")))
            for name, token in {**tokens, "stays": fresh.new_token("root")}.items()
        }
        for stream in streams.values():
            assert next(stream)

        fresh.client(tokens["root"]).post("/api/auth/logout")
        fresh.as_user("root").patch(f"/api/users/{fresh.users['once'].user_id}", json={"admin": False})

        assert list(streams["root"]) == []
        assert list(streams["once"]) == []
        assert next(streams["stays"])
        fresh.http.stop()
        assert len(list(streams["stays"])) <= 2
        assert history.points()


def test_slow_answers_hold_nobody_else_up(fresh: World) -> None:
    """Twenty callers wait for a cluster that does not answer; everybody else is served meanwhile."""
    waiting, released = threading.Semaphore(0), threading.Event()

    def slow() -> ClusterStats:
        waiting.release()
        assert released.wait(30)
        return two_nodes()

    fresh.deps = replace(fresh.deps, cluster=slow)
    answers: list[int] = []
    with answering(fresh, create_app(fresh.deps)):
        root, ann = fresh.as_user("root"), fresh.as_user("ann")
        callers = [
            threading.Thread(target=lambda: answers.append(root.get("/api/cluster").status_code)) for _ in range(20)
        ]
        for caller in callers:
            caller.start()
        for _ in callers:
            assert waiting.acquire(timeout=20)

        meanwhile = ann.get("/api/photos").status_code

        released.set()
        for caller in callers:
            caller.join(20)

    assert meanwhile == 200
    assert answers == [200] * 20
