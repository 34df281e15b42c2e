"""Changes of models over a real store: a fleet that says what is loaded, and a test as the process of each job."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from batch import rows
from batch.jobs import JobControl
from batch.models import ModelChanges
from batch.work import unembedded
from cluster.settings import ModelSpec, Settings, StoreSettings
from cluster.store.choices import in_use, spec_of
from cluster.store.database import Library, System, open_library, open_system
from cluster.store.jobs import Job
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import rows_of
from tests.api.standins import Clock, TakingCluster

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
CLIP, TAGS = "clip_embeddings", "tags"
OLD, NEW, NEWER = (ModelSpec(kind="clip", checkpoint=name, revision="1") for name in ("old", "new", "newer"))
TAGGER, BETTER = (ModelSpec(kind="imagenet-tags", checkpoint=name, revision="1") for name in ("tagger", "better"))


@dataclass
class Loads:
    """A fleet whose chosen models are loaded when a test says so."""

    settings: Settings
    system: System
    loaded: set[str] = field(default_factory=set)
    state: str = "healthy"

    def status(self, service: str) -> Any:
        """How the next model of a service is."""
        spec = spec_of(self.system.choices.all()[service].chosen)
        return SimpleNamespace(next_state=self.state if spec and spec.name in self.loaded else "starting")

    def revisions(self) -> dict[str, str]:
        """What the ledger is to say of each stage."""
        return in_use(self.settings, self.system.choices.all()).revisions


class Household:
    """Owners with photos that all have vectors of the old model, and whoever looks after changes of models."""

    def __init__(self, root: Path, owners: Collection[str]) -> None:
        services: dict[str, ModelSpec | None] = {CLIP: OLD, TAGS: TAGGER}
        self.settings = Settings(root=root, services=services, store=StoreSettings(fresh_s=0))
        self.clock, self.cluster = Clock(), TakingCluster()
        self.system = open_system(self.settings, self.clock)
        self.control = JobControl(self.settings, self.system, self.cluster, self.clock)
        self.owners = {name: self.system.users.create(name, "hash").user_id for name in owners}
        self.fleet = Loads(self.settings, self.system)
        for service, spec in services.items():
            self.system.choices.settle(service, spec)
        for owner in owners:
            self.photos(owner, f"{owner}1", f"{owner}2")
            self.embed(owner, OLD, f"{owner}1", f"{owner}2")
        self.restart()

    def restart(self) -> None:
        """Nothing is known any more but what is in the store."""
        fleet: Any = self.fleet
        self.changes = ModelChanges(fleet, self.system, self.control)

    def library(self, owner: str) -> Library:
        """Somebody's library."""
        return open_library(self.settings, self.owners[owner])

    def photos(self, owner: str, *ids: str) -> None:
        """Photos that were read, not more."""
        known = {"media_rev": "media-1", "taken_at": NOON, "added_at": NOON, "changed_at": NOON}
        made = [{"photo_id": photo, **known} for photo in ids]
        library = self.library(owner)
        library.photos.upsert(library.photos.completed(rows_of(made, PHOTOS)))

    def embed(self, owner: str, spec: ModelSpec, *ids: str) -> None:
        """Vectors of a model."""
        table = self.library(owner).embeddings(spec.name, 2)
        table.upsert(rows_of([{"id": one, "photo_id": one, "vector": [0.0, 1.0]} for one in ids], table.schema))

    def choose(self, service: str, spec: ModelSpec, loaded: bool = True) -> None:
        """A person chooses a model, which is loaded or not yet."""
        self.clock.advance(seconds=1)
        self.system.choices.choose(service, spec, "ann")
        if loaded:
            self.fleet.loaded.add(spec.name)

    def look(self, times: int = 1) -> None:
        """What goes on every two seconds beside requests."""
        for _ in range(times):
            self.clock.advance(seconds=2)
            self.changes.look()
            for job in self.system.jobs.list(states=["running"]):
                self.system.jobs.beat(job.job_id, job.attempt)
            self.control.reap()
            self.control.dispatch()

    def in_use(self, service: str = CLIP) -> str:
        """The checkpoint in use."""
        spec = spec_of(self.system.choices.all()[service].in_use)
        return spec.checkpoint if spec else ""

    def jobs(self, part: str = "") -> list[Job]:
        """The jobs there were, oldest first."""
        found = self.system.jobs.list(action="analyse")[::-1]
        return [job for job in found if part in ("", job.arguments["part"])]

    def running(self) -> Job:
        """The job that runs."""
        (job,) = self.system.jobs.list(states=["running"])
        return job

    def work(self, failing: Collection[str] = (), pending: Collection[str] = ()) -> Job:
        """The process of the job that runs, from its beginning to its end; some photos it cannot embed, some fail."""
        job = self.running()
        owner = next(name for name, user_id in self.owners.items() if user_id == job.owner)
        stages = [self.vectors(job, owner, failing, pending)] if job.arguments["part"] == "vectors" else []
        self.system.jobs.beat(job.job_id, job.attempt, stages, {})
        self.system.jobs.finish(job.job_id, job.attempt, "done")
        return self.system.jobs.get(job.job_id)

    def vectors(self, job: Job, owner: str, failing: Collection[str], pending: Collection[str]) -> dict[str, Any]:
        """Embed what has no vector, as batch/vectors.py does it; returns what the stage tells of itself."""
        choice = self.system.choices.all()[CLIP]
        spec = spec_of(choice.chosen)
        assert spec
        if choice.changed_at.isoformat() != job.arguments["since"]:
            return {"name": "clip", "total": 0, "done": 0, "failed": 0}
        missing = unembedded(self.library(owner), spec.name)
        done = [photo for photo in missing if photo not in (*failing, *pending)]
        self.embed(owner, spec, *done)
        wrong = [photo for photo in missing if photo in failing]
        library = self.library(owner)
        errors = [rows.failure(job.job_id, one, one, one, "clip", "cannot be", NOON) for one in wrong]
        library.errors.upsert(rows_of(errors, library.errors.schema))
        return {"name": "clip", "total": len(missing), "done": len(done), "failed": len(wrong)}

    def finished(self, **how: list[str]) -> int:
        """Look and work until nothing is to do; returns how many jobs that took."""
        before, idle = len(self.jobs()), 0
        for _ in range(50):
            self.look()
            busy = bool(self.system.jobs.list(states=["running"]))
            if busy:
                self.work(**how)
            idle = 0 if busy else idle + 1
            if idle == 2:  # one in which a model is put in use, and one in which nothing follows from that
                return len(self.jobs()) - before
        raise AssertionError("it goes on without end")
