"""Figures of jobs over time: failures that add up, and the ages of those that wait and those that are silent."""

from datetime import timedelta

import pytest
from prometheus_client.metrics_core import Metric

from api.job_figures import Growth, JobFigures
from cluster.store.jobs import Job
from tests.api.workload import value
from tests.api.world import World


@pytest.fixture
def figures(fresh: World) -> JobFigures:
    """Figures by the world's clock, which have looked once."""
    made = JobFigures(fresh.system.jobs, fresh.deps.jobs, fresh.clock)
    told(made)
    return made


def told(figures: JobFigures) -> dict[str, Metric]:
    """The families by name."""
    return {family.name: family for family in figures.families()}


def started(world: World, owner: str = "ann") -> Job:
    """A job that runs."""
    return world.system.jobs.start(world.system.jobs.create(owner, "scan", {}).job_id)


def failing(world: World, job: Job, number: int) -> None:
    """Let a job's attempt have so many failures in its row."""
    assert world.system.jobs.beat(
        job.job_id, job.attempt, [{"name": "clip", "total": 9, "done": 0, "failed": number}], {}
    )


def failures(figures: JobFigures) -> float:
    """The counter of failed rows."""
    return value(told(figures), "brightroom_job_failed_rows_total", action="scan", stage="clip")


def test_failures_add_up_over_jobs_and_attempts(fresh: World, figures: JobFigures) -> None:
    """Another attempt counts from nothing in its row; the counter does not."""
    first, second = started(fresh), started(fresh, "ben")
    failing(fresh, first, 2)
    assert failures(figures) == 2
    failing(fresh, first, 3)
    failing(fresh, second, 1)
    assert failures(figures) == 4
    fresh.system.jobs.finish(second.job_id, second.attempt, "done")
    fresh.system.jobs.pause(first.job_id, first.attempt)
    again = fresh.system.jobs.start(first.job_id)
    failing(fresh, again, 1)

    assert failures(figures) == 5


def test_a_job_that_came_and_went_between_two_looks_is_counted(fresh: World, figures: JobFigures) -> None:
    """By its row's last numbers."""
    job = started(fresh)
    failing(fresh, job, 2)
    fresh.system.jobs.finish(job.job_id, job.attempt, "failed", "because")

    assert failures(figures) == 2


def test_failures_from_before_this_process_are_not_new(fresh: World, figures: JobFigures) -> None:
    """A restarted server counts from nothing, as Prometheus expects of it."""
    failing(fresh, started(fresh), 7)
    assert failures(figures) == 7

    assert failures(JobFigures(fresh.system.jobs, fresh.deps.jobs, fresh.clock)) == 0


def test_counts_that_nobody_tells_of_any_more_are_forgotten() -> None:
    """Those that are told of again and again are not; a process that runs for years does not fill up."""
    growth = Growth(3)

    sums = [growth.grown("lasting", number) + growth.grown(f"job {number}", 10) for number in range(1, 30)]

    assert sums == [11] * 29
    assert growth.grown("job 29", 10) == 0  # remembered
    assert growth.grown("job 1", 10) == 10  # forgotten
    assert growth.grown("lasting", 20) == 0  # no count falls


def test_silence_and_waiting_are_told_in_seconds(fresh: World, figures: JobFigures) -> None:
    """Of the job that has been silent, or has waited, for longest."""
    silent = started(fresh)
    fresh.clock.advance(seconds=50)
    fresh.system.jobs.create("ben", "scan", {})
    fresh.clock.advance(seconds=30)
    fresh.system.jobs.create("cid", "scan", {})
    started(fresh, "dee")
    fresh.clock.advance(seconds=10)

    families = told(figures)

    assert value(families, "brightroom_job_heartbeat_age_seconds", action="scan") == pytest.approx(90, abs=0.01)
    assert value(families, "brightroom_job_oldest_queued_seconds") == pytest.approx(40, abs=0.01)
    assert fresh.system.jobs.beat(silent.job_id, silent.attempt)
    later = value(told(figures), "brightroom_job_heartbeat_age_seconds", action="scan")
    assert later == pytest.approx(timedelta(seconds=10).total_seconds(), abs=0.01)


def test_nobody_waits_and_nobody_runs(figures: JobFigures) -> None:
    """Waiting is 0 then, and there is no silence."""
    families = told(figures)

    assert value(families, "brightroom_job_oldest_queued_seconds") == 0
    assert families["brightroom_job_heartbeat_age_seconds"].samples == []
