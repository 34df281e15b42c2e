"""A job as people see it: its row, while it runs its numbers in flight, what it changed, and how to undo that."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from lancedb.expr import col, lit

from api.deps import JobControl
from batch.former import Formers
from batch.turns import DELETE_MISSING, LEAVE_NEXTCLOUD, SAVE_METADATA
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.jobs import ACCOUNT, ENDED, FINDINGS, PREPARED, Job

DELETING = (DELETE_MISSING, LEAVE_NEXTCLOUD)  # actions that move photos into the trash


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


class Undo(msgspec.Struct, frozen=True):
    """The request that takes back what a job deleted, while that is in the trash, or wrote, while that is kept."""

    method: str
    path: str
    body: dict[str, str]
    photos: int  # that it would bring back; with none it is too late, or done already


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
    by: str = ""  # who asked for it: a user's id, `watch`, `schedule`, or nothing for a shell and Brightroom itself
    changed: dict[str, int] = {}  # what it has changed, in all its attempts: {"photos_added": 30}
    undo: Undo | None = None  # of a job that deletes, or has written metadata


def viewed(
    job: Job, control: JobControl, library: Callable[[str], Library] | None = None, settings: Settings | None = None
) -> JobView:
    """A job with its newest numbers; with the libraries by user_id, and the settings, how to undo it too. Blocks."""
    live = control.live(job.job_id) if job.state == "running" else None
    undo = undone_by(job, library(job.owner)) if library and job.action in DELETING else None
    if settings and job.action == SAVE_METADATA and job.state in ENDED and not job.arguments.get("undo"):
        undo = unsaved_by(job, settings)
    return view(job, live or {}, undo)


def view(job: Job, live: dict[str, Any], undo: Undo | None = None) -> JobView:
    """A job with numbers in flight over those of its row."""
    facts = {name: getattr(job, name) for name in JobView.__struct_fields__ if hasattr(job, name)} | live
    counts = {name: count for name, count in facts["counts"].items() if name != PREPARED}
    told = {**facts, "counts": counts, "changed": changed(counts), "undo": undo}
    return msgspec.convert(told, JobView, strict=False)


def changed(counts: Mapping[str, Any]) -> dict[str, int]:
    """Of a job's counts, those that say what it changed."""
    return {name: count for name, count in counts.items() if name not in (*ACCOUNT, *FINDINGS) and count}


def unsaved_by(job: Job, settings: Settings) -> Undo:
    """How to take back what a job has written into files."""
    photos = Formers(settings, job.owner).photos(job.job_id)
    return Undo("POST", "/api/library/actions/save-metadata", {"undo": job.job_id}, photos)


def undone_by(job: Job, library: Library) -> Undo:
    """How to take back what a job has moved into the trash."""
    photos = library.trash.count(col("action_id") == lit(job.job_id))
    return Undo("POST", "/api/trash/restore", {"action_id": job.job_id}, photos)
