"""The cluster as administrators see it."""

from tests.api.conftest import World


def test_nodes_resources_and_deployments_are_told_together(world: World) -> None:
    """As measured when asked; bytes and fractions."""
    told = world.as_user("root").get("/api/cluster").json()

    assert told["nodes"][0] == {
        "name": "here", "alive": True, "cpus": 2, "cpu_utilization": 0.5, "memory_total": 2**30,
        "memory_used": 2**29, "gpus": [],
    }  # fmt: skip
    assert told["resources_available"] == {"CPU": 1.0}
    assert told["deployments"][0]["name"] == "clip_embeddings"
