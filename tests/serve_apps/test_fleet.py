"""Services on Ray Serve: up together, told truly, called in batches and alone."""

import asyncio
import os
import time
from collections.abc import Callable

import numpy as np
import psutil
import pytest
import skimage.data

from api.up import Brightroom
from cluster.errors import NotFound, Unavailable
from cluster.settings import SERVICES
from serve_apps.client import ServedModel
from serve_apps.models import load
from serve_apps.online import Services
from serve_apps.status import ServiceStatus


def until(brightroom: Brightroom, name: str, reached: Callable[[ServiceStatus], bool], within_s: float = 60) -> float:
    """Wait until a service is as wanted, and return the seconds that took; fails when it takes too long."""
    began = time.monotonic()
    while not reached(status := brightroom.fleet.status(name)):
        assert time.monotonic() - began < within_s, status
        time.sleep(0.1)
    return time.monotonic() - began


def healthy(status: ServiceStatus) -> bool:
    """Whether a service is as it should be."""
    return status.state == "healthy" and all(one.since for one in status.replicas)


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
    assert all(len(status.replicas) == 1 for status in statuses if status.state == "healthy")


def test_a_replica_is_told_as_it_is(brightroom: Brightroom):
    """Its node, process, memory and how long it took to start; it is the process that answers."""
    until(brightroom, "tags", healthy)
    status = brightroom.fleet.status("tags")

    (replica,) = status.replicas
    process = psutil.Process(replica.pid)
    assert replica.state == "RUNNING"
    assert replica.node == os.uname().nodename
    assert process.create_time() < replica.since.timestamp() <= time.time()
    assert abs(process.memory_info().rss - replica.memory) < 0.5 * replica.memory
    assert status.since == replica.since
    assert status.cold_start_s == replica.start_s == pytest.approx(replica.since.timestamp() - process.create_time(), 1)


def test_requests_are_counted_and_timed(brightroom: Brightroom):
    """Whole batches and lone calls, told within seconds of the answer; a model's own error is the last error."""
    before = brightroom.fleet.status("ocr")
    served = ServedModel(brightroom.fleet.application("ocr"), 60)

    served.predict([skimage.data.page()[..., None].repeat(3, 2)] * 3)
    with pytest.raises(Exception, match="NoneType"):
        served.predict([None])

    until(brightroom, "ocr", lambda status: status.requests == before.requests + 2)
    after = brightroom.fleet.status("ocr")
    assert (after.items, after.failures) == (before.items + 4, before.failures + 1)
    assert after.p50_s is not None
    assert 0 < after.p50_s <= after.p99_s
    assert "NoneType" in after.last_error
    assert after.queue == 0


def test_a_served_model_answers_as_the_model_itself(brightroom: Brightroom):
    """Whole batches and lone calls give the vectors that the model gives in this process."""
    spec = brightroom.settings.services["clip_embeddings"]
    assert spec is not None
    inputs = [skimage.data.chelsea(), "a cat", skimage.data.coffee(), "a cup of coffee"]
    own = np.array(load(spec, brightroom.settings.weights_dir).predict(inputs))
    served = ServedModel(brightroom.fleet.application("clip_embeddings"), 60)

    async def alone() -> list[object]:
        return list(await asyncio.gather(*[served.ask(one) for one in inputs]))

    np.testing.assert_allclose(np.array(served.predict(inputs)), own, atol=2e-4)
    np.testing.assert_allclose(np.array(asyncio.run(alone())), own, atol=2e-4)


def test_a_service_that_is_not_there_is_a_sentence(brightroom: Brightroom):
    """Nobody waits for what will not come: one without a model, one that is no application, one that nobody knows."""
    with pytest.raises(Unavailable, match=r"services\.llm"):
        Services(brightroom.fleet).served("llm", 5)
    with pytest.raises(Unavailable, match="llm"):
        ServedModel("llm-12345678", 5).predict(["x"])
    with pytest.raises(NotFound, match="image_similarity"):
        Services(brightroom.fleet).stop("nothing", "somebody")


def test_search_goes_from_text_to_photos_through_two_services(brightroom: Brightroom):
    """A library without vectors finds nothing, and does not fail."""
    services = Services(brightroom.fleet)

    async def found() -> list[object]:
        near = await services.embed("a cat")
        assert near.model == "embedded:clip@1"
        assert abs(sum(value * value for value in near.vector) - 1) < 1e-3
        return list(await services.nearest("nobody", near, 5))

    assert asyncio.run(found()) == []
