"""A job's numbers on their way: to a board in the cluster that people watch, and now and then into the job's row.

The board (cluster/board.py) holds nothing that matters: it is gone with the cluster, the rows are not.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import msgspec
from ray.exceptions import RayError

from cluster.errors import BrightroomError
from cluster.store.jobs import ACCOUNT, FINDINGS, PREPARED, Job, Jobs

log = logging.getLogger(__name__)

TOPIC = "jobs"  # on the board
HUNG = timedelta(minutes=3)  # a process that is there and has not beaten for so long will not again


class StageProgress(msgspec.Struct):
    """One stage of a job: `thumbnails 1,204 / 5,000`."""

    name: str
    total: int = 0
    done: int = 0
    failed: int = 0
    state: str = "waiting"  # waiting, running, done, pending
    note: str = ""  # why it is pending, or how many bytes have come of how many
    rate: float = 0  # photos a second since it began
    eta_s: float | None = None
    spent_s: float = 0  # from its beginning to the last commit so far, in this attempt
    began: float | None = None  # monotonic seconds, this process only

    def advance(self, done: int, failed: int) -> None:
        """Count photos that were committed with this stage."""
        self.done += done
        self.failed += failed
        spent = time.monotonic() - self.began if self.began is not None else 0
        if spent > 0:
            self.spent_s = round(spent, 2)
            self.rate = round((self.done + self.failed) / spent, 2)
            self.eta_s = round((self.total - self.done - self.failed) / self.rate, 1) if self.rate else None

    def told(self) -> dict[str, Any]:
        """The stage as people are told."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if name != "began"}

    def begin(self, total: int) -> None:
        """More photos wait for this stage."""
        self.total += total
        self.began = self.began or time.monotonic()
        self.state = "running"


class Progress(msgspec.Struct):
    """All of a job's numbers. `listed = committed + failed + skipped`, for files."""

    stages: dict[str, StageProgress] = {}
    listed: int = 0
    committed: int = 0
    failed: int = 0
    skipped_by: dict[str, int] = {}
    facts: dict[str, int] = {}  # photos_added, photos_changed, missing, moved, ...

    def stage(self, name: str) -> StageProgress:
        """The stage of that name."""
        return self.stages.setdefault(name, StageProgress(name))

    def skip(self, reasons: dict[str, int]) -> None:
        """Count entries that were left out, by reason."""
        self.skipped_by = dict(Counter(self.skipped_by) + Counter(reasons))

    def fact(self, name: str, count: int) -> None:
        """Count something that changed; what later attempts of the job change is added to it."""
        self.facts[name] = self.facts.get(name, 0) + count

    @property
    def prepared(self) -> bool:
        """Whether what the job makes work again was made so, in this attempt or a former one."""
        return PREPARED in self.facts

    def told(self) -> dict[str, Any]:
        """The numbers as the job's row and the API tell them."""
        counts = {
            "listed": self.listed, "committed": self.committed, "failed": self.failed,
            "skipped": sum(self.skipped_by.values()), "skipped_by": self.skipped_by, **self.facts,
        }  # fmt: skip
        stages = [
            {k: v for k, v in msgspec.to_builtins(stage).items() if k != "began"} for stage in self.stages.values()
        ]
        return {"stages": stages, "counts": counts}


def begun(job: Job) -> Progress:
    """The numbers of a new attempt: from nothing, but for the facts, which tell what the job has changed by now."""
    facts = {name: count for name, count in job.counts.items() if name not in (*ACCOUNT, *FINDINGS)}
    return Progress(facts=facts)


class Pace(msgspec.Struct, frozen=True):
    """How often a reporter reports, and when it gives up."""

    look_s: float = 1.0  # between two posts to the board
    beat_s: float = 3.0  # between two heartbeats in the job's row
    give_up_s: float = HUNG.total_seconds() - 60  # without a heartbeat; a batch may take a minute to its edge


STEADY = Pace()


class Reporter:
    """Posts a job's numbers to the board every second, beats in its row every few, and learns what is wanted of it.

    A context manager: the thread ends with the block.
    """

    def __init__(self, board: Any, jobs: Jobs, job: Job, pace: Pace = STEADY) -> None:
        """`board` is an actor's handle; `job` is as it was when this attempt of it was started."""
        self.board, self.jobs, self.job, self.pace = board, jobs, job, pace
        self.progress = begun(job)
        self.heeded = "run"  # what the work has read and acts on
        self.wish = "run"  # as the row says
        self.why = ""  # it rests, where nobody asked for that
        self.stopping = False
        self.beaten = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> "Reporter":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        with logged("the numbers could not be taken down"):
            self.board.clear.remote(TOPIC, self.job.job_id)

    @property
    def wanted(self) -> str:
        """What the work is to do: the first word other than `run` that it reads stays, whatever is wished later.

        The work lets go of a batch when it reads such a word; a later `run` would leave that batch out of the account.
        """
        if self.heeded == "run":
            self.heeded = "stop" if self.stopping else self.wish
        return self.heeded

    def give_way(self) -> None:
        """Want the work to rest at a batch's edge and wait for its turn again, unless something else is wanted."""
        if self.wanted == "run":
            self.heeded = "pause"

    def rest(self, why: str) -> None:
        """Want the work to rest until somebody resumes it, unless something else is wanted; `why` is a sentence."""
        if self.wanted == "run":
            self.heeded, self.why = "pause", why

    def stop(self) -> None:
        """Want the work to end at a batch's edge, for good; a signal's handler may call this."""
        self.stopping = True

    def watch(self) -> None:
        """Report until the job is over; whatever else ends this ends the work too."""
        due = 0.0
        try:
            while not self.over.wait(self.pace.look_s):
                with logged("the numbers could not be posted"):
                    self.board.post.remote(TOPIC, self.job.job_id, self.progress.told())
                if time.monotonic() >= due:
                    self.try_to_beat()
                    due = time.monotonic() + self.pace.beat_s
        finally:
            self.stop()

    def try_to_beat(self) -> None:
        """Beat; what hinders it is logged, and when it has for too long, the work is to stop.

        Who does not beat is soon taken for dead, and another attempt begins.
        """
        with logged("the job's row could not be written"):
            self.beat()
        if time.monotonic() - self.beaten > self.pace.give_up_s:
            self.stop()

    def beat(self) -> None:
        """Say in the job's row that this attempt lives, and read what is wanted of it."""
        told = self.progress.told()
        if not self.jobs.beat(self.job.job_id, self.job.attempt, told["stages"], told["counts"]):
            self.stop()  # another attempt took over
            return
        self.beaten = time.monotonic()
        self.wish = self.jobs.get(self.job.job_id).wanted


@contextmanager
def logged(what: str) -> Iterator[None]:
    """Log what the store or the cluster raises in the block, and go on after it: the next try may do."""
    try:
        yield
    except (RayError, BrightroomError, RuntimeError, OSError):
        log.warning("%s; trying again", what, exc_info=True)
