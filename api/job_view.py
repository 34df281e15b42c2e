"""A job as people see it: its row, and while it runs its numbers in flight."""

from datetime import datetime
from typing import Any

import msgspec

from api.deps import JobControl
from cluster.store.jobs import PREPARED, Job


class StageView(msgspec.Struct, frozen=True):
    """One stage of a job: `thumbnails 1,204 / 5,000`."""

    name: str
    total: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    state: str = ""
    rate: float | None = None  # photos a second
    eta_s: float | None = None
    spent_s: float = 0  # seconds it has worked, up to its last commit
    note: str = ""


class JobView(msgspec.Struct, frozen=True):
    """One run of a Library action. In `counts`, listed = committed + failed + skipped."""

    job_id: str
    owner: str
    action: str
    arguments: dict[str, Any]
    state: str  # queued, running, paused, interrupted, done, failed, cancelled
    wanted: str  # run, pause, cancel
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stages: list[StageView]
    counts: dict[str, Any]
    error: str  # a sentence, when it failed


def viewed(job: Job, control: JobControl) -> JobView:
    """A job with its newest numbers; blocks."""
    live = control.live(job.job_id) if job.state == "running" else None
    return view(job, live or {})


def view(job: Job, live: dict[str, Any]) -> JobView:
    """A job with numbers in flight over those of its row."""
    facts = {name: getattr(job, name) for name in JobView.__struct_fields__} | live
    counts = {name: count for name, count in facts["counts"].items() if name != PREPARED}
    return msgspec.convert({**facts, "counts": counts}, JobView, strict=False)
