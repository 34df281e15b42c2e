"""Changes of models, step by step over a real store: when a chosen one is put in use, and which jobs that takes."""

from pathlib import Path

import pytest

from batch.models import TRIES
from cluster.store.jobs import State
from tests.batch.changing import BETTER, CLIP, NEW, NEWER, OLD, TAGS, Household


@pytest.fixture
def home(tmp_path: Path) -> Household:
    """Ann's library and Ben's, of two photos each."""
    return Household(tmp_path, ["ann", "ben"])


def finished(home: Household, **how: list[str]) -> int:
    """Look and work until nothing is to do; returns how many jobs that took."""
    before, idle = len(home.jobs()), 0
    for _ in range(50):
        home.look()
        busy = bool(home.system.jobs.list(states=["running"]))
        if busy:
            home.work(**how)
        idle = 0 if busy else idle + 1
        if idle == 2:  # one in which a model is put in use, and one in which nothing follows from that
            return len(home.jobs()) - before
    raise AssertionError("it goes on without end")


def test_without_a_change_nothing_is_done(home: Household):
    """However often one looks."""
    home.look(50)

    assert home.jobs() == []


def test_other_models_are_in_use_as_soon_as_they_are_loaded_and_each_library_is_computed_again(home: Household):
    """Once: by one job for each, which the next looks do not start again, nor those after a restart."""
    home.choose(TAGS, BETTER, loaded=False)
    home.look(3)
    assert (home.in_use(TAGS), home.jobs()) == ("tagger", [])

    home.fleet.loaded.add(BETTER.name)
    home.look()
    assert home.in_use(TAGS) == "better"
    assert finished(home) == 2
    assert {job.owner for job in home.jobs("rest")} == set(home.owners.values())
    home.look(50)
    home.restart()
    home.look(50)

    assert len(home.jobs()) == 2


def test_a_degraded_model_is_ready_and_one_that_failed_is_not(home: Household):
    """Some replica answers; nobody does."""
    home.fleet.state = "failed"
    home.choose(TAGS, BETTER)
    home.look(3)
    assert home.in_use(TAGS) == "tagger"

    home.fleet.state = "degraded"
    home.look()

    assert home.in_use(TAGS) == "better"


def test_a_clip_model_is_in_use_when_every_library_has_all_its_vectors_and_not_before(home: Household):
    """One job for each that lacks some; while any lacks one, search stays on the old ones."""
    home.choose(CLIP, NEW)
    home.look(50)
    assert len(home.jobs("vectors")) == 2
    assert home.in_use() == "old"

    home.work()
    home.look(50)
    assert home.in_use() == "old", "the other library has none"
    home.work()
    home.look(1)
    assert home.in_use() == "new"

    assert finished(home) == 2
    assert [job.arguments["part"] for job in home.jobs()] == ["vectors", "vectors", "rest", "rest"]
    home.look(50)
    assert len(home.jobs()) == 4


def test_a_library_without_photos_is_not_waited_for(tmp_path: Path):
    """Nor is there anything to do in it."""
    home = Household(tmp_path, [])
    home.owners["new"] = home.system.users.create("new", "hash").user_id

    home.choose(CLIP, NEW)
    home.look()

    assert home.in_use() == "new"
    assert home.jobs("vectors") == []


def test_a_library_that_has_the_vectors_needs_no_job(home: Household):
    """Only the other's."""
    home.embed("ann", NEW, "ann1", "ann2")

    home.choose(CLIP, NEW)
    home.look(5)

    assert [job.owner for job in home.jobs()] == [home.owners["ben"]]


def test_a_photo_that_fails_is_not_waited_for(home: Household):
    """It failed once, and there is no second job for it."""
    home.choose(CLIP, NEW)
    home.look()
    home.work(failing=["ann1", "ben1"])
    home.look()
    home.work(failing=["ann1", "ben1"])
    home.look()

    assert home.in_use() == "new"
    assert len(home.jobs("vectors")) == 2


