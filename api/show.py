"""What the command line prints: tables for people, JSON for programs. Asks the store, decides nothing."""

import json
from datetime import datetime
from typing import Any

import msgspec
from lancedb.expr import col, lit
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cluster.settings import Settings
from cluster.store.database import Library, System
from cluster.store.jobs import ENDED, Job
from cluster.store.timeline import overview

MOST_FAILURES = 1000  # printed of one job
GO_ON = "`brightroom scan` goes on from what is committed."


def plain(console: Console, value: Any) -> None:
    """A value as JSON, unwrapped, for programs."""
    console.file.write(json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=1) + "\n")


def job(console: Console, ended: Job, library: Library, as_json: bool) -> None:
    """How a job ended, what it counted, and each failure."""
    columns = ["name", "stage", "reason"]
    failures = library.errors.of_job(
        ended.job_id, columns=columns, limit=None if as_json else MOST_FAILURES
    ).to_pylist()
    if as_json:
        plain(console, {**msgspec.to_builtins(ended), "errors": failures})
        return
    console.print(f"[bold]{ended.action}[/] {ended.state}  {escape(ended.error)}")
    console.print(accounted(ended.counts))
    for failure in failures:
        console.print(f"  [red]{escape(failure['name'])}[/]  {escape(failure['reason'])}")
    more = library.errors.count(col("job_id") == lit(ended.job_id)) - len(failures)
    if more > 0:
        console.print(f"  and {more:,} more; GET /api/jobs/{ended.job_id}/errors lists them all")
    if ended.state not in ENDED:
        console.print(GO_ON)


def accounted(counts: dict[str, Any]) -> str:
    """The account of a scan: every file it listed, by what became of it."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.get("skipped_by", {}).items()))
    names = ("listed", "committed", "failed", "skipped")
    listed, committed, failed, skipped = (counts.get(name, 0) for name in names)
    line = f"{listed:,} files listed = {committed:,} committed + {failed:,} failed + {skipped:,} skipped"
    gone = counts.get("gone_unmarked", 0)
    away = (
        f"\n{gone:,} known files are not there; so many that none was marked missing. Is the folder mounted?"
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
