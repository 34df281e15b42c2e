"""Changes of models that do not go straight on: jobs cut off, stopped or refused, second thoughts, restarts."""

from pathlib import Path

import pytest

from cluster.store.jobs import State
from tests.batch.changing import BETTER, CLIP, NEW, NEWER, OLD, TAGS, Household


@pytest.fixture
def home(tmp_path: Path) -> Household:
    """Ann's library and Ben's, of two photos each."""
    return Household(tmp_path, ["ann", "ben"])


@pytest.mark.parametrize("part", ["vectors", "rest"])
def test_a_job_that_is_cut_off_goes_on(home: Household, part: str):
    """Of its own accord, and it is the same job."""
    home.choose(*((CLIP, NEW) if part == "vectors" else (TAGS, BETTER)))
    home.look(2)
    job = home.running()
    home.system.jobs.interrupt(job)

    home.look(2)

    assert home.system.jobs.get(job.job_id).state in ("running", "queued")
    assert home.finished() == (2 if part == "vectors" else 0)
    assert home.system.jobs.get(job.job_id).state == "done"


@pytest.mark.parametrize("state", ["cancelled", "paused", "failed"])
def test_a_job_that_a_person_stopped_or_that_failed_is_left_and_the_old_model_stays(home: Household, state: State):
    """Nobody starts it again behind their back; choosing the model again does."""
    home.choose(CLIP, NEW)
    home.look(2)
    job = home.running()
    if state == "paused":
        home.control.pause(job.job_id)
        home.system.jobs.pause(job.job_id, job.attempt)
    else:
        home.system.jobs.finish(job.job_id, job.attempt, state)

    home.finished()
    home.look(50)
    assert home.system.jobs.get(job.job_id).state == state
    assert (home.in_use(), len(home.jobs())) == ("old", 2)

    home.choose(CLIP, NEW)
    home.finished()
    assert home.in_use() == "new"


def test_a_retry_of_a_failed_job_counts_as_the_job(home: Household):
    """What it embeds is what was missing, and what fails in it is not waited for."""
    home.choose(CLIP, NEW)
    home.look()
    job = home.running()
    home.system.jobs.finish(job.job_id, job.attempt, "failed", "out of disk")
    home.look()
    home.work()

    home.control.retry(job.job_id)
    home.look()
    home.work(failing=["ann1", "ben1"])
    home.look()

    assert home.in_use() == "new"


@pytest.mark.parametrize("state", ["running", "queued", "interrupted", "paused"])
def test_a_second_choice_ends_the_jobs_of_the_first_and_goes_its_way(home: Household, state: State):
    """Whatever state they are in: what they would still make nobody wants."""
    home.choose(CLIP, NEW)
    home.look(2)
    job = home.running()
    if state == "interrupted":
        home.system.jobs.interrupt(job)
    elif state == "paused":
        home.system.jobs.pause(job.job_id, job.attempt)
    elif state == "queued":
        home.system.jobs.leave(job, "queued")

    home.choose(CLIP, NEWER)
    home.look()
    first = home.system.jobs.get(job.job_id)
    assert (first.state, first.wanted) == ("running" if state == "running" else "cancelled", "cancel")
    home.system.jobs.finish(job.job_id, job.attempt, "cancelled")  # at its batch's edge; the others have ended
    home.finished()

    assert home.in_use() == "newer"
    assert home.library("ann").registry.find(NEW.name) is None


def test_going_back_before_the_swap_leaves_nothing_to_do(home: Household):
    """The old model never was out of use; the jobs of the change are ended, and hold up nothing later."""
    home.choose(CLIP, NEW)
    home.look(2)
    job = home.running()
    home.system.jobs.interrupt(job)
    home.choose(CLIP, OLD)
    home.look(50)

    assert (home.in_use(), {one.state for one in home.jobs()}) == ("old", {"cancelled"})
    home.choose(TAGS, BETTER)
    assert home.finished() == 2


def test_going_back_after_the_swap_makes_no_vectors(home: Household):
    """They are there still; only what the ledger says is looked through."""
    home.choose(CLIP, NEW)
    home.finished()
    vectors = len(home.jobs("vectors"))

    home.choose(CLIP, OLD)
    home.look()

    assert home.in_use() == "old"
    assert home.finished() <= 2
    assert len(home.jobs("vectors")) == vectors


def test_two_services_change_one_after_the_other(home: Household):
    """The second's jobs take their turn after the first's, and are not started twice."""
    home.choose(CLIP, NEW)
    home.look()
    home.choose(TAGS, BETTER)
    home.look(50)
    assert home.in_use(TAGS) == "better"
    assert len(home.jobs("rest")) == len(home.owners)
    assert {job.state for job in home.jobs("rest")} == {"queued"}

    home.finished()

    assert home.in_use() == "new"
    rest = [(job.arguments["service"], job.owner) for job in home.jobs("rest")]
    assert sorted(rest) == sorted((service, owner) for service in (CLIP, TAGS) for owner in home.owners.values())


@pytest.mark.parametrize("at", range(8))
def test_a_change_goes_on_after_a_restart_at_any_point(tmp_path: Path, at: int):
    """With no more jobs than without one."""
    home = Household(tmp_path, ["ann", "ben"])
    home.choose(CLIP, NEW)
    for step in range(8):
        if step == at:
            home.restart()
        if step % 2:
            if home.system.jobs.list(states=["running"]):
                home.work()
        else:
            home.look()
    home.restart()
    home.finished()
    home.look(50)

    assert home.in_use() == "new"
    assert len(home.jobs()) == 4
    assert {job.state for job in home.jobs()} == {"done"}


def test_other_peoples_jobs_are_left_alone(home: Household):
    """A scan that runs, and an analysis that somebody asked for themselves."""
    scan = home.system.jobs.create(home.owners["ann"], "scan", {})
    own = home.system.jobs.create(home.owners["ben"], "analyse", {})
    home.choose(CLIP, NEW)
    home.look(5)
    home.choose(CLIP, NEWER)
    home.look(5)

    assert [home.system.jobs.get(job.job_id).wanted for job in (scan, own)] == ["run", "run"]