def test_a_photo_that_comes_meanwhile_is_waited_for(home: Household):
    """Though the library's job is done, and one of its photos failed."""
    home.choose(CLIP, NEW)
    home.look()
    home.work(failing=["ann1"])
    home.photos("ann", "ann3")
    home.look()
    home.work()
    home.look()
    assert home.in_use() == "old"

    home.work(failing=["ann1"])
    home.look()

    assert home.in_use() == "new"
    assert home.library("ann").registry.find(NEW.name).vectors(["ann3"])


def test_photos_that_no_job_can_come_to_do_not_make_jobs_without_end_and_few_are_not_waited_for(home: Household):
    """A picture under which the GPU fails each time neither fails nor is done."""
    home.choose(CLIP, NEW)
    finished(home, pending=["ann1"])

    assert home.in_use() == "new"
    assert len([job for job in home.jobs("vectors") if job.owner == home.owners["ann"]]) == TRIES + 1


def test_a_model_that_embeds_nothing_makes_no_jobs_without_end_and_is_not_put_in_use(tmp_path: Path):
    """Search would find nothing. Choosing again tries again."""
    home = Household(tmp_path, ["ann"])
    many = [f"photo{number}" for number in range(home.settings.scan.batch_size)]
    home.photos("ann", *many)
    all_of_them = ["ann1", "ann2", *many]
    home.choose(CLIP, NEW)

    finished(home, pending=all_of_them)
    home.look(50)
    assert (len(home.jobs()), home.in_use()) == (TRIES, "old")

    home.photos("ann", "one that came since")
    finished(home, pending=all_of_them)
    assert (len(home.jobs()), home.in_use()) == (TRIES + 1 + TRIES, "old")

    home.choose(CLIP, NEW)
    finished(home)
    assert home.in_use() == "new"


@pytest.mark.parametrize("part", ["vectors", "rest"])
def test_a_job_that_is_cut_off_goes_on(home: Household, part: str):
    """Of its own accord, and it is the same job."""
    home.choose(*((CLIP, NEW) if part == "vectors" else (TAGS, BETTER)))
    home.look(2)
    job = home.running()
    home.system.jobs.interrupt(job)

    home.look(2)

    assert home.system.jobs.get(job.job_id).state in ("running", "queued")
    assert finished(home) == (2 if part == "vectors" else 0)
    assert home.system.jobs.get(job.job_id).state == "done"


@pytest.mark.parametrize("state", ["cancelled", "paused", "failed"])
def test_a_job_that_a_person_stopped_or_that_failed_is_left_and_the_old_model_stays(home: Household, state: State):
    """Nobody starts it again behind their back; choosing the model again does."""
    home.choose(CLIP, NEW)
    home.look(2)
    job = home.running()
    home.system.jobs.want(job.job_id, "pause" if state == "paused" else "run")
    if state == "paused":
        home.system.jobs.pause(job.job_id, job.attempt)
    else:
        home.system.jobs.finish(job.job_id, job.attempt, state)

    finished(home)
    home.look(50)
    assert home.system.jobs.get(job.job_id).state == state
    assert (home.in_use(), len(home.jobs())) == ("old", 2)

    home.choose(CLIP, NEW)
    finished(home)
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
    if state == "running":
        assert (first.state, first.wanted) == ("running", "cancel")
        home.system.jobs.finish(job.job_id, job.attempt, "cancelled")
    else:
        assert first.state == "cancelled"
    finished(home)

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
    assert finished(home) == 2


def test_going_back_after_the_swap_makes_no_vectors(home: Household):
    """They are there still; only what the ledger says is looked through."""
    home.choose(CLIP, NEW)
    finished(home)
    vectors = len(home.jobs("vectors"))

    home.choose(CLIP, OLD)
    home.look()

    assert home.in_use() == "old"
    assert finished(home) <= 2
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

    finished(home)

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
    finished(home)
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
