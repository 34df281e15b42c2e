"""What the command line prints is text: no name, caption or reason in it is markup."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from api import show
from cluster.settings import Settings, StoreSettings
from cluster.store.database import Library, System, open_library, open_system
from cluster.store.schema import rows_of

HOSTILE = ["[/]", "[/red]x.jpg", "[bold]y.jpg", "[link=file:///etc/passwd]z.jpg"]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library with a failure for each hostile name."""
    library = open_library(Settings(root=tmp_path, store=StoreSettings(fresh_s=0)), "somebody")
    failures = [
        {"error_id": str(place), "job_id": "", "name": name, "reason": name, "at": datetime.now(UTC)}
        for place, name in enumerate(HOSTILE)
    ]
    library.errors.upsert(rows_of(failures, library.errors.schema))
    return library


@pytest.fixture
def system(tmp_path: Path) -> System:
    """An empty system database."""
    return open_system(Settings(root=tmp_path))


def console() -> Console:
    """A console whose output can be read."""
    return Console(file=io.StringIO(), width=200, highlight=False)


def printed(out: Console) -> str:
    """What was printed."""
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_names_of_failed_files_are_printed_as_they_are(library: Library, system: System):
    """A file called `[/]` neither breaks the output nor colours it."""
    job = msgspec.structs.replace(system.jobs.create("somebody", "scan", {}), job_id="", error="[/]")
    out = console()

    show.job(out, job, library)

    for name in HOSTILE:
        assert f"  {name}  {name}" in printed(out)


def test_hits_are_printed_as_they_are():
    """File names, places and captions too."""
    hit = {"score": 1.0, "taken_at": None, "country": ""}
    out = console()

    show.hits(out, [{**hit, "name": name, "place": name, "caption": name} for name in HOSTILE], as_json=False)

    assert all(printed(out).count(name) == 3 for name in HOSTILE)


def test_a_job_of_many_failures_says_how_many_are_not_printed(tmp_path: Path, library: Library, system: System):
    """A thousand are printed, the rest counted; a job that has not ended says how it goes on."""
    job = msgspec.structs.replace(system.jobs.create("somebody", "scan", {}), job_id="", state="paused")
    failures = [
        {"error_id": f"x{place}", "job_id": "", "name": "x", "reason": "broken", "at": datetime.now(UTC)}
        for place in range(1200)
    ]
    library.errors.upsert(rows_of(failures, library.errors.schema))
    out = console()

    show.job(out, job, library)

    assert "and 204 more" in printed(out)
    assert "`brightroom scan` goes on" in printed(out)


def test_a_jobs_id_is_whole_however_narrow_the_terminal(system: System):
    """It is there to be copied."""
    jobs = [system.jobs.create("somebody", "scan", {}) for _ in range(2)]
    out = Console(file=io.StringIO(), width=80, highlight=False)

    show.jobs(out, system, jobs, as_json=False)

    assert all(job.job_id in printed(out) for job in jobs)


def test_jobs_that_may_go_on_say_how(system: System):
    """The words of a row name no command; the command line does."""
    job = msgspec.structs.replace(system.jobs.create("somebody", "scan", {}), state="interrupted")
    out = console()

    show.jobs(out, system, [job], as_json=False)

    assert "`brightroom scan` goes on" in printed(out)


def test_events_are_counted_among_the_figures(tmp_path: Path, library: Library):
    """Those that are shown: neither a deleted one nor one that waits for its photos."""
    facts = dict.fromkeys(("first_at", "last_at", "changed_at"), datetime.now(UTC))
    events: list[dict[str, Any]] = [
        {"event_id": "shown", "photos": 2, **facts},
        {"event_id": "deleted", "photos": 2, "deleted": True, **facts},
        {"event_id": "waiting", "photos": 1, "own_title": "Our trip", **facts},
    ]
    library.events.upsert(rows_of(events, library.events.schema))
    out = console()

    show.stats(out, library, Settings(root=tmp_path), as_json=False)

    assert ["events", "1"] in [line.split() for line in printed(out).splitlines()]
