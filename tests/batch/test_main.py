"""A job's process: what a full scan makes work again, it makes once in the job's life."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lancedb.expr import col, lit

from batch.actions import prepare
from batch.changes import NEVER
from batch.progress import Reporter
from cluster.settings import Settings, StoreSettings
from cluster.store.database import System, open_library, open_system
from cluster.store.files import FOLDER, SCHEMA
from cluster.store.schema import rows_of


class Home:
    """A library with a file that was read and one that could not be, and a scan of it as far as `prepare` knows one."""

    def __init__(self, root: Path) -> None:
        self.library = open_library(Settings(root=root, store=StoreSettings(fresh_s=0)), "somebody")
        self.source = SimpleNamespace(name=FOLDER)
        self.settle()

    def settle(self) -> None:
        """Nothing is to be read."""
        common = {"source": FOLDER, "mtime_ns": 5, "seen_at": 0}
        states = {"read": "ok", "unread": "failed"}
        rows = [{**common, "file_id": name, "path": name.encode(), "state": states[name]} for name in states]
        self.library.files.upsert(rows_of(rows, SCHEMA))

    def again(self) -> set[str]:
        """The files that were made work again since this was asked last."""
        found = self.library.files.rows(col("mtime_ns") == lit(NEVER), ["file_id"])["file_id"].to_pylist()
        self.settle()
        return set(found)


@pytest.fixture
def home(tmp_path: Path) -> Any:
    """A library with a file that was read and one that could not be."""
    return Home(tmp_path)


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A system database."""
    return open_system(Settings(root=tmp_path))


def attempt(system: System, job_id: str) -> Reporter:
    """A job, started once more, as its process sees it; the board is nobody's."""
    nowhere: Any = SimpleNamespace()
    return Reporter(nowhere, system.jobs, system.jobs.start(job_id))


def test_a_full_scan_that_is_interrupted_again_and_again_does_not_begin_anew(system: System, home: Any):
    """Each attempt counts from nothing, and still tells the next one that the beginning was made."""
    job = system.jobs.create("somebody", "scan", {"full": True})
    again = []
    for _ in range(3):
        reporter = attempt(system, job.job_id)
        prepare(home, reporter.job, reporter)
        again.append(home.again())

    assert again == [{"read", "unread"}, set(), set()]


def test_an_attempt_that_is_killed_before_it_began_does_not_wipe_out_the_mark(system: System, home: Any):
    """It beats while it starts; the next one reads that beat."""
    job = system.jobs.create("somebody", "scan", {"full": True})
    first = attempt(system, job.job_id)
    prepare(home, first.job, first)
    assert home.again() == {"read", "unread"}
    attempt(system, job.job_id).beat()

    third = attempt(system, job.job_id)
    prepare(home, third.job, third)

    assert home.again() == set()


@pytest.mark.parametrize("full", [False, True])
def test_a_retry_does_again_what_failed_and_nothing_else(system: System, home: Any, full: bool):
    """Also where what failed was a full scan."""
    job = system.jobs.create("somebody", "scan", {"full": full, "retry": True})
    reporter = attempt(system, job.job_id)

    prepare(home, reporter.job, reporter)

    assert home.again() == {"unread"}
