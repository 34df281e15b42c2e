"""Stand-ins for what needs a cluster: jobs over the real table, models over real libraries, and a clock to turn."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from cluster.errors import Conflict, Unavailable
from cluster.stats import ClusterStats, NodeStats
from cluster.store.database import Library, System
from cluster.store.jobs import Job
from serve_apps.fleet import ServiceStatus
from serve_apps.models.similarity import Match

MODEL = "test-clip@1"
WIDTH = 64


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **passed: float) -> None:
        """Let time pass."""
        self.now += timedelta(**passed)


class TableJobs:
    """Job control over the real table of jobs, without processes behind it: a test is the process."""

    def __init__(self, system: System) -> None:
        self.jobs = system.jobs
        self.numbers: dict[str, dict[str, Any]] = {}

    def start(self, owner: str, action: str, arguments: dict[str, Any]) -> Job:
        """The job under way, or a new one."""
        under_way = self.jobs.list(owner, states=["queued", "running", "paused", "interrupted"], action=action)
        return under_way[0] if under_way else self.jobs.create(owner, action, arguments)

    def pause(self, job_id: str) -> Job:
        """Want a pause."""
        return self._wanted(job_id, "pause")

    def resume(self, job_id: str) -> Job:
        """Want it to run."""
        return self._wanted(job_id, "run")

    def cancel(self, job_id: str) -> Job:
        """Want it cancelled."""
        return self._wanted(job_id, "cancel")

    def retry(self, job_id: str) -> Job:
        """A new job like an ended one."""
        job = self.jobs.get(job_id)
        if job.state not in ("done", "failed", "cancelled"):
            raise Conflict(f"This job is {job.state}; wait for its end.")
        return self.start(job.owner, job.action, {**job.arguments, "retry": True})

    def live(self, job_id: str) -> dict[str, Any] | None:
        """The numbers a test put up."""
        return self.numbers.get(job_id)

    def _wanted(self, job_id: str, wanted: Any) -> Job:
        if self.jobs.get(job_id).state in ("done", "failed", "cancelled"):
            raise Conflict("This job has ended.")
        return self.jobs.want(job_id, wanted)


class WordModels:
    """Model calls over the real library; a text's vector is the sum of vectors drawn for its words."""

    def __init__(self, library: Callable[[str], Library]) -> None:
        self.library = library
        self.down: set[str] = set()

    def clip_model(self) -> str:
        """The one model there is."""
        return MODEL

    async def embed_text(self, text: str) -> list[float]:
        """The vector of a text."""
        self._require("clip_embeddings")
        return vector_of(text)

    async def nearest(self, owner: str, model: str, vector: list[float], limit: int) -> list[Match]:
        """The nearest photos."""
        self._require("image_similarity")
        return [Match(*hit) for hit in self.library(owner).nearest(model, vector, limit)]

    async def similar(self, owner: str, model: str, photo_id: str, limit: int) -> list[Match]:
        """The photos nearest to one."""
        table = self.library(owner).embeddings(model, WIDTH)
        vector = table.vectors([photo_id]).get(photo_id)
        found = await self.nearest(owner, model, vector, limit + 1) if vector else []
        return [match for match in found if match.photo_id != photo_id][:limit]

    async def services(self) -> list[ServiceStatus]:
        """One service, healthy or not."""
        state = "stopped" if "clip_embeddings" in self.down else "healthy"
        return [ServiceStatus("clip_embeddings", state, "", int(state == "healthy"), MODEL, "cpu", 0)]

    def _require(self, service: str) -> None:
        if service in self.down:
            raise Unavailable(f"the service {service} does not answer; see `GET /api/services` for its state")


def vector_of(text: str) -> list[float]:
    """A unit vector that texts with the same words share."""
    total = np.zeros(WIDTH)
    for word in text.casefold().split():
        seed = int.from_bytes(hashlib.sha256(word.encode(errors="surrogatepass")).digest()[:4], "big")
        total += np.random.default_rng(seed).normal(size=WIDTH)
    length = float(np.linalg.norm(total)) or 1.0
    return [float(value) for value in total / length]


def two_nodes() -> ClusterStats:
    """A cluster of one node."""
    return ClusterStats([NodeStats("here", True, 2, 0.5, 2**30, 2**29, [])], {"CPU": 2.0}, {"CPU": 1.0})
