"""Jobs: one row for each run of a Library action. What runs it, and where, is `batch/jobs.py`'s business.

queued -> running -> done | failed | cancelled
          running -> paused, or interrupted (its process is gone) -> queued -> running, by another attempt
          running -> queued (no cluster took it, or it gave way to another)
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import msgspec
import pyarrow as pa
from lancedb.expr import Expr, col, lit

from cluster.errors import Conflict, NotFound
from cluster.store.clock import Clock, utc_now
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, maybe, rows_of, texts
from cluster.store.table import Table

State: TypeAlias = Literal["queued", "running", "paused", "interrupted", "done", "failed", "cancelled"]
Wanted: TypeAlias = Literal["run", "pause", "cancel"]
LIVE: tuple[State, ...] = ("queued", "running", "paused", "interrupted")  # may still come to something
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
RESTS_AS: dict[Wanted, State] = {"pause": "paused", "cancel": "cancelled"}  # once nobody works on it
WATCH, SCHEDULE = "watch", "schedule"  # who asks for a job where nobody does: a folder that changed, a clock
ACCOUNT = ("listed", "committed", "failed", "skipped", "skipped_by")  # in counts: of files, by an attempt
# In counts: how an attempt found things to be. All else in counts is what the job has changed, in all its attempts.
FINDINGS = (
    "gone_unmarked", "too_many_gone", "marker_lost", "marker_foreign", "marker_unreadable",
    "events", "faces_labeled", "faces_inferred", "faces_unknown", "unchanged",
)  # fmt: skip
PREPARED = "prepared"  # in counts: a full scan has made everything work again; a mark for later attempts only

SCHEMA = pa.schema(
    [
        key("job_id"),
        *texts("owner", "action", "arguments", "state", "wanted", "submission", "stages", "counts", "error", "by"),
        column("attempt", pa.int32()),
        column("beat", pa.int64()),
        column("created_at", TIME),
        maybe("started_at", TIME),
        maybe("finished_at", TIME),
        maybe("beat_at", TIME),
        maybe("queued_at", TIME),
    ]
)


class Job(msgspec.Struct, frozen=True):
    """One run of a Library action."""

    job_id: str
    owner: str  # user_id
    action: str
    arguments: dict[str, Any]
    state: State
    wanted: Wanted
    attempt: int  # which process works on it: counts starts
    submission: str  # id of the Ray job, "" for one in the foreground
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    beat_at: datetime | None
    beat: int
    stages: list[dict[str, Any]]  # name, total, done, failed, skipped, state, rate, eta_s, spent_s, note
    counts: dict[str, Any]  # listed, committed, failed, skipped, ...
    error: str  # a sentence
    by: str = ""  # who asked for it: a user_id, WATCH, SCHEDULE, or "" for a shell and for Brightroom itself
    queued_at: datetime | None = None  # since when it waits, or waited last; none in rows of an older Brightroom

    @property
    def waits_since(self) -> datetime:
        """Since when a queued job has waited for its turn."""
        return self.queued_at or self.created_at

    @property
    def in_background(self) -> bool:
        """Whether no person asked for it."""
        return self.by in (WATCH, SCHEDULE)


Listing: TypeAlias = list[Job]  # in a class with a method `list`, that word is taken


def job_of(row: Mapping[str, Any]) -> Job:
    """A row as a record."""
    unpacked = {name: msgspec.json.decode(row[name]) for name in ("arguments", "stages", "counts")}
    return msgspec.convert({**row, **unpacked}, Job)


def packed(value: Any) -> str:
    """A value as JSON text."""
    return msgspec.json.encode(value).decode()


class Jobs:
    """All jobs. A process that works on one calls itself by the number `start` gave it, its attempt."""

    def __init__(self, database: Connection, clock: Clock = utc_now) -> None:
        self.table = Table(database, "jobs", SCHEMA, "job_id")
        self._clock = clock

    def create(self, owner: str, action: str, arguments: Mapping[str, Any], by: str = "") -> Job:
        """A new job, queued."""
        now = self._clock()
        row = {
            "job_id": secrets.token_hex(8), "owner": owner, "action": action, "arguments": packed(arguments),
            "state": "queued", "wanted": "run", "stages": "[]", "counts": "{}", "by": by,
            "created_at": now, "queued_at": now,
        }  # fmt: skip
        self.table.insert_new(rows_of([row], SCHEMA))
        return self.get(str(row["job_id"]))

    def get(self, job_id: str) -> Job:
        """A job; raises NotFound."""
        if row := self.table.get(job_id):
            return job_of(row)
        raise NotFound("There is no such job.")

    def list(
        self,
        owner: str | None = None,
        limit: int | None = 100,
        states: Iterable[State] = (),
        action: str | None = None,
        oldest_first: bool = False,
    ) -> Listing:
        """Jobs, newest first: of one owner or of all, in any of the states or in all, of one action or of all."""
        among = tuple(states)
        where = col("state").isin(among) if among else lit(True)
        if owner is not None:
            where = where & (col("owner") == lit(owner))
        if action is not None:
            where = where & (col("action") == lit(action))
        rows = self.table.rows(where, limit=limit, order_by="created_at", descending=not oldest_first)
        return [job_of(row) for row in rows.to_pylist()]

    def ended_last(self, limit: int) -> Listing:
        """The jobs that ended last, however long ago they were asked for."""
        rows = self.table.rows(col("state").isin(list(ENDED)), limit=limit, order_by="finished_at", descending=True)
        return [job_of(row) for row in rows.to_pylist()]

    def start(self, job_id: str, submission: str = "", after: int | None = None) -> Job:
        """Begin, or go on after a pause or an interruption; the job comes back with the number of this attempt.

        Whoever worked on it before is shut out. With `after`, only as the next attempt after that one: of several who
        start the job they have all seen, one does. Raises NotFound, and Conflict for a job that has ended or moved on.
        """
        now = self._clock()
        while (job := self.get(job_id)).state not in ENDED:
            if after not in (None, job.attempt):
                raise Conflict("Somebody else has started this job; look at it again.")
            values: dict[str, Any] = {
                "state": "running", "attempt": job.attempt + 1, "submission": submission or job.submission, "error": "",
                "started_at": job.started_at or now, "finished_at": None, "beat_at": now,
            }  # fmt: skip
            if self.table.change(self._attempt(job_id, job.attempt) & live(), values):
                return msgspec.structs.replace(job, **values)  # read again, it could be the next attempt's
        raise Conflict(f"This job is {job.state} already; start a new one.")

    def beat(
        self,
        job_id: str,
        attempt: int,
        stages: Iterable[Mapping[str, Any]] | None = None,
        counts: Mapping[str, Any] | None = None,
    ) -> bool:
        """Say that an attempt lives, with its progress; False when another took over or the job ended: stop then."""
        values: dict[str, Any] = {"beat": col("beat") + lit(1), "beat_at": self._clock()}
        if stages is not None:
            values["stages"] = packed([*stages])
        if counts is not None:
            values["counts"] = packed(counts)
        return bool(self.table.change(self._attempt(job_id, attempt) & (col("state") == lit("running")), values))

    def pause(self, job_id: str, attempt: int, why: str = "") -> bool:
        """Note that an attempt stopped because it was asked to, or why else; False when it was not its to say."""
        running = self._attempt(job_id, attempt) & (col("state") == lit("running"))
        return bool(self.table.change(running, {"state": "paused", "beat_at": self._clock(), "error": why}))

    def pause_queued(self, job_id: str) -> bool:
        """Note that a job pauses before it ever ran; False when it runs by now."""
        return bool(
            self.table.change((col("job_id") == lit(job_id)) & (col("state") == lit("queued")), {"state": "paused"})
        )

    def requeue(self, job_id: str) -> bool:
        """Let a paused or interrupted job wait for its turn, whatever is wanted of it; False when it is neither."""
        resting = col("state").isin(["paused", "interrupted"])
        values = {"state": "queued", "error": "", "queued_at": self._clock()}
        return bool(self.table.change((col("job_id") == lit(job_id)) & resting, values))

    def finish(self, job_id: str, attempt: int, state: State, error: str = "") -> bool:
        """Note how an attempt ended: done, failed (with a sentence) or cancelled; False when another took over."""
        values = {"state": state, "error": error, "finished_at": self._clock(), "beat_at": self._clock()}
        return bool(self.table.change(self._attempt(job_id, attempt) & live(), values))

    def want(self, job_id: str, wanted: Wanted) -> Job:
        """Note what somebody wants of a job; its process looks between chunks. An ended job stays as it is.

        So does one that is to be cancelled: nothing takes that back. Raises NotFound.
        """
        open_to_it = live() & (col("wanted") != lit("cancel"))
        self.table.change((col("job_id") == lit(job_id)) & open_to_it, {"wanted": wanted})
        return self.get(job_id)

    def take_on(self, job_id: str, by: str) -> Job:
        """Note that a person asks for a job that nobody did before: it counts as theirs from now on."""
        background = col("by").isin([WATCH, SCHEDULE])
        self.table.change((col("job_id") == lit(job_id)) & background, {"by": by})
        return self.get(job_id)

    def turns_since(self, moment: datetime, actions: Iterable[str]) -> dict[str, datetime]:
        """When a job of one of the actions ran last, by owner, of those for whom one has run since a moment."""
        ran = (col("beat_at") >= lit(moment)) & (col("attempt") > lit(0)) & col("action").isin([*actions])
        rows = self.table.rows(ran, ["owner", "beat_at"], order_by="beat_at")
        return {row["owner"]: row["beat_at"] for row in rows.to_pylist()}

    def submitted(self, job_id: str, submission: str) -> None:
        """Note under which id Ray runs a job."""
        self.table.change(col("job_id") == lit(job_id), {"submission": submission})

    def leave(self, job: Job, state: State, error: str = "") -> bool:
        """Note that nobody works on a running job: it rests as was wished, else as told; False if it moved meanwhile.

        "Moved" is against the job as it was read: its attempt, its beat and what was wanted of it.
        """
        state, error = (RESTS_AS[job.wanted], "") if job.wanted in RESTS_AS else (state, error)
        unmoved = self._attempt(job.job_id, job.attempt) & (col("beat") == lit(job.beat))
        same = unmoved & (col("state") == lit(job.state)) & (col("wanted") == lit(job.wanted))
        finished = self._clock() if state in ENDED else None
        return bool(self.table.change(same, {"state": state, "error": error, "finished_at": finished}))

    def interrupt(self, job: Job, error: str = "") -> bool:
        """Note that the process of a running job is gone: interrupted, unless a pause or its end was wished."""
        return self.leave(job, "interrupted", error)

    def interrupt_silent(self, ttl: timedelta, error: str = "The process of this job is gone; resume it.") -> Listing:
        """Note that running jobs which have not beaten for `ttl` are interrupted, and return them."""
        silent = (col("state") == lit("running")) & (col("beat_at") < lit(self._clock() - ttl))
        jobs = [job_of(row) for row in self.table.rows(silent).to_pylist()]
        return [self.get(job.job_id) for job in jobs if self.interrupt(job, error)]

    def _attempt(self, job_id: str, attempt: int) -> Expr:
        return (col("job_id") == lit(job_id)) & (col("attempt") == lit(attempt))


def live() -> Expr:
    """Lets jobs through that have not ended."""
    return col("state").isin(list(LIVE))
