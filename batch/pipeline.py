"""A list of stages as one Ray Data pipeline: stages in a row that share a pool run one after the other in its actors.

What a step does to rows is in `stages.py` and `ingest.py`; here is only where and how many at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import Any, Self, TypeAlias

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, Dataset

from cluster.logs import configure

Step: TypeAlias = Callable[[pa.Table], pa.Table]
Run: TypeAlias = Callable[[pa.Table, Sequence["Stage"], int], Iterator[pa.Table]]  # see `run`
MOST_THREADS = 4  # of one actor: more would wait for Python's lock
MIN_SHARE = 0.1  # of a CPU, for an actor's place
LOGS = "brightroom.logs"  # in the context that Ray Data hands to its actors: where they log, and for which job
AHEAD = 2  # batches that lie ready at an actor for each one it works on, so that it never waits for the next


@dataclass(frozen=True)
class Pool:
    """Actors, and what each of them asks of Ray."""

    name: str  # stages share a pool by its name
    actors: int = 1
    threads: int = 1  # batches that an actor works on at once
    cpus: float = 1
    gpus: float = 0

    @classmethod
    def of_threads(cls, name: str, workers: int, cpus: float) -> Self:
        """A pool that works on so many batches at once, in few processes; `cpus` is what one worker asks for."""
        actors = ceil(workers / MOST_THREADS)
        threads = ceil(workers / actors)
        return cls(name, actors, threads, cpus * threads)

    def strategy(self) -> ActorPoolStrategy:
        """The pool in Ray Data's words."""
        return ActorPoolStrategy(
            size=self.actors,
            max_concurrent_calls_per_actor=self.threads,
            max_tasks_in_flight_per_actor=self.threads * AHEAD,
            enable_true_multi_threading=self.threads > 1,
        )


@dataclass(frozen=True)
class Stage:
    """One step of a scan: how an actor builds it, and in which pool."""

    name: str
    pool: Pool
    build: Callable[..., Step]
    args: tuple[Any, ...] = ()


class Steps:
    """The steps of some stages, built once in an actor and kept; called from several threads at once."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        if told := ray.data.DataContext.get_current().get_config(LOGS):
            configure(Path(told["root"]), "jobs", told["job"])
        self.steps = [stage.build(*stage.args) for stage in stages]

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The batch after all steps."""
        for step in self.steps:
            batch = step(batch)
        return batch


def log_actors(root: Path, job_id: str) -> None:
    """Let the actors of this process's pipelines log for its job, below the root."""
    ray.data.DataContext.get_current().set_config(LOGS, {"root": str(root), "job": job_id})


def run(table: pa.Table, stages: Sequence[Stage], batch_size: int) -> Iterator[pa.Table]:
    """The table's rows after all stages, batch by batch as they are finished, in any order."""
    batches = [table.slice(start, batch_size) for start in range(0, len(table), batch_size)]
    # Unlike from_arrow, from_blocks asks no worker how large our own tables are: that took three seconds (measured).
    dataset = ray.data.from_blocks(batches)
    for pool, members in groupby(stages, key=lambda stage: stage.pool):
        dataset = applied(dataset, pool, list(members))
    yield from dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)


def applied(rows: Dataset, pool: Pool, stages: Sequence[Stage]) -> Dataset:
    """The rows after the stages of one pool; a batch goes through whole."""
    return rows.map_batches(
        Steps, fn_constructor_args=(stages,), compute=pool.strategy(), batch_size=None, batch_format="pyarrow",
        num_cpus=pool.cpus, num_gpus=pool.gpus,
    )  # fmt: skip


def cpus() -> int:
    """The CPUs of the cluster, as Ray counts them."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def own_share(stages: int) -> float:
    """CPUs that an actor may hold where so many stages have one each: all together half of what there is.

    Actors that hold every CPU leave none for those that feed them, and the scan waits for ever (measured).
    """
    return max(MIN_SHARE, cpus() / 2 / stages)
