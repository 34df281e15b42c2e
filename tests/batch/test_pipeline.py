"""How stages become actors: few processes, as many batches at once as wanted, each step built once."""

import pyarrow as pa
import pytest

from batch.pipeline import MOST_THREADS, Pool, Stage, Step, Steps
from batch.stages import with_column


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
