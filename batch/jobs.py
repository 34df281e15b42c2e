"""A job's life: asked for, submitted to Ray, paused, resumed, cancelled, and seen as gone when its process is.

What a scan does is in `scan.py`; this runs it, once per library at a time, and keeps its row true.
"""

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ray.job_submission import JobStatus, JobSubmissionClient

from batch.progress import Reporter, read_board
from cluster.errors import BrightroomError, Conflict, Invalid, NotFound, Unavailable
from cluster.runtime import dashboard_of
from cluster.settings import CONFIG_VARIABLE, CONFIGS, PREFIX, Settings
from cluster.store.database import System
from cluster.store.jobs import ENDED, Job, State

SILENCE = timedelta(seconds=12)  # a job that Ray does not know and that has not beaten for so long is gone
HUNG = timedelta(minutes=3)  # a process that is there and has not beaten for so long will not again
FAREWELL = timedelta(seconds=4)  # longer than between two beats
UNDER_WAY: tuple[State, ...] = ("queued", "running", "paused", "interrupted")
ACTIONS = ("scan",)
HEAVY_AT_ONCE = 1  # two datasets side by side would divide the cluster between them and finish neither sooner
MOST_ATTEMPTS = 50
INTERRUPTED = "The process of this job is gone; resume it to go on from what is committed."


class JobControl:
    """What people may do to jobs. Blocks: call it off the event loop."""

    def __init__(self, settings: Settings, system: System) -> None:
        self.settings, self.system = settings, system
        self.jobs = system.jobs

    def start(self, owner: str, action: str, arguments: dict[str, Any]) -> Job:
        """A job for an action, or the one that is under way already: one of each library at a time.

        Raises NotFound for an action nobody knows and Invalid when the owner has no folder to scan.
        """
        if action not in ACTIONS:
            raise NotFound(f"there is no action {action}; there are {', '.join(ACTIONS)}")
        self.scan_directory(owner)
        with alone(self.system, f"start:{owner}"):
            self.reap()
            if under_way := self.jobs.list(owner, limit=1, states=UNDER_WAY, action=action):
                return under_way[0]
            job = self.jobs.create(owner, action, arguments)
        self.dispatch()
        return self.jobs.get(job.job_id)

    def scan_directory(self, owner: str) -> Path:
        """The folder of an owner's originals; raises Invalid when there is none."""
        named = self.system.users.get(owner).scan_directory
        if not named:
            raise Invalid("no folder is set for your photos; an administrator sets the scan directory")
        if not os.path.isdir(named):
            raise Invalid(f"the folder {named} is not there; mount it, or have an administrator set another")
        return Path(named)

    def pause(self, job_id: str) -> Job:
        """Ask a job to stop after the batch it is at; it can be resumed."""
        job = self.jobs.want(job_id, "pause")
        if job.state not in ("queued", "running"):
            raise Conflict(f"this job is {job.state}; only a queued or running one can be paused")
        if job.state == "queued":
            self.jobs.pause_queued(job_id)
        return self.jobs.get(job_id)

    def resume(self, job_id: str) -> Job:
        """Let a paused or interrupted job go on from what is committed."""
        job = self.jobs.get(job_id)
        if job.state not in ("paused", "interrupted"):
            raise Conflict(f"this job is {job.state}; only a paused or interrupted one can be resumed")
        self.jobs.want(job_id, "run")
        self.jobs.requeue(job_id)
        self.dispatch()
        return self.jobs.get(job_id)

    def cancel(self, job_id: str) -> Job:
        """End a job; what it has committed stays."""
        job = self.jobs.want(job_id, "cancel")
        if job.state in ENDED:
            raise Conflict(f"this job is {job.state} already")
        if job.state != "running":
            self.jobs.finish(job_id, job.attempt, "cancelled")
        return self.jobs.get(job_id)

    def retry(self, job_id: str) -> Job:
        """A new job for what an ended one could not do."""
        job = self.jobs.get(job_id)
        if job.state not in ENDED:
            raise Conflict(f"this job is {job.state}; wait for its end, or cancel it")
        return self.start(job.owner, job.action, {**job.arguments, "retry": True})

    def live(self, job_id: str) -> dict[str, Any] | None:
        """A job's numbers in flight, fresher than its row; None when it does not run."""
        return read_board(self.settings, job_id)

    def reap(self) -> list[Job]:
        """Mark running jobs whose process is gone as interrupted; returns them.

        Ray knows of a process's end at once. A silent process that it says is alive may just be slow to start on a
        busy machine, and has longer.
        """
        gone = [job for job in self.jobs.list(states=["running"]) if self.gone(job)]
        return [self.jobs.get(job.job_id) for job in gone if self.jobs.interrupt(job, INTERRUPTED)]

    def gone(self, job: Job) -> bool:
        """Whether nobody works on a running job any more."""
        silent = datetime.now(UTC) - (job.beat_at or job.created_at)
        match self.told_by_ray(job.submission):
            case JobStatus.PENDING | JobStatus.RUNNING:
                return silent > HUNG
            case None:
                return silent > SILENCE
        return silent > FAREWELL  # it ended; its last word in the row may be on its way

    def told_by_ray(self, submission: str) -> JobStatus | None:
        """How Ray says a submission is; None when it knows none or does not answer."""
        with suppress(RuntimeError, ConnectionError, BrightroomError):
            status: JobStatus = self.client().get_job_status(submission)
            return status
        return None

    def dispatch(self) -> None:
        """Submit the jobs that wait, the owner who waited longest first, as many as may run side by side."""
        under_way = self.jobs.list(states=["running"])
        waiting = sorted(self.jobs.list(states=["queued"]), key=lambda job: job.created_at)
        for job in waiting[: max(0, HEAVY_AT_ONCE - len(under_way))]:
            self.submit(job)

    def submit(self, job: Job) -> None:
        """Make a queued job a Ray job; of two who try, one does."""
        submission = f"{job.job_id}-{job.attempt + 1}"
        try:
            started = self.jobs.start(job.job_id, submission, after=job.attempt)
        except Conflict:
            return  # the other one has it
        try:
            self.client().submit_job(
                entrypoint=f"exec {sys.executable} -m batch run {job.job_id} --attempt {started.attempt}",
                submission_id=submission,
                metadata={"job": job.job_id, "action": job.action, "owner": job.owner},
                runtime_env={"env_vars": job_environment(self.settings)},
            )
        except (RuntimeError, ConnectionError, Unavailable) as error:
            self.refused(started, f"the cluster did not take the job: {error}")

    def refused(self, job: Job, why: str) -> None:
        """Let a job wait for its turn again: a cluster that has just started takes none yet. Not for ever."""
        if job.attempt >= MOST_ATTEMPTS:
            self.jobs.finish(job.job_id, job.attempt, "failed", why)
        elif self.jobs.interrupt(job, why):
            self.jobs.requeue(job.job_id)

    def client(self) -> JobSubmissionClient:
        """Ray's own list of jobs."""
        return JobSubmissionClient(dashboard_of(self.settings))


