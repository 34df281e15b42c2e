"""Whose turn it is: which of the jobs that wait may start beside those that run, and when one that runs gives way.

Two lanes. Heavy jobs divide the cluster's CPUs between their datasets, so one of them works at a time, and they take
turns: between batches the one that works rests when somebody else has waited while it had its share of time. Light jobs
go beside those of other libraries. Over one library nothing runs side by side: a scan also trains, and what deletes
photos must not meet what writes them; but a heavy job rests at once for a light one of its own library, and goes on
after it. Decides only; `jobs.py` does it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from cluster.store.jobs import Job, Jobs, State

SCAN, ANALYSE = "scan", "analyse"
TRAIN, RESCAN_FACES, EVENTS = "train-faces", "rescan-faces", "generate-events"
DELETE_MISSING, SAVE_METADATA = "delete-missing", "save-metadata"
SCAN_NEXTCLOUD, LEAVE_NEXTCLOUD = "scan-nextcloud", "leave-nextcloud"
LIGHT = (TRAIN, EVENTS, DELETE_MISSING, LEAVE_NEXTCLOUD)
HEAVY = (SCAN, SCAN_NEXTCLOUD, RESCAN_FACES, SAVE_METADATA, ANALYSE)
ACTIONS = (*HEAVY, *LIGHT)
HEAVY_AT_ONCE = 1  # two datasets side by side would divide the cluster between them and finish neither sooner
LIGHT_AT_ONCE = 2
WAITING: tuple[State, ...] = ("queued",)
RUNNING: tuple[State, ...] = ("running",)


def clash(one: Job, other: Job) -> bool:
    """Whether two jobs may not run side by side: they would write the same things of one library."""
    return one.owner == other.owner


def urgency(job: Job) -> int:
    """Who goes first whatever the wait: what people ask for, then what a folder or a clock does, then model changes."""
    return 2 if job.action == ANALYSE else int(job.in_background)


def next_ones(jobs: Jobs) -> list[Job]:
    """The queued jobs that may start now, in this order, beside what runs."""
    waiting = jobs.list(states=WAITING, limit=None, oldest_first=True)
    if not waiting:
        return []  # as nearly always
    running = jobs.list(states=RUNNING, limit=None)
    light, heavy = (in_order(jobs, [job for job in waiting if job.action in lane], lane) for lane in (LIGHT, HEAVY))
    chosen = placed(light, running, LIGHT, LIGHT_AT_ONCE)
    return [*chosen, *placed(heavy, [*running, *chosen], HEAVY, HEAVY_AT_ONCE)]


def placed(waiting: Iterable[Job], running: Sequence[Job], lane: Sequence[str], most: int) -> list[Job]:
    """The first of those that wait which fit into a lane beside what runs."""
    chosen: list[Job] = []
    room = most - sum(job.action in lane for job in running)
    for job in waiting:
        if len(chosen) >= room:
            break
        if not any(clash(job, other) for other in (*running, *chosen)):
            chosen.append(job)
    return chosen


def in_order(jobs: Jobs, waiting: Sequence[Job], lane: Sequence[str]) -> list[Job]:
    """The most urgent first; of those, the jobs of whoever has waited longest since a job of theirs last ran."""
    if not waiting:
        return []
    served = jobs.turns_since(min(job.waits_since for job in waiting), lane)

    def waits_since(job: Job) -> datetime:
        return max(job.waits_since, served.get(job.owner, job.waits_since))

    return sorted(waiting, key=lambda job: (urgency(job), waits_since(job), job.waits_since, job.job_id))


class Turn:
    """A heavy job's turn, asked after each of its batches whether it is over.

    It is over at once for somebody more urgent and for a light job that this one is in the way of; for somebody else's
    job that is as urgent, when it has lasted its time. Time counts from the first batch on: what a start and a walk
    take is no share of the work, and every turn gets one batch further at least.
    """

    def __init__(self, jobs: Jobs, job_id: str, lasts_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.jobs, self.job_id, self.lasts_s, self.clock = jobs, job_id, lasts_s, clock
        self.began: float | None = None

    def __call__(self) -> bool:
        """Whether the job is to give way now."""
        self.began = self.clock() if self.began is None else self.began
        waiting = self.jobs.list(states=WAITING, limit=None, oldest_first=True)
        if not waiting:
            return False
        mine = self.jobs.get(self.job_id)  # read again: a person may have asked for it meanwhile
        over = self.clock() - self.began >= self.lasts_s
        return any(goes_first(job, mine, over) for job in waiting) or self.in_the_way(mine, waiting)

    def in_the_way(self, mine: Job, waiting: Sequence[Job]) -> bool:
        """Whether a light job could start now, were it not for this one."""
        light = [job for job in waiting if job.action in LIGHT]
        if not any(clash(job, mine) for job in light):
            return False
        others = [job for job in self.jobs.list(states=RUNNING, limit=None) if job.job_id != mine.job_id]
        return any(clash(job, mine) for job in placed(light, others, LIGHT, LIGHT_AT_ONCE))


def goes_first(job: Job, mine: Job, over: bool) -> bool:
    """Whether a heavy job that waits goes before one that works, whose time is over or not."""
    if job.action in LIGHT:
        return False
    if urgency(job) != urgency(mine):
        return urgency(job) < urgency(mine)
    return over and job.owner != mine.owner and mine.action != ANALYSE
