"""`brightroom save-metadata --undo JOB --dry-run`, and whom it refuses: as people type it, without a cluster."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lancedb.expr import lit

from cluster.store.database import open_system
from tests.batch.bench_of_one import OWNER, Bench
from tests.batch.saved import JPEG, SavedLibrary
from tests.sample_library import SampleLibrary, write_sample_library


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleLibrary:
    """The sample library on disk."""
    return write_sample_library(tmp_path_factory.mktemp("sample") / "photos")


@pytest.fixture
def library(tmp_path: Path, sample: SampleLibrary) -> Iterator[SavedLibrary]:
    """A library of a JPEG into which a job has written, whose owner is a user."""
    made = SavedLibrary(Bench(tmp_path))
    made.add(sample, JPEG)
    made.bench.scan()
    made.tell()
    users = open_system(made.bench.settings).users
    users.create("ann", "hash", scan_directory=str(made.bench.folder))
    users.table.change(lit(True), {"user_id": OWNER})
    yield made
    made.bench.close()


def command(library: SavedLibrary, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, ended."""
    root = {"BRIGHTROOM_ROOT": str(library.bench.settings.root), "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        [str(Path(sys.executable).with_name("brightroom")), "save-metadata", *words],
        env={**os.environ, **root}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_dry_run_of_an_undo_lists_the_files(library: SavedLibrary) -> None:
    """And leaves them; a job that is none, or no save, is a sentence and exit status 1; a contradiction is 2."""
    jobs = open_system(library.bench.settings).jobs
    job = jobs.start(jobs.create(OWNER, "save-metadata", {"in_file": True}).job_id)
    library.save(in_file=True, job_id=job.job_id)
    jobs.finish(job.job_id, job.attempt, "done")
    now = (library.bench.folder / JPEG).read_bytes()

    plan = json.loads(command(library, "--undo", job.job_id, "--dry-run", "--json").stdout)

    assert (plan["counts"]["files"], plan["names"], plan["refused"]) == (1, [JPEG], "")
    assert (library.bench.folder / JPEG).read_bytes() == now
    scan = jobs.create(OWNER, "scan", {})
    for other, said in ((scan.job_id, "Only a save-metadata"), ("none", "no such job")):
        ran = command(library, "--undo", other, "--dry-run")
        assert (ran.returncode, said in ran.stderr) == (1, True), ran
    assert command(library, "--undo", job.job_id, "--in-file").returncode == 2
