"""The cluster as administrators see it."""

import threading
from dataclasses import replace

from api.app import create_app
from cluster.stats import ClusterStats
from tests.api.standins import two_nodes
from tests.api.world import World, answering


def test_nodes_resources_and_deployments_are_told_together(world: World) -> None:
    """As measured when asked; bytes and fractions."""
    told = world.as_user("root").get("/api/cluster").json()

    assert told["nodes"][0] == {
        "name": "here", "alive": True, "cpus": 2, "cpu_utilization": 0.5, "memory_total": 2**30,
        "memory_used": 2**29, "gpus": [],
    }  # fmt: skip
    assert told["resources_available"] == {"CPU": 1.0}
    assert told["deployments"][0]["name"] == "clip_embeddings"


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
