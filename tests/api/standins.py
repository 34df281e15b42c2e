"""Stand-ins for what needs a cluster: a cluster that takes jobs, models over real libraries, and a clock to turn."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from ray.job_submission import JobStatus

from cluster.errors import Unavailable
from cluster.stats import ClusterStats, NodeStats
from cluster.store.database import Library
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


class TakingCluster:
    """A cluster that takes jobs and runs none: a test is the process."""

    def __init__(self) -> None:
        self.taken: dict[str, str] = {}  # submission -> command line
        self.environment: dict[str, str] = {}  # of the last one
        self.ends: dict[str, JobStatus] = {}
        self.stops: list[str] = []
        self.board: dict[str, dict[str, Any]] = {}  # job -> numbers in flight
        self.hindrance: Callable[[str], None] = lambda submission: None  # called before a job is taken

    def submit(
        self, submission: str, entrypoint: str, environment: Mapping[str, str], about: Mapping[str, str]
    ) -> None:
        """Take a job."""
        self.hindrance(submission)
        self.taken[submission], self.environment = entrypoint, dict(environment)

    def status(self, submission: str) -> JobStatus:
        """It runs, if it was taken, until a test ends it."""
        if submission not in self.taken:
            raise Unavailable(f"there is no job {submission}")
        return self.ends.get(submission, JobStatus.RUNNING)

    def stop(self, submission: str) -> None:
        """End a job."""
        self.stops.append(submission)
        self.ends[submission] = JobStatus.STOPPED

    def numbers(self, job_id: str) -> dict[str, Any] | None:
        """The numbers a test put up."""
        return self.board.get(job_id)


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
