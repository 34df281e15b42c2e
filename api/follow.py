"""A job's progress in a terminal until it ends. Ctrl-C asks for a pause and waits for it, a second one does not."""

import time
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from batch.jobs import JobControl
from cluster.errors import Conflict
from cluster.store.jobs import Job

LOOK_S = 0.5
PAUSING = "pausing after this batch; Ctrl-C again does not wait for it"
RESTING = ("done", "failed", "cancelled", "paused", "interrupted")


def follow(jobs: JobControl, job_id: str, console: Console | None) -> Job:
    """The job as it ended, rests or was left; its stages are shown meanwhile where there is a console."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=console is None) as bars:
        shown: dict[str, TaskID] = {}
        with suppress(KeyboardInterrupt):
            return watch(jobs, job_id, bars, shown)
        with suppress(KeyboardInterrupt):
            pause(jobs, job_id, console)
            return watch(jobs, job_id, bars, shown)
    return jobs.jobs.get(job_id)


def pause(jobs: JobControl, job_id: str, console: Console | None) -> None:
    """Ask a job to pause, and say so; one that has just ended has."""
    if console:
        console.print(PAUSING)
    with suppress(Conflict):
        jobs.pause(job_id)


def watch(jobs: JobControl, job_id: str, bars: Progress, shown: dict[str, TaskID]) -> Job:
    """Show the job's stages until it rests."""
    while True:
        jobs.reap()
        jobs.dispatch()
        job = jobs.jobs.get(job_id)
        over = job.state in RESTING
        told = None if over else jobs.live(job_id)
        show(bars, shown, told["stages"] if told else job.stages)
        if over:
            return job
        time.sleep(LOOK_S)


def show(bars: Progress, shown: dict[str, TaskID], stages: list[dict[str, Any]]) -> None:
    """Bring the bars up to date."""
    for stage in stages:
        if stage["name"] not in shown:
            shown[stage["name"]] = bars.add_task(stage["name"], total=None, note="")
        bars.update(
            shown[stage["name"]], total=stage["total"], completed=stage["done"] + stage["failed"], note=note(stage)
        )


def note(stage: dict[str, Any]) -> str:
    """What is worth saying beside a bar."""
    if stage["note"]:
        return str(stage["note"])
    failed = f"{stage['failed']} failed" if stage["failed"] else ""
    rate = f"{stage['rate']:.1f}/s" if stage["rate"] and stage["state"] == "running" else ""
    return "  ".join(part for part in (rate, failed) if part)
