"""A deployment seen as a model: `predict(batch)` for scans, `ask(item)` for a request. Starts and stops nothing.

Imports no store and no fleet: every worker of a scan imports this. What requests ask is in `online.py`.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import ray
from ray import serve
from ray.exceptions import ActorUnavailableError, RayActorError
from ray.serve.exceptions import DeploymentUnavailableError, RayServeException
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ApplicationStatus

from cluster.errors import OutOfMemory, Poisoned, Unavailable

# A replica died under the call, or has to: another will answer.
LOST = (RayActorError, ActorUnavailableError, ConnectionError, Poisoned)
MOST_POISONED = 2  # replicas that one batch may cost: a picture that poisons each must not go on for ever
LOOK_S = 5.0  # between two looks whether a batch's application is still wanted
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0  # between two tries


def pauses() -> Iterator[float]:
    """Seconds to wait after each try: doubling, up to a limit, without end."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


class ServedModel:
    """The model of a running service. A batch survives the death of the replica that had it."""

    def __init__(self, application: str, timeout_s: float) -> None:
        """`application` is the name of the service's application, as `plan.py` gives it."""
        self.application, self.service = application, application.rpartition("-")[0]
        self.timeout_s = timeout_s

    def predict(self, batch: Sequence[Any]) -> list[Any]:
        """The model's outputs, one for each input; raises Unavailable when the service is not there to answer.

        A replica that dies is replaced, which takes as long as its model takes to load: the batch waits for that.
        """
        deadline, poisoned = time.monotonic() + self.timeout_s, 0
        for pause_s in pauses():
            try:
                return self.awaited(self.handle().predict.remote(batch), deadline)
            except LOST as lost:
                poisoned += isinstance(lost, Poisoned)
                if poisoned == MOST_POISONED or time.monotonic() + pause_s > deadline:
                    break
                time.sleep(pause_s)
            except DeploymentUnavailableError as error:
                raise self.unavailable() from error
        raise self.unavailable()

    def awaited(self, response: Any, deadline: float) -> list[Any]:
        """The outputs of a call; raises Unavailable when they do not come in time, or nobody is left to compute them.

        A call that waits for a replica of an application that is taken down would wait for ever.
        """
        while time.monotonic() < deadline:
            try:
                outputs: list[Any] = response.result(timeout_s=min(LOOK_S, max(0.1, deadline - time.monotonic())))
                return outputs
            except TimeoutError:
                if not self.wanted():
                    break
        response.cancel()
        raise self.unavailable()

    def wanted(self) -> bool:
        """Whether the application is there and is not being taken down."""
        app = serve.status().applications.get(self.application) if ray.is_initialized() else None
        return app is not None and app.status not in (ApplicationStatus.DELETING, ApplicationStatus.NOT_STARTED)

    async def ask(self, item: Any) -> Any:
        """The model's output for one input, computed together with its neighbours'; raises Unavailable, OutOfMemory."""
        try:
            async with asyncio.timeout(self.timeout_s):
                for pause_s in pauses():
                    with suppress(*LOST):
                        return await self.call(item)
                    await asyncio.sleep(pause_s)
        except (DeploymentUnavailableError, TimeoutError) as error:
            raise self.unavailable() from error

    async def call(self, item: Any) -> Any:
        """One attempt at one input."""
        handle = await asyncio.to_thread(self.handle)  # looking a deployment up blocks
        output = await handle.ask.remote(item)
        if isinstance(output, OutOfMemory):
            raise output
        return output

    def handle(self) -> DeploymentHandle:
        """The deployment's handle; raises Unavailable when there is no such application."""
        try:
            return serve.get_deployment_handle(self.service, app_name=self.application)
        except (KeyError, RayServeException) as error:  # KeyError: there never was one
            raise self.unavailable() from error

    def unavailable(self) -> Unavailable:
        """What to tell a person."""
        return Unavailable(f"the service {self.service} does not answer; an administrator sees why under /api/services")
