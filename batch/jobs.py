"""A job's life: asked for, submitted to Ray, paused, resumed, cancelled, and seen as gone when its process is.

What a scan does is in `scan.py`, how an attempt of a job begins and ends in `attempts.py`; this has it run, once per
library at a time.
"""

import logging
import os
import shlex
import sys
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from ray.job_submission import JobStatus

from batch.progress import HUNG
from batch.submissions import Cluster, Submissions, job_environment
from batch.turns import (
    ACTIONS,
    ANALYSE,
    DELETE_MISSING,
    EVENTS,
    LEAVE_NEXTCLOUD,
    RESCAN_FACES,
    SAVE_METADATA,
    SCAN,
    SCAN_NEXTCLOUD,
    TRAIN,
    next_ones,
)
from cluster.errors import BrightroomError, Conflict, Invalid, NotFound
from cluster.settings import Settings
from cluster.store.clock import Clock, utc_now
from cluster.store.database import System
from cluster.store.jobs import ENDED, LIVE, SCHEDULE, WATCH, Job, State, Wanted

__all__ = ["ACTIONS", "ANALYSE", "DELETE_MISSING", "EVENTS", "RESCAN_FACES", "SAVE_METADATA", "SCAN", "TRAIN"]
log = logging.getLogger(__name__)

SILENCE = timedelta(seconds=12)  # a job that Ray does not know and that has not beaten for so long is gone
FAREWELL = timedelta(seconds=4)  # longer than between two beats
PATIENCE = timedelta(seconds=30)  # with a pause or a cancel, beyond the longest that a batch may take at one model
NEED_FOLDER = (SCAN, SAVE_METADATA, DELETE_MISSING)  # the owner's originals
BY_PIECES = (
    SCAN,
    SCAN_NEXTCLOUD,
    RESCAN_FACES,
    SAVE_METADATA,
    ANALYSE,
)  # some of what they work on may fail, and the rest not
RESTING = ("paused", "interrupted")
MOST_ATTEMPTS = 50
CONNECT = "You are not connected to a Nextcloud; connect first."
CHOOSE = "No folders of your Nextcloud are chosen; choose which are to be scanned."
INTERRUPTED = "The process of this job is gone; resume it to go on from what is committed."


