"""What hosts a model, as far as it can be had without Ray; `test_fleet.py` asks it through Serve."""

from pathlib import Path

from cluster.settings import ModelSpec
from serve_apps.deployment import ModelDeployment, application
from serve_apps.models.protocol import Caption, CaptionRequest

NOWHERE = Path("/nonexistent")


def test_any_model_is_hosted_by_its_spec() -> None:
    """A batch goes through whole and in order."""
    hosted = ModelDeployment(ModelSpec(kind="template"), str(NOWHERE))

    assert hosted.predict([CaptionRequest(tags=["cat"]), CaptionRequest()]) == [
        Caption("A cat.", "template"), Caption("A photo.", "template"),
    ]  # fmt: skip


def test_an_application_loads_nothing_and_takes_no_cpu_from_scans() -> None:
    """Weights are read where the replica starts; of a GPU it takes the share its spec says."""
    spec = ModelSpec(kind="clip", checkpoint="embedded:clip", gpus=0.25, max_replicas=3)

    deployment = application("clip_embeddings", spec, NOWHERE)._bound_deployment

    assert deployment.name == "clip_embeddings"
    assert deployment.ray_actor_options["num_cpus"] == 0
    assert deployment.ray_actor_options["num_gpus"] == 0.25
