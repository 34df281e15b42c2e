"""What the command line prints: tables for people, JSON for programs. Asks the store, decides nothing."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from lancedb.expr import col, lit
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from batch.plan import Plan
from cluster.settings import Settings
from cluster.store.database import Library, System
from cluster.store.jobs import ENDED, PREPARED, Job
from cluster.store.timeline import overview

if TYPE_CHECKING:
    from api.cache import Cache, Files  # which asks whether Ray runs

MOST_FAILURES = 1000  # printed of one job
GO_ON = "`brightroom scan` goes on from what is committed."


def plain(console: Console, value: Any) -> None:
    """A value as JSON, unwrapped, for programs."""
    console.file.write(json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=1) + "\n")


def ended(console: Console, jobs: Sequence[tuple[Job, Library]], as_json: bool) -> None:
    """How jobs ended; as JSON one of them, or a list of several."""
    if as_json:
        told = [{**msgspec.to_builtins(job), "errors": failures(job, library, None)} for job, library in jobs]
        plain(console, told[0] if len(told) == 1 else told)
        return
    for one, library in jobs:
        job(console, one, library)


def failures(ended: Job, library: Library, limit: int | None) -> list[dict[str, Any]]:
    """What failed in a job."""
    found: list[dict[str, Any]] = library.errors.of_job(
        ended.job_id, columns=["name", "stage", "reason"], limit=limit
    ).to_pylist()
    return found


def job(console: Console, ended: Job, library: Library) -> None:
    """How a job ended, what it counted, and each failure."""
    failed = failures(ended, library, MOST_FAILURES)
    console.print(f"[bold]{ended.action}[/] {ended.state}  {escape(ended.error)}")
    console.print(accounted(ended.counts) if ended.action == "scan" else counted(ended.counts))
    for failure in failed:
        console.print(f"  [red]{escape(failure['name'])}[/]  {escape(failure['reason'])}")
    more = library.errors.count(col("job_id") == lit(ended.job_id)) - len(failed)
    if more > 0:
        console.print(f"  and {more:,} more; GET /api/jobs/{ended.job_id}/errors lists them all")
    if ended.state not in ENDED:
        console.print(GO_ON)


def counted(counts: dict[str, Any]) -> str:
    """What an action came to."""
    told = {name.replace("_", " "): count for name, count in counts.items() if isinstance(count, int) and count}
    told.pop(PREPARED, None)
    return ", ".join(f"{count:,} {name}" for name, count in told.items()) or "nothing to do"


def plans(console: Console, foreseen: Sequence[tuple[str, Plan]], as_json: bool) -> None:
    """What actions would do to users' libraries; as JSON one of them, or a list of several."""
    if as_json:
        told = [{"user": name, **msgspec.to_builtins(plan)} for name, plan in foreseen]
        plain(console, told[0] if len(told) == 1 else told)
        return
    for name, plan in foreseen:
        console.print(f"[bold]{plan.action}[/] for {escape(name)} would: {escape(counted(plan.counts))}")
        if plan.refused:
            console.print(f"  [yellow]refused:[/] {escape(plan.refused)}")
        for name in plan.names:
            console.print(f"  {escape(name)}")


def cleared(console: Console, cache: "Cache", foreseen: bool, as_json: bool) -> None:
    """How many bytes of how many files were deleted, or would be, by what they are; what stayed; whose was left out."""
    freed, kept = ({name: summed(files) for name, files in part.items()} for part in (cache.freed, cache.kept))
    if as_json:
        plain(console, {"freed": freed, "kept": kept, "busy": cache.busy})
        return
    for word, part in (("would free" if foreseen else "freed", freed), ("kept", kept)):
        for name, sums in part.items():
            console.print(f"{word} {sums['bytes'] / 1e6:,.1f} MB: {name} ({sums['files']:,} files)")
    for user in cache.busy:
        console.print(f"left out the pictures of {escape(user)}: a job works on that library; clear again after it")


def summed(files: "Files") -> dict[str, int]:
    """How many files, and how many bytes they are."""
    return {"files": len(files), "bytes": sum(size for _, size in files)}


def accounted(counts: dict[str, Any]) -> str:
    """The account of a scan: every file it listed, by what became of it."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.get("skipped_by", {}).items()))
    names = ("listed", "committed", "failed", "skipped")
    listed, committed, failed, skipped = (counts.get(name, 0) for name in names)
    line = f"{listed:,} files listed = {committed:,} committed + {failed:,} failed + {skipped:,} skipped"
    gone = counts.get("gone_unmarked", 0)
    away = (
        f"\n{gone:,} known files are not there; so many that none was marked missing. Is the folder mounted? "
        f"If they were deleted, brightroom delete-missing --dry-run says how to go on."
        if gone
        else ""
    )
    return f"{line}{f' ({reasons})' if reasons else ''}{away}"


def stats(console: Console, library: Library, settings: Settings, as_json: bool) -> None:
    """The figures of a library."""
    told = overview(library, settings.revisions)
    if as_json:
        plain(console, told)
        return
    table = Table(show_header=False, box=None, padding=(0, 2))
    for name, value in msgspec.to_builtins(told).items():
        table.add_row(name.replace("_", " "), shown(value))
    console.print(table)


def shown(value: Any) -> str:
    """A figure for people."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {count:,}" for name, count in value.items()) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def jobs(console: Console, system: System, listed: list[Job], as_json: bool) -> None:
    """Jobs, newest first."""
    if as_json:
        plain(console, listed)
        return
    names = {user.user_id: user.name for user in system.users.list()}
    table = Table(box=None, padding=(0, 2))
    table.add_column("job", no_wrap=True, overflow="fold")  # it is there to be copied
    for heading in ("action", "owner", "state", "started", "committed", "failed", ""):
        table.add_column(heading)
    for one in listed:
        counts = [str(one.counts.get(name, "")) for name in ("committed", "failed")]
        who, when = names.get(one.owner, "?"), moment(one.started_at)
        table.add_row(*cells(one.job_id, one.action, who, one.state, when, *counts, one.error))
    console.print(table)
    if any(one.state in ("paused", "interrupted") for one in listed):
        console.print(GO_ON)


def cells(*texts: str) -> list[str]:
    """Texts for a table, none of them markup: a file may be called `[/]`."""
    return [escape(text) for text in texts]


def moment(when: datetime | None) -> str:
    """A time in the terminal's own zone."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M") if when else ""


def hits(console: Console, found: list[dict[str, Any]], as_json: bool) -> None:
    """What a search found, best first."""
    if as_json:
        plain(console, found)
        return
    table = Table("score", "photo", "taken", "place", "what it shows", box=None, padding=(0, 2))
    for hit in found:
        where = ", ".join(part for part in (hit["place"], hit["country"]) if part)
        table.add_row(f"{hit['score']:.3f}", *cells(hit["name"], moment(hit["taken_at"]), where, hit["caption"]))
    console.print(table)