class JobControl:
    """What people may do to jobs. Blocks: call it off the event loop."""

    def __init__(
        self, settings: Settings, system: System, cluster: Cluster | None = None, clock: Clock = utc_now
    ) -> None:
        """`cluster` runs the jobs: without one, that of the settings."""
        self.settings, self.system, self.clock = settings, system, clock
        self.cluster = cluster or Submissions(settings)
        self.jobs = system.jobs
        self.starting: dict[str, threading.Lock] = {}  # by owner
        self.unmet: dict[tuple[str, int, Wanted], datetime] = {}  # job, attempt and wish, since when it was seen

    def start(self, owner: str, action: str, arguments: dict[str, Any], by: str = "") -> Job:
        """A job for an action, or the one that does just this already, resumed if it rests: one of each library.

        `by` is who asks: a user_id, WATCH, SCHEDULE, or nobody known. Raises NotFound for an action nobody knows,
        Invalid when the owner has no folder to scan, and Conflict while a job with other arguments is under way.
        """
        if action not in ACTIONS:
            raise NotFound(f"there is no action {action}; there are {', '.join(ACTIONS)}")
        if action in NEED_FOLDER:
            self.scan_directory(owner)
        if action == SCAN_NEXTCLOUD:
            self.chosen_folders(owner)
        mine = self.starting.setdefault(owner, threading.Lock())  # threads wait for each other, processes ask again
        with mine:
            if job := self.under_way(owner, action, arguments):  # as for most of many who ask at once
                return self.joined(job, arguments, by)
            with self.system.leases.alone(f"start:{owner}"):
                if job := self.under_way(owner, action, arguments):
                    return self.joined(job, arguments, by)
                created = self.jobs.create(owner, action, arguments, by)
        self.dispatch()
        return self.jobs.get(created.job_id)

    def under_way(self, owner: str, action: str, arguments: dict[str, Any]) -> Job | None:
        """The job that whoever asks for an action has to do with, because it has not ended."""
        self.reap()
        live = self.jobs.list(owner, states=LIVE, action=action)
        same = [job for job in live if meant(job.arguments) == meant(arguments)]
        # Several changes of models wait for each other; leaving waits for the end of a scan that was just cancelled.
        others = [] if action in (ANALYSE, LEAVE_NEXTCLOUD) else live
        return next(iter([*same, *others]), None)

    def joined(self, job: Job, arguments: dict[str, Any], by: str) -> Job:
        """The job that is under way, for somebody who asks for what it does; raises Conflict for anything else."""
        if not covers(meant(job.arguments), meant(arguments)):
            told = f"the {job.action} {job.job_id}, asked for with other arguments, is {job.state}"
            way = "ask for the same to go on with it" if job.state in RESTING else "wait for its end"
            raise Conflict(f"{told}; {way}, or cancel it first")
        refuse_cancelled(job)
        if job.in_background and by not in (WATCH, SCHEDULE):
            job = self.jobs.take_on(job.job_id, by)
        return self.resume(job.job_id) if job.wanted == "pause" or job.state in RESTING else job

    def scan_directory(self, owner: str) -> Path:
        """The folder of an owner's originals; raises Invalid when there is none."""
        named = self.system.users.get(owner).scan_directory
        if not named:
            raise Invalid("no folder is set for your photos; an administrator sets the scan directory")
        if not os.path.isdir(named):
            raise Invalid(f"the folder {named} is not there; mount it, or have an administrator set another")
        return Path(named)

    def chosen_folders(self, owner: str) -> list[str]:
        """The folders of an owner's Nextcloud that are scanned; raises Conflict where there are none."""
        connection = self.system.sources.find(owner)
        if connection is None or not connection.folders:
            raise Conflict(CHOOSE if connection else CONNECT)
        return connection.folders

    def pause(self, job_id: str) -> Job:
        """Ask a job to stop after the batch it is at; it can be resumed."""
        job = self.jobs.get(job_id)
        if job.state not in ("queued", "running"):
            raise Conflict(f"this job is {job.state}; only a queued or running one can be paused")
        refuse_cancelled(job)
        if self.jobs.want(job_id, "pause").state == "queued":
            self.jobs.pause_queued(job_id)
        return self.jobs.get(job_id)

    def resume(self, job_id: str) -> Job:
        """Let a paused or interrupted job go on from what is committed, or take the wish for a pause back."""
        job = self.jobs.get(job_id)
        if job.state not in RESTING and (job.state in ENDED or job.wanted != "pause"):
            raise Conflict(f"this job is {job.state}; only a paused or interrupted one can be resumed")
        refuse_cancelled(job)
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

    def retry(self, job_id: str, by: str = "") -> Job:
        """A new job for what an ended one could not do; raises Conflict where nothing is left of it to do."""
        job = self.jobs.get(job_id)
        if job.state not in ENDED:
            raise Conflict(f"this job is {job.state}; wait for its end, or cancel it")
        if job.action not in BY_PIECES and job.state == "done":
            raise Conflict(f"this {job.action} did all it had to do; start a new one if there is more by now")
        return self.start(job.owner, job.action, again(job), by or job.by)

    def live(self, job_id: str) -> dict[str, Any] | None:
        """A job's numbers in flight, fresher than its row; None when it does not run."""
        return self.cluster.numbers(job_id)

    def reap(self) -> list[Job]:
        """Note of running jobs whose process is gone that they are interrupted, or as was wished; returns them.

        Ray knows of a process's end at once. A silent process that it says is alive may just be slow to start on a
        busy machine, and has longer. One that beats and does not do as wished is stopped, and is gone next time.
        """
        running = self.jobs.list(states=["running"])
        gone = [job for job in running if self.gone(job)]
        self.insist([job for job in running if job.wanted != "run" and job not in gone])
        return [self.jobs.get(job.job_id) for job in gone if self.jobs.interrupt(job, INTERRUPTED)]

    def gone(self, job: Job) -> bool:
        """Whether nobody works on a running job any more."""
        silent = self.clock() - (job.beat_at or job.created_at)
        match self.told_by_ray(job.submission):
            case JobStatus.PENDING | JobStatus.RUNNING:
                return silent > HUNG
            case None:
                return silent > SILENCE
        return silent > FAREWELL  # it ended; its last word in the row may be on its way

    def told_by_ray(self, submission: str) -> JobStatus | None:
        """How Ray says a submission is; None when it knows none or does not answer."""
        with suppress(BrightroomError):
            return self.cluster.status(submission)
        return None

    def insist(self, wished: list[Job]) -> None:
        """Stop the processes that were asked to pause or end too long ago: one that hangs holds everybody up.

        Since when is counted from when this object first saw the wish, and, once stopped, anew.
        """
        now = self.clock()
        since = {(job.job_id, job.attempt, job.wanted): job for job in wished}
        self.unmet = {key: self.unmet.get(key, now) for key in since}
        patience = timedelta(seconds=self.settings.scan.call_timeout_s) + PATIENCE
        for key in [key for key, seen in self.unmet.items() if now - seen > patience]:
            self.unmet[key] = now
            try:
                self.cluster.stop(since[key].submission)
            except BrightroomError:
                log.warning("the job %s does not stop, and could not be stopped", key[0], exc_info=True)

    def dispatch(self) -> None:
        """Submit the jobs that wait and whose turn it is."""
        if not next_ones(self.jobs):
            return  # as nearly always: a look is cheaper than taking turns
        with self.system.leases.alone("dispatch"):  # two who count what runs would both find room
            started = [job for job in map(self.take, next_ones(self.jobs)) if job]
        for job in started:
            self.submit(job)

    def take(self, job: Job) -> Job | None:
        """A queued job as started, to be submitted; None when somebody else has it or it has ended."""
        with suppress(Conflict):
            return self.jobs.start(job.job_id, f"{job.job_id}-{job.attempt + 1}", after=job.attempt)
        return None

    def submit(self, job: Job) -> None:
        """Make a started job a Ray job."""
        python, attempt = shlex.quote(sys.executable), job.attempt
        command = f"exec {python} -m batch run {job.job_id} --attempt {attempt}"
        about = {"job": job.job_id, "action": job.action, "owner": job.owner}
        try:
            self.cluster.submit(job.submission, command, job_environment(self.settings), about)
        except (BrightroomError, RuntimeError, OSError) as error:
            self.refused(job, f"the cluster did not take the job: {error}")

    def refused(self, job: Job, why: str) -> None:
        """Let a job wait for its turn again, unless it is to rest: a cluster that has just started takes none yet.

        Not for ever. One whose process beats was taken all the same, and is left to it.
        """
        wanted = self.jobs.get(job.job_id).wanted
        state: State = "failed" if job.attempt >= MOST_ATTEMPTS else "queued"
        self.jobs.leave(msgspec.structs.replace(job, wanted=wanted), state, why if state == "failed" else "")


def again(job: Job) -> dict[str, Any]:
    """What a retry of a job is asked for: what failed of it, or all of it where it is all or nothing."""
    if job.action not in BY_PIECES:
        return job.arguments
    # Not `full`: what a full scan made work again and did not come to is still to do.
    return {**{name: value for name, value in job.arguments.items() if name != "full"}, "retry": True}


def covers(job: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a job does all that is asked for: the same, or everything where only what changed is asked for."""
    return job == asked or (not asked and job.keys() <= {"full", "retry"})


def meant(arguments: dict[str, Any]) -> dict[str, Any]:
    """What arguments ask for: those that are left out and those that say no are the same."""
    return {name: value for name, value in arguments.items() if value}


def refuse_cancelled(job: Job) -> None:
    """Raise Conflict for a job that is to be cancelled: nothing takes that back."""
    if job.wanted == "cancel":
        raise Conflict(f"the {job.action} {job.job_id} is being cancelled; start a new one when it has ended")
