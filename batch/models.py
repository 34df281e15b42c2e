"""A change of model, from the choice to the last photo, over all libraries: who is to do what next.

Search is never without vectors: those of a new CLIP model are made beside the old ones, and when every library has them
the new model is in use from one moment to the next. Other models are in use as soon as they are loaded. Then jobs
compute again what the ledger says is due. All that is known is in the store, so a change goes on after any restart.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from batch.jobs import ANALYSE, MOST_ATTEMPTS, JobControl
from batch.work import unembedded
from cluster.errors import Conflict
from cluster.settings import SERVICE_OF
from cluster.store.choices import Choice, spec_of
from cluster.store.database import Library, System, open_library
from cluster.store.jobs import ENDED, LIVE, Job
from serve_apps.fleet import Fleet

log = logging.getLogger(__name__)

CLIP = SERVICE_OF["clip"]
UNDER_WAY = ("queued", "running")
NEED_SOMEBODY = {  # how a job can be that does not go on by itself, and what an administrator can do
    "paused": "resume it",
    "cancelled": "retry it, or choose the former model",
    "failed": "its error says why; retry it then",
    "interrupted": "it was cut off too often; its log says why",
}
TRIES = 3  # jobs in a row that embed nothing; a photo under which its GPU fails each time stays as it is


class ModelChanges:
    """Looks after changes of models; `look` is quick while none is under way."""

    def __init__(self, fleet: Fleet, system: System, jobs: JobControl) -> None:
        self.fleet, self.system, self.jobs = fleet, system, jobs
        self.followed: set[tuple[str, str]] = set()  # services and swaps whose jobs have all ended
        self.ready: dict[tuple[str, str], set[str]] = {}  # by service and choice, the owners that had all vectors
        self.opened: dict[str, Library] = {}

    def look(self) -> None:
        """Take each change that is under way one step on."""
        choices = self.system.choices.all()
        self.withdraw(choices)
        for choice in choices.values():
            if choice.changing:
                self.advance(choice)
            elif choice.before and choice.service in SERVICE_OF.values():
                self.follow(choice)

    def withdraw(self, choices: Mapping[str, Choice]) -> None:
        """Cancel the jobs of changes that somebody thought better of: they would hold up the next ones for nothing."""
        for job in self.system.jobs.list(states=LIVE, action=ANALYSE):
            retried = job.arguments.get("retry") and job.arguments.get("part") == "rest"  # by somebody who wants that
            if job.wanted != "cancel" and outdated(job, choices) and not retried:
                with suppress(Conflict):  # it has just ended
                    self.jobs.cancel(job.job_id)

    def advance(self, choice: Choice) -> None:
        """Put a chosen model in use, if it is ready: loaded, and with all its vectors where they are searched."""
        if self.fleet.status(choice.service).next_state not in ("healthy", "degraded"):
            return
        if new_vectors(choice) and not self.all_embedded(choice):
            return
        if self.system.choices.swap(choice):
            log.info("%s computes with another model from now on", choice.service)

    def all_embedded(self, choice: Choice) -> bool:
        """Whether every library has its vectors of a chosen model; notes which job the change waits for if not.

        A library that had them is not looked at again until the others have them too: then all are looked at once more.
        """
        change = (choice.service, choice.changed_at.isoformat())
        ready = self.ready.setdefault(change, set())
        owners = self.owners()
        ready |= {owner for owner in owners if owner not in ready and self.embedded(owner, choice)}
        if ready.issuperset(owners):
            ready &= {owner for owner in owners if self.embedded(owner, choice)}
        left = [owner for owner in owners if owner not in ready]
        self.system.choices.note(choice, self.waits_for(left, choice) if left else "")
        return not left

    def waits_for(self, owners: Sequence[str], choice: Choice) -> str:
        """What a change waits for, in a sentence: a job that somebody must see to, if there is one."""
        for owner in owners:
            last = next(iter(self.jobs_of(owner, arguments(choice))), None)
            if last and last.state in NEED_SOMEBODY:
                return f"the job {last.job_id} of {self.name(owner)} is {last.state}; {NEED_SOMEBODY[last.state]}"
        return f"photos of {len(owners)} {'library' if len(owners) == 1 else 'libraries'} have no vectors of it yet"

    def name(self, owner: str) -> str:
        """What an owner is called."""
        return next((user.name for user in self.system.users.list() if user.user_id == owner), owner)

    def embedded(self, owner: str, choice: Choice) -> bool:
        """Whether a library has all vectors of a chosen model that can be had; a job makes those that are missing."""
        spec = spec_of(choice.chosen)
        assert spec is not None
        started = self.jobs_of(owner, arguments(choice))
        if started and started[0].state in UNDER_WAY:
            return False  # without counting: a large library takes a while
        library = self.library(owner)
        missing = set(unembedded(library, spec.name))
        if not missing or (started and started[0].state == "done" and missing <= failed(library, started[0])):
            return True
        if in_vain(started, len(missing)):
            return len(missing) <= self.fleet.settings.scan.batch_size  # of many it is not the photos' fault
        self.ensure(owner, arguments(choice), None if not started or started[0].state == "done" else started[0])
        return False

    def follow(self, choice: Choice) -> None:
        """See to it that what a swap made due is done by a job of each library that has such; once for each swap."""
        swap = (choice.service, choice.swapped_at.isoformat())
        if swap in self.followed:
            return
        over = [self.over(owner, choice) for owner in self.owners()]  # of each, so that each has its job
        if all(over):
            self.followed.add(swap)

    def over(self, owner: str, choice: Choice) -> bool:
        """Whether the job of a library after a swap has ended; it is started or goes on, if need be."""
        asked = arguments(choice, after=True)
        last = next(iter(self.jobs_of(owner, asked)), None)
        if last is None and not self.due(owner, choice.service):
            return True
        self.ensure(owner, asked, last)
        return last is not None and last.state in ENDED

    def due(self, owner: str, service: str) -> bool:
        """Whether the ledger of a library says that a service has something to do."""
        revisions = self.fleet.revisions()
        stages = {stage: revisions[stage] for stage, one in SERVICE_OF.items() if one == service and stage in revisions}
        return any(self.library(owner).photos.pending_counts(stages).values())

    def ensure(self, owner: str, asked: dict[str, str], last: Job | None) -> None:
        """Start a job, or have one go on that was cut off; one that a person stopped, or that failed, stays so."""
        try:
            if last is None:
                self.jobs.start(owner, ANALYSE, asked)
            elif last.state == "interrupted" and last.attempt < MOST_ATTEMPTS:
                self.jobs.resume(last.job_id)
        except Conflict as conflict:  # a job of another change is under way
            log.debug("the change of %s waits: %s", asked["service"], conflict)

    def jobs_of(self, owner: str, asked: dict[str, str]) -> list[Job]:
        """The jobs of a library that were started for a change, the last one first."""
        return [job for job in self.system.jobs.list(owner, action=ANALYSE) if change_of(job) == asked]

    def owners(self) -> list[str]:
        """Whose libraries there are."""
        return [user.user_id for user in self.system.users.list()]

    def library(self, owner: str) -> Library:
        """A library, opened so that its latest commits are seen."""
        if owner not in self.opened:
            exact = self.fleet.settings.store.model_copy(update={"fresh_s": 0.0})
            self.opened[owner] = open_library(self.fleet.settings.model_copy(update={"store": exact}), owner)
        return self.opened[owner]


def new_vectors(choice: Choice) -> bool:
    """Whether a change is to a model whose vectors are other ones than those that are searched now."""
    before, after = spec_of(choice.in_use), spec_of(choice.chosen)
    return choice.service == CLIP and (before is None or after is None or before.name != after.name)


def arguments(choice: Choice, after: bool = False) -> dict[str, str]:
    """What a job of this change is started with: no two changes have the same."""
    when = choice.swapped_at if after else choice.changed_at
    return {"service": choice.service, "since": when.isoformat(), "part": "rest" if after else "vectors"}


def change_of(job: Job) -> dict[str, Any]:
    """What a job was started with, or the one it is a retry of."""
    return {name: value for name, value in job.arguments.items() if name != "retry"}


def outdated(job: Job, choices: Mapping[str, Choice]) -> bool:
    """Whether a job is of a change that another one came after."""
    choice = choices.get(job.arguments.get("service", ""))
    return choice is not None and change_of(job) not in (arguments(choice), arguments(choice, after=True))


def in_vain(started: Sequence[Job], missing: int) -> bool:
    """Whether the last few jobs came to their end, and embedded none of the photos that are missing still."""
    last = started[:TRIES]
    return (
        len(last) == TRIES
        and all(job.state == "done" and not counted(job, "done") for job in last)
        and missing <= counted(last[0], "total")  # otherwise there are new ones
    )


def counted(job: Job, what: str) -> int:
    """A number of all of a job's stages together."""
    return sum(stage[what] for stage in job.stages)


def failed(library: Library, job: Job) -> set[str]:
    """The photos that a job could not embed."""
    rows = library.errors.of_job(job.job_id, columns=["photo_id", "stage"]).to_pylist()
    return {row["photo_id"] for row in rows if row["stage"] == "clip"}
