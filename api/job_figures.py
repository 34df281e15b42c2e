"""Figures of jobs: how many in which state, how far those that run have come, what failed, who waits, who is stuck."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import datetime

from prometheus_client.metrics_core import Metric

from api.deps import JobControl
from api.families import counter, gauge
from api.job_view import JobView, StageView, viewed
from cluster.store.clock import Clock, utc_now
from cluster.store.jobs import ENDED, LIVE, Jobs

NEWEST = 200  # jobs that may have ended since the last look
REMEMBERED = 20_000  # stages of jobs' attempts: some times as many as a look finds
STAGE = ("action", "stage")
NUMBERS: tuple[tuple[str, str, Callable[[StageView], float]], ...] = (
    ("rows", "Photos or files that a stage of running jobs is to see.", lambda stage: stage.total),
    ("rows_done", "Photos or files that a stage of running jobs has done.", lambda stage: stage.done),
    ("rows_failed", "Photos or files that a stage of running jobs could not do.", lambda stage: stage.failed),
    ("rows_per_second", "Photos or files that a stage does in a second.", lambda stage: stage.rate or 0),
)


class JobFigures:
    """Reads the jobs' rows, and of those that run the numbers in flight. Counts failures from its first look on."""

    def __init__(self, jobs: Jobs, control: JobControl, clock: Clock = utc_now) -> None:
        self._jobs, self._control, self._clock = jobs, control, clock
        self._looked = False
        self._seen = Growth(REMEMBERED)  # of failures of a job's attempt in a stage
        self._failures: Tally[tuple[str, str]] = Tally()  # by action and stage

    def families(self) -> Iterator[Metric]:
        """All figures of jobs; blocks."""
        states = Tally(self._jobs.table.rows(columns=["state"])["state"].to_pylist())
        running = self._jobs.list(limit=NEWEST, states=("running",))
        views = [viewed(job, self._control) for job in running]
        self._count([*views, *[viewed(job, self._control) for job in self._jobs.ended_last(NEWEST)], *self._resting()])
        yield gauge("brightroom_jobs", "Jobs by state.", ["state"], [([s], states[s]) for s in (*LIVE, *ENDED)])
        yield from stages(views)
        yield counter(
            "brightroom_job_failed_rows", "Photos or files that a stage of any job could not do.", STAGE,
            sorted(self._failures.items()),
        )  # fmt: skip
        yield self._waiting()
        beats = [(job.action, job.beat_at or job.created_at) for job in running]
        yield gauge(
            "brightroom_job_heartbeat_age_seconds",
            "Time since the last sign of life of the running job that has been silent for longest.",
            ["action"], [([action], self._since(at)) for action, at in sorted(oldest(beats).items())],
        )  # fmt: skip

    def _resting(self) -> list[JobView]:
        return [viewed(job, self._control) for job in self._jobs.list(limit=NEWEST, states=("paused", "interrupted"))]

    def _waiting(self) -> Metric:
        """How long the first in the queue has been there."""
        first = self._jobs.list(limit=1, states=("queued",), oldest_first=True)
        age = self._since(first[0].created_at) if first else 0
        sentence = "Time since the longest waiting queued job was asked for; 0 when none waits."
        return gauge("brightroom_job_oldest_queued_seconds", sentence, [], [([], age)])

    def _since(self, moment: datetime) -> float:
        return max(0.0, (self._clock() - moment).total_seconds())

    def _count(self, jobs: Iterable[JobView]) -> None:
        """Add what failed since the last look. Another attempt counts from nothing; what was there at first is old."""
        for job in jobs:
            for stage in job.stages:
                at, group = (job.job_id, job.attempt, stage.name), (job.action, stage.name)
                grown = self._seen.grown(at, stage.failed)
                self._failures[group] += grown if self._looked else 0
        self._looked = True


class Growth:
    """By how much counts have grown. Of more than `most` counts those longest unheard of are forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[Hashable, int] = {}

    def grown(self, name: Hashable, count: int) -> int:
        """By how much a count is higher than ever before; one that is new has grown from 0."""
        before = self._seen.pop(name, 0)
        self._seen[name] = max(before, count)
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]
        return max(0, count - before)


def stages(jobs: Iterable[JobView]) -> Iterator[Metric]:
    """How far some jobs have come, summed by action and stage."""
    found: dict[tuple[str, str], list[StageView]] = defaultdict(list)
    for job in jobs:
        for stage in job.stages:
            found[job.action, stage.name].append(stage)
    for name, sentence, number in NUMBERS:
        sums = [(labels, sum(map(number, same))) for labels, same in sorted(found.items())]
        yield gauge(f"brightroom_job_stage_{name}", sentence, STAGE, sums)


def oldest(moments: Iterable[tuple[str, datetime]]) -> dict[str, datetime]:
    """The first moment of each name."""
    first: dict[str, datetime] = {}
    for name, moment in moments:
        first[name] = min(moment, first.get(name, moment))
    return first
