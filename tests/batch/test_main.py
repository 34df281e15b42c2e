"""A job's process: what a full scan makes work again, it makes once in the job's life."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batch.actions import prepare
from batch.progress import Reporter
from cluster.settings import Settings
from cluster.store.database import System, open_system


class Recorded:
    """Counts how often everything, and how often what failed, is made work again."""

    def __init__(self) -> None:
        self.forgotten = self.forgiven = 0

    def forget(self) -> None:
        """Once more."""
        self.forgotten += 1

    def forgive(self) -> None:
        """Once more."""
        self.forgiven += 1


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A system database."""
    return open_system(Settings(root=tmp_path))


def attempt(system: System, job_id: str) -> Reporter:
    """A job, started once more, as its process sees it; the board is nobody's."""
    nowhere: Any = SimpleNamespace()
    return Reporter(nowhere, system.jobs, system.jobs.start(job_id))


def test_a_full_scan_that_is_interrupted_again_and_again_does_not_begin_anew(system: System):
    """Each attempt counts from nothing, and still tells the next one that the beginning was made."""
    job = system.jobs.create("somebody", "scan", {"full": True})
    scan: Any = Recorded()
    for _ in range(3):
        reporter = attempt(system, job.job_id)
        prepare(scan, reporter.job, reporter)

    assert scan.forgotten == 1


def test_an_attempt_that_is_killed_before_it_began_does_not_wipe_out_the_mark(system: System):
    """It beats while it starts; the next one reads that beat."""
    job = system.jobs.create("somebody", "scan", {"full": True})
    scan: Any = Recorded()
    first = attempt(system, job.job_id)
    prepare(scan, first.job, first)
    attempt(system, job.job_id).beat()

    third = attempt(system, job.job_id)
    prepare(scan, third.job, third)

    assert scan.forgotten == 1


@pytest.mark.parametrize("full", [False, True])
def test_a_retry_does_again_what_failed_and_nothing_else(system: System, full: bool):
    """Also where what failed was a full scan."""
    job = system.jobs.create("somebody", "scan", {"full": full, "retry": True})
    scan: Any = Recorded()
    reporter = attempt(system, job.job_id)

    prepare(scan, reporter.job, reporter)

    assert (scan.forgotten, scan.forgiven) == (0, 1)
