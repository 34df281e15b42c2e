"""One class hosts any model on Ray Serve. Knows no model by name; what it hosts is a `ModelSpec`."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pynvml
import ray
from ray import serve
from ray.serve.exceptions import RayServeException

from cluster.board import board
from cluster.errors import OutOfMemory, Unavailable
from cluster.gpus import Gpus
from cluster.logs import configure
from cluster.settings import Settings
from serve_apps.applications import Application
from serve_apps.faults import Enduring
from serve_apps.malloc import KEEPS_MEMORY
from serve_apps.meter import Meter, device
from serve_apps.models import load
from serve_apps.pulse import Pulse
from serve_apps.samples import sample
from serve_apps.vitals import TOPIC, Counts, Vitals

ENVIRONMENT = {
    **KEEPS_MEMORY,
    "OMP_WAIT_POLICY": "passive",  # threads that wait must not keep the other models from the cores (measured: half)
}
BRISK = {  # for a service that may have no replica: otherwise calls wait for ten seconds, and it idles for thirty more
    "upscale_delay_s": 0,
    "metrics_interval_s": 1.0,  # between two words to the controller of how many calls wait
    "look_back_period_s": 3.0,  # over which it takes their mean
}
BATCH_WAIT_S = 0.01  # how long a lone call waits for company
TRIES = 3  # to load a model, before it is given up
HEALTH = {  # a replica that does not answer three checks in a row is replaced: within seven seconds of its last word
    "health_check_period_s": 1,
    "health_check_timeout_s": 2,
    "graceful_shutdown_timeout_s": 2,
    "graceful_shutdown_wait_loop_s": 0.2,
}


known_board = cache(board)  # it is looked up once: it comes back as itself after a fall


@dataclass(frozen=True)
class Posted:
    """Puts a replica's words on the cluster's board."""

    namespace: str

    def __call__(self, vitals: Vitals) -> None:
        """Post one; it is not waited for."""
        known_board(self.namespace).post.remote(TOPIC, vitals.replica, msgspec.to_builtins(vitals))


class ModelDeployment:
    """Hosts one model; lone calls are gathered into batches, a scan's batches are taken whole."""

    def __init__(
        self,
        app: Application,
        weights: str,
        longest_s: float,
        tell: Callable[[Vitals], None],
        begin: Callable[[], object],
    ) -> None:
        """`longest_s` is how long a batch may take, `tell` is told how the replica is, `begin` is called first."""
        begin()
        self.model = Enduring(load(app.spec, Path(weights)))
        self.tiny = sample(app.spec)
        self.pulse = Pulse(self.answer_tiny, longest_s, lambda: self.model.poisoned)
        self.answer_tiny()  # who answers that now is ready for whoever comes first
        me = who(app)
        self.meter = Meter(me, tell, Gpus(pynvml) if me.device == "cuda" else None)
        self.meter.start()
        self.gathered.set_max_batch_size(app.spec.batch_size)

    async def predict(self, batch: Sequence[Any]) -> list[Any]:
        """The model's outputs, one for each input."""
        with self.meter.call(len(batch)):
            return await asyncio.to_thread(self.counted, batch)

    async def ask(self, item: Any) -> Any:
        """The model's output for one input."""
        with self.meter.call(1):
            return await self.gathered(item)

    @serve.batch(max_batch_size=1, batch_wait_timeout_s=BATCH_WAIT_S)  # type: ignore[untyped-decorator]
    async def gathered(self, items: list[Any]) -> list[Any]:
        """The outputs of calls that came together."""
        return await asyncio.to_thread(self.counted, items)

    def counted(self, batch: Sequence[Any]) -> list[Any]:
        """The outputs of a batch that somebody asked for."""
        with self.meter.computing(len(batch)):
            return self.compute(batch)

    def compute(self, batch: Sequence[Any]) -> list[Any]:
        """The model's outputs."""
        with self.pulse.beating():
            return list(self.model.predict(batch))

    def answer_tiny(self) -> None:
        """Have the model answer its tiny input; raises what it raises, and what it answers instead of an output."""
        for output in self.compute([self.tiny]):
            if isinstance(output, OutOfMemory):
                raise output
            if isinstance(output, str):  # of the models of files
                raise Unavailable(output)

    async def check_health(self) -> None:
        """What Serve asks every second; raises Unhealthy when the replica is to be replaced."""
        self.pulse.check()

    def __del__(self) -> None:
        """What Serve calls when the replica is asked to go."""
        if meter := getattr(self, "meter", None):  # a model that could not be loaded has none
            meter.leave()


def who(app: Application) -> Vitals:
    """The replica this process is; outside Serve it is nobody's."""
    now, context = time.time(), ray.get_runtime_context() if ray.is_initialized() else None
    return Vitals(
        application=app.name, service=app.service, replica=replica_id(), pid=os.getpid(), model=app.spec.name,
        node_id=context.get_node_id() if context else "", device=device(app.spec),
        gpus=context.get_accelerator_ids()["GPU"] if context else [], gpu_share=app.spec.gpus,
        born_at=psutil.Process().create_time(), ready_at=now, told_at=now, counts=Counts(), waiting=0, computing=0,
        recent_s=[], memory=0, gpu_memory=0,
    )  # fmt: skip


def replica_id() -> str:
    """Serve's id of the replica that this process is; empty outside Serve."""
    with suppress(RayServeException):
        return str(serve.get_replica_context().replica_id.unique_id)
    return ""


def hosted(app: Application, settings: Settings) -> serve.Application:
    """What Serve is to run for an application.

    Replicas take no logical CPU: one that held a CPU would keep Ray Data from ever getting it (measured, a scan hung).
    """
    spec = app.spec
    deployment = serve.deployment(
        ModelDeployment,
        name=app.service,
        ray_actor_options={
            "num_cpus": 0,
            "num_gpus": spec.gpus,
            "runtime_env": {"env_vars": ENVIRONMENT},
        },
        autoscaling_config=scaling(app),
        max_ongoing_requests=max(100, 4 * spec.batch_size),
        max_constructor_retry_count=TRIES,
        **HEALTH,
    )
    begin, tell = partial(configure, settings.root, app.service), Posted(settings.ray.namespace)
    return deployment.bind(app, str(settings.weights_dir), settings.scan.call_timeout_s, tell, begin)


def scaling(app: Application) -> dict[str, Any]:
    """How many replicas there are to be; one that may go to none comes back at the first call."""
    spec = app.spec
    return {
        "min_replicas": spec.min_replicas,
        "initial_replicas": max(1, spec.min_replicas),  # loaded once, or else known not to load
        "max_replicas": spec.max_replicas,
        "target_ongoing_requests": 2,
        "downscale_to_zero_delay_s": spec.idle_s,
        **(BRISK if spec.min_replicas == 0 else {"upscale_delay_s": 5}),
    }
