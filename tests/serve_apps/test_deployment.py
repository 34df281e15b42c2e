"""What hosts a model, as far as it can be had without Ray; `test_fleet.py` asks it through Serve."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from cluster.settings import ModelSpec, Settings
from serve_apps.applications import Application
from serve_apps.deployment import ModelDeployment, hosted
from serve_apps.models.protocol import Caption, CaptionRequest
from serve_apps.pulse import Unhealthy
from serve_apps.vitals import Vitals

NOWHERE = Path("/nonexistent")
TEMPLATE = Application("image_captioning-12345678", "image_captioning", ModelSpec(kind="template"))


def replica(told: list[Vitals]) -> ModelDeployment:
    """A captioner that tells how it is."""
    return ModelDeployment(TEMPLATE, str(NOWHERE), 60, told.append, int)


def test_any_model_is_hosted_by_its_spec() -> None:
    """A batch goes through whole and in order."""
    captions = asyncio.run(replica([]).predict([CaptionRequest(tags=["cat"]), CaptionRequest()]))

    assert captions == [Caption("A cat.", "template"), Caption("A photo.", "template")]


def test_a_replica_counts_what_it_is_asked_and_says_goodbye() -> None:
    """Calls, items, failures and times since it started; its own check of itself is nobody's call."""
    told: list[Vitals] = []
    hosted = replica(told)

    asyncio.run(hosted.predict([CaptionRequest()] * 3))
    nonsense: Any = [1]
    with pytest.raises(AttributeError):
        asyncio.run(hosted.predict(nonsense))
    hosted.__del__()

    last = told[-1]
    assert (last.counts.calls, last.counts.items, last.counts.failures) == (2, 4, 1)
    assert (last.service, last.model, last.left) == ("image_captioning", "template@main", True)
    assert len(last.recent_s) == 2
    assert sum(last.counts.by_seconds) == sum(last.counts.by_size) == 2
    assert last.last_error.startswith("AttributeError")
    assert (last.waiting, last.computing) == (0, 0)
    assert last.born_at < last.ready_at <= last.told_at <= time.time()
    assert last.memory > 10_000_000


def test_a_poisoned_process_is_unhealthy() -> None:
    """Serve asks, and replaces who says no."""
    hosted = replica([])
    asyncio.run(hosted.check_health())

    hosted.model.poisoned = "device-side assert"

    with pytest.raises(Unhealthy, match="device-side assert"):
        asyncio.run(hosted.check_health())


def test_an_application_loads_nothing_and_takes_no_cpu_from_scans() -> None:
    """Weights are read where the replica starts; of a GPU it takes the share its spec says."""
    spec = ModelSpec(kind="clip", checkpoint="embedded:clip", gpus=0.25, min_replicas=0, max_replicas=3, idle_s=7)

    deployment = hosted(Application("clip-1", "clip_embeddings", spec), Settings())._bound_deployment

    assert deployment.name == "clip_embeddings"
    assert deployment.ray_actor_options["num_cpus"] == 0
    assert deployment.ray_actor_options["num_gpus"] == 0.25
    scaling = deployment._deployment_config.autoscaling_config
    assert (scaling.min_replicas, scaling.max_replicas, scaling.downscale_to_zero_delay_s) == (0, 3, 7)
