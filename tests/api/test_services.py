"""Services as everybody sees them."""

from tests.api.standins import MODEL
from tests.api.world import World


def test_services_tell_their_state_and_model(world: World) -> None:
    """As their fleet says."""
    told = world.as_user("ann").get("/api/services").json()

    assert told == [
        {
            "name": "clip_embeddings", "state": "healthy", "reason": "", "replicas": 1, "model": MODEL,
            "device": "cpu", "gpus": 0,
        }
    ]  # fmt: skip
