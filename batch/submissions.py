"""Ray's own list of jobs, and the board of their numbers: what the control of jobs needs of a cluster.

Every request has a deadline, and whatever goes wrong with it is Unavailable. What a job is, is not known here.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from ray.exceptions import RayError
from ray.job_submission import JobStatus, JobSubmissionClient

from batch.progress import TOPIC
from cluster import board
from cluster.errors import Unavailable
from cluster.runtime import dashboard_of
from cluster.settings import CONFIG_VARIABLE, CONFIGS, KEYS_VARIABLE, PREFIX, Settings

DEADLINE_S = 10.0  # of one request; Ray's client has none


class Cluster(Protocol):
    """Runs jobs. Every method blocks, for a bounded time, and raises Unavailable when the cluster does not answer."""

    def submit(
        self, submission: str, entrypoint: str, environment: Mapping[str, str], about: Mapping[str, str]
    ) -> None:
        """Run a command line under that id, with these variables."""
        ...

    def status(self, submission: str) -> JobStatus:
        """How that job is; raises Unavailable for an unknown one too."""
        ...

    def stop(self, submission: str) -> None:
        """End that job's process: by SIGTERM, and some seconds later by SIGKILL."""
        ...

    def numbers(self, job_id: str) -> dict[str, Any] | None:
        """A job's numbers in flight; None when nobody posts any."""
        ...


class Client(JobSubmissionClient):  # type: ignore[misc]
    """Ray's client, whose requests end."""

    def __init__(self, address: str, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        super().__init__(address)

    def _do_request(self, method: str, endpoint: str, **given: Any) -> Any:
        """Every request of Ray's client comes through here."""
        return super()._do_request(method, endpoint, **{"timeout": self.deadline_s, **given})


class Submissions:
    """The cluster that the settings name, or the one that runs here."""

    def __init__(self, settings: Settings, deadline_s: float = DEADLINE_S) -> None:
        self.settings, self.deadline_s = settings, deadline_s

    def submit(
        self, submission: str, entrypoint: str, environment: Mapping[str, str], about: Mapping[str, str]
    ) -> None:
        """Run a command line under that id, with these variables."""
        with answering():
            self._client().submit_job(
                entrypoint=entrypoint,
                submission_id=submission,
                metadata=dict(about),
                runtime_env={"env_vars": dict(environment)},
            )

    def status(self, submission: str) -> JobStatus:
        """How that job is."""
        with answering():
            status: JobStatus = self._client().get_job_status(submission)
            return status

    def stop(self, submission: str) -> None:
        """End that job's process."""
        with answering():
            self._client().stop_job(submission)

    def numbers(self, job_id: str) -> dict[str, Any] | None:
        """A job's numbers in flight."""
        told: dict[str, Any] | None = board.read(self.settings.ray.namespace, TOPIC, job_id)
        return told

    def _client(self) -> Client:
        return Client(dashboard_of(self.settings), self.deadline_s)


def job_environment(settings: Settings) -> dict[str, str]:
    """What a job's process must know to read the same settings; no secret is among it."""
    named = {name: value for name, value in os.environ.items() if name.startswith(PREFIX) and name != KEYS_VARIABLE}
    config = os.path.abspath(os.environ.get(CONFIG_VARIABLE) or CONFIGS / "embedded.yaml")
    weights = {f"{PREFIX}WEIGHTS": str(settings.weights)} if settings.weights else {}
    return {
        **named, **weights, CONFIG_VARIABLE: config, f"{PREFIX}ROOT": str(settings.root), "MALLOC_ARENA_MAX": "2",
        "RAY_JOB_STOP_WAIT_TIME_S": "15", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


@contextmanager
def answering() -> Iterator[None]:
    """Make Unavailable of what Ray's client raises; the errors of `requests` are OSErrors."""
    try:
        yield
    except (RuntimeError, OSError, RayError) as error:
        raise Unavailable(f"the cluster does not answer; it is asked again: {error}") from error
