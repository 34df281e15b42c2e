"""How stages become actors: few processes, as many batches at once as wanted, each step built once."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import ray

from batch.pipeline import LOGS, MOST_THREADS, Pool, Stage, Step, Steps, log_actors
from batch.stages import with_column
from cluster.logs import logs_dir, unconfigure


def adding(amount: int) -> Step:
    """A step that adds to the column n."""
    BUILT.append(amount)
    return lambda batch: with_column(batch, "n", [n + amount for n in batch["n"].to_pylist()], pa.int64())


BUILT: list[int] = []


@pytest.mark.parametrize("workers", [1, 2, 4, 5, 8, 16, 100])
def test_a_pool_works_on_at_least_as_many_batches_as_wanted_in_few_processes(workers: int):
    """Threads share a process, though not too many of them, and ask for their CPUs together."""
    pool = Pool.of_threads("ingest", workers, cpus=0.5)

    assert workers <= pool.actors * pool.threads < workers + pool.actors
    assert pool.threads <= MOST_THREADS
    assert pool.cpus == pool.threads / 2


def test_the_stages_of_a_pool_are_built_once_and_run_in_their_order():
    """A second batch meets the steps of the first."""
    BUILT.clear()
    pool = Pool("any")
    steps = Steps([Stage("one", pool, adding, (1,)), Stage("ten", pool, adding, (10,))])

    assert steps(pa.table({"n": [0, 5]})).to_pylist() == [{"n": 11}, {"n": 16}]
    assert steps(pa.table({"n": [1]})).to_pylist() == [{"n": 12}]
    assert BUILT == [1, 10]


@pytest.fixture
def own_logs() -> Iterator[None]:
    """What a test does to this process's logs, undone."""
    yield
    unconfigure()
    ray.data.DataContext.get_current().remove_config(LOGS)


def test_an_actor_logs_for_the_job_whose_stages_it_does(tmp_path: Path, own_logs: None):
    """Where the job's process said, in the context that Ray Data hands to its actors."""
    log_actors(tmp_path, "job-7")
    Steps([])
    logging.getLogger("x").warning("a broken file")

    told = json.loads((logs_dir(tmp_path) / "jobs.log").read_text())
    assert (told["service"], told["job"], told["message"]) == ("jobs", "job-7", "a broken file")