@contextmanager
def alone(system: System, name: str) -> Iterator[None]:
    """One caller at a time, in all processes; a caller that died in here is passed over after ten seconds."""
    me = secrets.token_hex(8)
    while (lease := system.leases.acquire(name, me, timedelta(seconds=10))) is None:
        time.sleep(0.05)
    try:
        yield
    finally:
        system.leases.release(lease)


def job_environment(settings: Settings) -> dict[str, str]:
    """What a job's process must know to read the same settings; no secret is among it."""
    named = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    config = os.path.abspath(os.environ.get(CONFIG_VARIABLE) or CONFIGS / "embedded.yaml")
    weights = {f"{PREFIX}WEIGHTS": str(settings.weights)} if settings.weights else {}
    return {
        **named, **weights, CONFIG_VARIABLE: config, f"{PREFIX}ROOT": str(settings.root), "MALLOC_ARENA_MAX": "2",
        "RAY_JOB_STOP_WAIT_TIME_S": "15", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


@contextmanager
def running(settings: Settings, system: System, job: Job) -> Iterator[Reporter]:
    """A job's attempt, reported while the block runs; how the block ends is how the job ends."""
    jobs = system.jobs
    with Reporter(settings, jobs, job.job_id, job.attempt) as reporter:
        try:
            yield reporter
        except BrightroomError as error:
            reporter.beat()
            jobs.finish(job.job_id, job.attempt, "failed", str(error))
            raise
        except Exception as error:
            reporter.beat()
            sentence = (
                f"Brightroom itself failed ({type(error).__name__}); the job's log in the Ray dashboard says more"
            )
            jobs.finish(job.job_id, job.attempt, "failed", sentence)
            raise
        wanted = reporter.wanted  # as the work saw it: a wish that comes now comes too late
        reporter.beat()
        close(system, job, wanted)


def close(system: System, job: Job, wanted: str) -> None:
    """Note how an attempt ended that nothing went wrong in."""
    if wanted == "pause":
        system.jobs.pause(job.job_id, job.attempt)
    elif wanted != "stop":
        system.jobs.finish(job.job_id, job.attempt, "cancelled" if wanted == "cancel" else "done")
