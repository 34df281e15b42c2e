"""A deployment seen as a model, as far as it can be had without Ray; `test_fleet.py` asks real ones."""

import asyncio
import itertools
import time
from collections.abc import Generator
from typing import Any

import pytest
from ray.exceptions import ActorUnavailableError, RayActorError
from ray.serve._private.common import DeploymentID
from ray.serve.exceptions import DeploymentUnavailableError

from cluster.errors import OutOfMemory, Poisoned, Unavailable
from serve_apps.client import LONGEST_PAUSE_S, ServedModel, pauses

LOST = [RayActorError(), ActorUnavailableError("gone", None), ConnectionError("reset"), Poisoned("assert")]
NOT_THERE = [DeploymentUnavailableError(DeploymentID("tags", "tags")), TimeoutError()]


class Calls:
    """Calls of a deployment that end, one after the other, as they are told; the last one over and over."""

    def __init__(self, *ends: Any) -> None:
        self.ends = itertools.chain(ends, itertools.repeat(ends[-1]))
        self.predict = self.ask = self
        self.made = 0

    def remote(self, _: Any) -> "Calls":
        """Begin a call."""
        self.made += 1
        return self

    def result(self, timeout_s: float) -> Any:
        """How it ends."""
        end = next(self.ends)
        if isinstance(end, Exception):
            raise end
        return end.error if isinstance(end, OutOfMemoryAnswer) else end

    def cancel(self) -> None:
        """Think better of it."""

    def __await__(self) -> Generator[None, None, Any]:
        yield
        return self.result(0)


class OutOfMemoryAnswer:
    """An answer that is an error, told rather than raised."""

    def __init__(self, text: str) -> None:
        self.error = OutOfMemory(text)


class Served(ServedModel):
    """A model of the service `tags` whose calls end as they are told."""

    def __init__(self, *ends: Any, timeout_s: float = 30) -> None:
        super().__init__("tags-12345678", timeout_s)
        self.calls = Calls(*ends)
        self.there = False

    def wanted(self) -> bool:
        """Whether somebody is left to compute."""
        return self.there

    def handle(self) -> Any:
        """The deployment."""
        return self.calls


def test_pauses_double_up_to_a_limit_without_end() -> None:
    """Soon at first, and never long after the service is back."""
    assert list(itertools.islice(pauses(), 6)) == [0.5, 1, 2, 4, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


@pytest.mark.parametrize("lost", LOST, ids=lambda error: type(error).__name__)
def test_a_call_whose_replica_died_is_made_again(lost: Exception) -> None:
    """Of a scan's batch and of a request alike."""
    batch, request = Served(lost, ["a tag"]), Served(lost, "a tag")

    assert batch.predict(["a picture"]) == ["a tag"]
    assert asyncio.run(request.ask("a picture")) == "a tag"
    assert (batch.calls.made, request.calls.made) == (2, 2)


@pytest.mark.parametrize("error", NOT_THERE, ids=lambda error: type(error).__name__)
def test_a_service_that_is_not_there_is_told_at_once(error: Exception) -> None:
    """By name, with where to look."""
    for model, ask in ((Served(error), Served.predict), (Served(error), lambda one, x: asyncio.run(one.ask(x)))):
        with pytest.raises(Unavailable, match=r"the service tags does not answer; an administrator sees why"):
            ask(model, ["a picture"])
        assert model.calls.made == 1


def test_replicas_that_keep_dying_are_given_up_in_time() -> None:
    """A batch and a request wait as long as they were told and no longer."""
    began = time.monotonic()

    with pytest.raises(Unavailable):
        Served(RayActorError(), timeout_s=0.2).predict(["a picture"])
    with pytest.raises(Unavailable):
        asyncio.run(Served(RayActorError(), timeout_s=0.2).ask("a picture"))

    assert time.monotonic() - began < 5


def test_a_models_own_error_is_passed_on() -> None:
    """It is about the batch, not about the service."""
    with pytest.raises(ValueError, match="no picture"):
        Served(ValueError("no picture")).predict(["a text"])


def test_a_request_that_needs_too_much_memory_is_told_so():
    """It comes as an answer, because in a batch it must not cost its neighbours theirs."""
    with pytest.raises(OutOfMemory, match="too much"):
        asyncio.run(Served(OutOfMemoryAnswer("too much")).ask("a picture"))


def test_a_batch_that_takes_long_is_waited_for_as_long_as_its_service_is_wanted():
    """It is asked once, and looked after now and then."""
    slow = Served(TimeoutError(), TimeoutError(), ["a tag"])
    slow.there = True

    assert slow.predict(["a picture"]) == ["a tag"]
    assert slow.calls.made == 1
