"""A job's process: what a full scan makes work again, it makes once in the job's life."""

from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from batch.__main__ import prepare
from batch.progress import Progress
from cluster.settings import Settings
from cluster.store.database import open_system
from cluster.store.jobs import Job


class Forgetting:
    """Counts how often everything is made work again."""

    def __init__(self) -> None:
        self.forgotten = 0

    def forget(self) -> None:
        """Once more."""
        self.forgotten += 1


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A full scan that was just asked for."""
    return open_system(Settings(root=tmp_path)).jobs.create("somebody", "scan", {"full": True})


def test_a_full_scan_that_is_interrupted_again_and_again_does_not_begin_anew(job: Job):
    """Each attempt counts from nothing, and still tells the next one that the beginning was made."""
    scan, counts = Forgetting(), {}
    for _ in range(3):
        reporter = SimpleNamespace(progress=Progress(), beat=lambda: None)
        prepare(scan, msgspec.structs.replace(job, counts=counts), reporter)
        counts = reporter.progress.told()["counts"]

    assert scan.forgotten == 1
