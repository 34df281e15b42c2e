"""One class hosts any model on Ray Serve. Knows no model by name; what it hosts is a `ModelSpec`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve import Application

from cluster.settings import ModelSpec
from serve_apps.malloc import KEEPS_MEMORY
from serve_apps.models import load

ENVIRONMENT = {
    **KEEPS_MEMORY,
    "OMP_WAIT_POLICY": "passive",  # threads that wait must not keep the other models from the cores (measured: half)
}
BATCH_WAIT_S = 0.01  # how long a lone call waits for company


class ModelDeployment:
    """Hosts one model; lone calls are gathered into batches, a scan's batches are taken whole."""

    def __init__(self, spec: ModelSpec, weights: str) -> None:
        self.model = load(spec, Path(weights))
        self.ask.set_max_batch_size(spec.batch_size)

    def predict(self, batch: Sequence[Any]) -> list[Any]:
        """The model's outputs, one for each input."""
        return list(self.model.predict(batch))

    @serve.batch(max_batch_size=1, batch_wait_timeout_s=BATCH_WAIT_S)  # type: ignore[untyped-decorator]
    async def ask(self, items: list[Any]) -> list[Any]:
        """The model's output for one input."""
        return await asyncio.to_thread(self.predict, items)


def application(name: str, spec: ModelSpec, weights: Path) -> Application:
    """The Serve application of one service.

    Replicas take no logical CPU: one that held a CPU would keep Ray Data from ever getting it (measured, a scan hung).
    """
    hosted = serve.deployment(
        ModelDeployment,
        name=name,
        ray_actor_options={
            "num_cpus": 0,
            "num_gpus": spec.gpus,
            "runtime_env": {"env_vars": ENVIRONMENT},
        },
        autoscaling_config={
            "min_replicas": spec.min_replicas,
            "max_replicas": spec.max_replicas,
            "target_ongoing_requests": 2,
        },
        max_ongoing_requests=max(100, 4 * spec.batch_size),
        health_check_period_s=2,
        health_check_timeout_s=10,
        graceful_shutdown_timeout_s=2,
        graceful_shutdown_wait_loop_s=0.2,
        max_constructor_retry_count=2,
    )
    return hosted.bind(spec, str(weights))
