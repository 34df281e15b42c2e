"""A job's numbers on their way: to a board in the cluster that people watch, and now and then into the job's row.

The board is a named actor and holds nothing that matters: it is gone with the cluster, the rows are not.
"""

import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any, cast

import msgspec
import ray
from ray.exceptions import RayError

from cluster.settings import Settings

BOARD = "progress"
LOOK_S = 1.0  # between two posts to the board
BEAT_S = 3.0  # between two heartbeats in the job's row


class StageProgress(msgspec.Struct):
    """One stage of a job: `thumbnails 1,204 / 5,000`."""

    name: str
    total: int = 0
    done: int = 0
    failed: int = 0
    state: str = "waiting"  # waiting, running, done, pending
    note: str = ""  # why it is pending
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
        """Count something worth telling."""
        self.facts[name] = self.facts.get(name, 0) + count

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


class Board:
    """The latest numbers of each job, for whoever looks."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}

    def post(self, job_id: str, told: dict[str, Any]) -> None:
        """Put a job's numbers up."""
        self.jobs[job_id] = told

    def read(self, job_id: str) -> dict[str, Any] | None:
        """A job's numbers."""
        return self.jobs.get(job_id)

    def clear(self, job_id: str) -> None:
        """Take a job's numbers down: it ended, its row has them."""
        self.jobs.pop(job_id, None)


def board(settings: Settings) -> Any:
    """The board's handle; starts it where there is none."""
    options = ray.remote(Board).options(
        name=BOARD,
        namespace=settings.ray.namespace,
        lifetime="detached",
        get_if_exists=True,
        num_cpus=0,
        max_restarts=-1,
    )
    return cast(Any, options).remote()


def read_board(settings: Settings, job_id: str) -> dict[str, Any] | None:
    """A running job's numbers in flight; None when nobody posted any."""
    with suppress(ValueError, RayError):
        actor = ray.get_actor(BOARD, namespace=settings.ray.namespace)
        told: dict[str, Any] | None = ray.get(actor.read.remote(job_id), timeout=2)
        return told
    return None


class Reporter:
    """Posts a job's numbers to the board every second, beats in its row every few, and learns what is wanted of it.

    A context manager: the thread ends with the block.
    """

    def __init__(self, settings: Settings, jobs: Any, job_id: str, attempt: int) -> None:
        self.jobs, self.job_id, self.attempt = jobs, job_id, attempt
        self.board = board(settings)
        self.progress = Progress()
        self.wanted = "run"
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> "Reporter":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self.board.clear.remote(self.job_id)

    def watch(self) -> None:
        """Report until the job is over."""
        beaten = 0.0
        while not self.over.wait(LOOK_S):
            self.board.post.remote(self.job_id, self.progress.told())
            if time.monotonic() - beaten > BEAT_S:
                self.beat()
                beaten = time.monotonic()

    def beat(self) -> None:
        """Say in the job's row that this attempt lives, and read what is wanted of it."""
        told = self.progress.told()
        if not self.jobs.beat(self.job_id, self.attempt, told["stages"], told["counts"]):
            self.wanted = "stop"  # another attempt took over
            return
        self.wanted = self.jobs.get(self.job_id).wanted
