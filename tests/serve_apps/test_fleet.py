"""Services on Ray Serve: up together, told truly, called in batches and alone."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
import skimage.data

from api.up import Brightroom
from cluster.errors import Unavailable
from cluster.settings import SERVICES, ModelSpec
from serve_apps.client import ServedModel
from serve_apps.fleet import Fleet
from serve_apps.models import load
from serve_apps.online import Services


def test_every_service_is_told_with_its_model_and_state(brightroom: Brightroom):
    """Nine services in the seed's order; the one without a model says what to do."""
    statuses = brightroom.fleet.statuses()

    assert [status.name for status in statuses] == list(SERVICES)
    states = {status.name: status.state for status in statuses}
    assert states.pop("llm") == "unconfigured"
    assert set(states.values()) == {"healthy"}
    told = {status.name: status for status in statuses}
    assert "services.llm" in told["llm"].reason
    assert (told["clip_embeddings"].model, told["clip_embeddings"].device) == ("embedded:clip@1", "cpu")
    assert all(status.replicas == 1 for status in statuses if status.state == "healthy")


def test_a_served_model_answers_as_the_model_itself(brightroom: Brightroom):
    """Whole batches and lone calls give the vectors that the model gives in this process."""
    spec = brightroom.settings.services["clip_embeddings"]
    assert spec is not None
    inputs = [skimage.data.chelsea(), "a cat", skimage.data.coffee(), "a cup of coffee"]
    own = np.array(load(spec, brightroom.settings.weights_dir).predict(inputs))
    served = ServedModel("clip_embeddings", 60)

    async def alone() -> list[object]:
        return list(await asyncio.gather(*[served.ask(one) for one in inputs]))

    np.testing.assert_allclose(np.array(served.predict(inputs)), own, atol=2e-4)
    np.testing.assert_allclose(np.array(asyncio.run(alone())), own, atol=2e-4)


def test_a_service_that_is_not_there_is_a_sentence(brightroom: Brightroom):
    """Nobody waits for what will not come."""
    with pytest.raises(Unavailable, match="llm"):
        ServedModel("llm", 5).predict(["x"])


@pytest.fixture
def broken(brightroom: Brightroom) -> Iterator[Fleet]:
    """A fleet in which the llm's checkpoint is a folder that is not there."""
    spec = ModelSpec(kind="clip", checkpoint="local-dir:/no/such/folder")
    settings = brightroom.settings.model_copy(update={"services": {**brightroom.settings.services, "llm": spec}})
    yield Fleet(settings)
    from ray import serve

    serve.delete("llm")


def test_a_model_that_cannot_load_fails_with_its_reason(broken: Fleet):
    """The others stay up; the reason names what is missing."""
    broken.start(["llm"])

    statuses = {status.name: status for status in broken.await_start(60)}

    assert statuses["llm"].state == "failed"
    assert "/no/such/folder" in statuses["llm"].reason
    assert statuses["clip_embeddings"].state == "healthy"


def test_search_goes_from_text_to_photos_through_two_services(brightroom: Brightroom):
    """A library without vectors finds nothing, and does not fail."""
    services = Services(brightroom.settings)

    async def found() -> list[object]:
        vector = await services.embed_text("a cat")
        assert abs(sum(value * value for value in vector) - 1) < 1e-3
        return list(await services.nearest("nobody", services.clip_model(), vector, 5))

    assert asyncio.run(found()) == []
