"""Stand-ins for what needs a cluster: a cluster that takes jobs, models over real libraries, and a clock to turn."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from ray.job_submission import JobStatus

from cluster.errors import Unavailable
from cluster.gpus import Gpu, GpuProcess
from cluster.machine import Cpu, Disk, Memory
from cluster.nodes import Figures
from cluster.stats import ClusterStats, NodeStats, ObjectStore
from cluster.store.database import Library
from cluster.store.timeline import PhotoFilter
from serve_apps.models.protocol import Caption, CaptionRequest, DetectedFace, Image
from serve_apps.models.similarity import Match, nearest_among
from serve_apps.online import Embedded, FacesSeen, known
from serve_apps.status import ReplicaStatus, ServiceStatus, how_to_start

MODEL = "test-clip@1"
FACES = "test-faces@1"
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


class PinBoard:
    """A board on which tests put what jobs, replicas and writers would tell."""

    def __init__(self) -> None:
        self.words: dict[str, dict[str, Any]] = {}
        self.away = False

    def __call__(self, topic: str) -> dict[str, Any]:
        """The words under a topic."""
        if self.away:
            raise Unavailable("the board does not answer")
        return dict(self.words.get(topic, {}))

    def post(self, topic: str, key: str, word: Any) -> None:
        """Put a word up, as it goes over the wire."""
        self.words.setdefault(topic, {})[key] = msgspec.to_builtins(word)


class WordModels:
    """Model calls over the real library; a text's vector is the sum of vectors drawn for its words."""

    def __init__(self, library: Callable[[str], Library]) -> None:
        self.library = library
        self.down: set[str] = set()
        self.faces_seen: list[DetectedFace] = []  # in any picture
        self.pictures: list[Image] = []  # that faces were looked for in
        self.chosen: dict[str, dict[str, Any]] = {}  # by service

    async def embed(self, item: Any) -> Embedded:
        """The vector of a text, or of a picture: that of its shape's words."""
        self._require("clip_embeddings")
        return Embedded(MODEL, vector_of(item if isinstance(item, str) else "x".join(map(str, item.shape))))

    async def nearest(self, owner: str, near: Embedded, limit: int, within: PhotoFilter | None = None) -> list[Match]:
        """The nearest photos, of those that a filter lets through."""
        self._require("image_similarity")
        return [Match(*hit) for hit in nearest_among(self.library(owner), near.model, near.vector, limit, within)]

    async def similar(self, owner: str, photo_id: str, limit: int) -> list[Match]:
        """The photos nearest to one."""
        vector = self.library(owner).embeddings(MODEL, WIDTH).vectors([photo_id]).get(photo_id)
        found = await self.nearest(owner, Embedded(MODEL, vector), limit + 1) if vector else []
        return [match for match in found if match.photo_id != photo_id][:limit]

    async def caption(self, request: CaptionRequest) -> Caption:
        """A sentence of what is known; the picture is looked at, as far as its size."""
        self._require("image_captioning")
        assert request.image is not None
        return Caption(f"{request.image.shape[1]} pixels of {', '.join(request.tags)}", "test-captioner")

    async def faces(self, image: Image) -> FacesSeen:
        """The faces that a test put there."""
        self._require("face_recognition")
        self.pictures.append(image)
        return FacesSeen(FACES, self.faces_seen)

    async def services(self) -> list[ServiceStatus]:
        """One service, healthy or not."""
        return [self.status("clip_embeddings")]

    def start(self, name: str, by: str) -> ServiceStatus:
        """Let a service answer."""
        self.down.discard(known(name))
        return self.status(name)

    def stop(self, name: str, by: str) -> ServiceStatus:
        """Let a service not answer."""
        self.down.add(known(name))
        return self.status(name)

    def choose(self, name: str, changes: Mapping[str, Any], by: str) -> ServiceStatus:
        """Note a choice."""
        known(name)
        self.chosen[name] = dict(changes)
        return self.status(name)

    def status(self, name: str) -> ServiceStatus:
        """How a service is."""
        return healthy(name) if name not in self.down else msgspec.structs.replace(
            healthy(name), state="stopped", wanted="stopped", reason="it was stopped", replicas=[]
        )  # fmt: skip

    def _require(self, service: str) -> None:
        if service in self.down:
            raise Unavailable(f"the service {service} is stopped; {how_to_start(service)}")


def healthy(name: str) -> ServiceStatus:
    """A service with one replica."""
    ready = datetime(2026, 11, 25, tzinfo=UTC)
    replica = ReplicaStatus("abc", "RUNNING", "node1", "here", 4711, "cpu", [], 2**20, 0, ready, 1.5)
    return ServiceStatus(
        name=name, state="healthy", reason="", wanted="running", since=ready, model=MODEL, kind="clip", device="cpu",
        gpus=0, gpu_memory_gb=0, application=f"{name}-12345678", replicas=[replica], min_replicas=1, max_replicas=1,
        requests=12, items=100, failures=1, p50_s=0.01, p99_s=0.5, queue=0, restarts=0, last_error="",
        last_error_at=None, cold_start_s=1.5,
    )  # fmt: skip


def vector_of(text: str) -> list[float]:
    """A unit vector that texts with the same words share."""
    total = np.zeros(WIDTH)
    for word in text.casefold().split():
        seed = int.from_bytes(hashlib.sha256(word.encode(errors="surrogatepass")).digest()[:4], "big")
        total += np.random.default_rng(seed).normal(size=WIDTH)
    length = float(np.linalg.norm(total)) or 1.0
    return [float(value) for value in total / length]


def two_nodes() -> ClusterStats:
    """A cluster of one node with a GPU, and one that does not answer."""
    gpu = Gpu(0, "NVIDIA H100", 80 * 2**30, 2**30, 0.25, 40, [GpuProcess(4711, 2**29), GpuProcess(8, None)])
    here = Figures(Cpu("A processor", 2, 1, 0.5), Memory(2**30, 2**29), Disk(2**40, 2**39, 2**38), [gpu])
    nodes = [NodeStats("node1", "here", here), NodeStats("node2", "there", None)]
    return ClusterStats(nodes, {"CPU": 2.0}, {"CPU": 1.0}, ObjectStore(2**20, 2**10), "2.60.0")
