"""A change of model, from the choice to the last photo, over all libraries: who is to do what next.

Search is never without vectors: those of a new CLIP model are made beside the old ones, and when every library has them
the new model is in use from one moment to the next. Other models are in use as soon as they are loaded. Then jobs
compute again what the ledger says is due. All that is known is in the store, so a change goes on after any restart.
"""

import logging

from batch.jobs import ANALYSE, JobControl
from batch.work import unembedded
from cluster.errors import Conflict
from cluster.settings import SERVICE_OF
from cluster.store.choices import Choice, spec_of
from cluster.store.database import Library, System, open_library
from cluster.store.jobs import Job
from serve_apps.fleet import Fleet

log = logging.getLogger(__name__)

CLIP = SERVICE_OF["clip"]


class ModelChanges:
    """Looks after changes of models; `look` is quick while none is under way."""

    def __init__(self, fleet: Fleet, system: System, jobs: JobControl) -> None:
        self.fleet, self.system, self.jobs = fleet, system, jobs
        self.followed: set[tuple[str, str]] = set()  # services and models whose jobs after the swap were seen to

    def look(self) -> None:
        """Take each change that is under way one step on."""
        for choice in self.system.choices.all().values():
            if choice.changing:
                self.advance(choice)
            elif choice.before and choice.service in SERVICE_OF.values():
                self.follow(choice)

    def advance(self, choice: Choice) -> None:
        """Put a chosen model in use, if it is ready: loaded, and with all its vectors where they are searched."""
        if self.fleet.status(choice.service).next_state not in ("healthy", "degraded"):
            return
        waited_for = self.owners() if choice.service == CLIP else []
        ready = [self.embedded(owner, choice) for owner in waited_for]  # of each, so that each has its job
        if all(ready) and self.system.choices.swap(choice):
            log.info("%s computes with another model from now on", choice.service)

    def embedded(self, owner: str, choice: Choice) -> bool:
        """Whether a library has all vectors of a chosen model that can be had; a job makes those that are missing."""
        spec = spec_of(choice.chosen)
        assert spec is not None
        library = self.library(owner)
        missing = set(unembedded(library, spec.name))
        if not missing:
            return True
        last = self.last_job(owner, choice)
        if last and last.state == "done" and missing <= failed(library, last):
            return True
        self.ensure(owner, choice, last if last and last.state != "done" else None)
        return False

    def follow(self, choice: Choice) -> None:
        """See to it that each library has a job for what a swap made due; once for each swap."""
        swap = (choice.service, choice.swapped_at.isoformat())
        if swap in self.followed:
            return
        for owner in self.owners():
            self.ensure(owner, choice, self.last_job(owner, choice, after=True), after=True)
        self.followed.add(swap)

    def ensure(self, owner: str, choice: Choice, last: Job | None, after: bool = False) -> None:
        """Start a job, or have one go on that was cut off; one that a person stopped, or that failed, stays so."""
        try:
            if last is None:
                self.jobs.start(owner, ANALYSE, arguments(choice, after))
            elif last.state == "interrupted":
                self.jobs.resume(last.job_id)
        except Conflict as conflict:  # a job of a former choice: it ends by itself
            log.info("the change of %s waits: %s", choice.service, conflict)

    def last_job(self, owner: str, choice: Choice, after: bool = False) -> Job | None:
        """The job of a library that was started last for this change."""
        asked = arguments(choice, after)
        there = self.system.jobs.list(owner, action=ANALYSE, limit=20)
        return next((job for job in there if job.arguments == asked), None)

    def owners(self) -> list[str]:
        """Whose libraries there are."""
        return [user.user_id for user in self.system.users.list()]

    def library(self, owner: str) -> Library:
        """A library, opened so that its latest commits are seen."""
        exact = self.fleet.settings.store.model_copy(update={"fresh_s": 0.0})
        return open_library(self.fleet.settings.model_copy(update={"store": exact}), owner)


def arguments(choice: Choice, after: bool) -> dict[str, str]:
    """What a job of this change is started with: no two changes have the same."""
    when = choice.swapped_at if after else choice.changed_at
    return {"service": choice.service, "since": when.isoformat(), "part": "rest" if after else "vectors"}


def failed(library: Library, job: Job) -> set[str]:
    """The photos that a job could not embed."""
    rows = library.errors.of_job(job.job_id, columns=["photo_id", "stage"]).to_pylist()
    return {row["photo_id"] for row in rows if row["stage"] == "clip"}
