"""What the command line prints is text: no name, caption or reason in it is markup."""

import io
from datetime import UTC, datetime
from pathlib import Path

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

    show.job(out, job, library, as_json=False)

    for name in HOSTILE:
        assert f"  {name}  {name}" in printed(out)


def test_hits_are_printed_as_they_are():
    """File names, places and captions too."""
    hit = {"score": 1.0, "taken_at": None, "country": ""}
    out = console()

    show.hits(out, [{**hit, "name": name, "place": name, "caption": name} for name in HOSTILE], as_json=False)

    assert all(printed(out).count(name) == 3 for name in HOSTILE)
