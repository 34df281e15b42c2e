"""Changes of models, step by step over a real store: when a chosen one is put in use, and which jobs that takes."""

from pathlib import Path

import pytest

from batch.models import TRIES
from tests.batch.changing import BETTER, CLIP, NEW, TAGS, Household


@pytest.fixture
def home(tmp_path: Path) -> Household:
    """Ann's library and Ben's, of two photos each."""
    return Household(tmp_path, ["ann", "ben"])


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
    assert home.finished() == 2
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

    assert home.finished() == 2
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
    home.finished(pending=["ann1"])

    assert home.in_use() == "new"
    assert len([job for job in home.jobs("vectors") if job.owner == home.owners["ann"]]) == TRIES + 1


def test_a_model_that_embeds_nothing_makes_no_jobs_without_end_and_is_not_put_in_use(tmp_path: Path):
    """Search would find nothing. Choosing again tries again."""
    home = Household(tmp_path, ["ann"])
    many = [f"photo{number}" for number in range(home.settings.scan.batch_size)]
    home.photos("ann", *many)
    all_of_them = ["ann1", "ann2", *many]
    home.choose(CLIP, NEW)

    home.finished(pending=all_of_them)
    home.look(50)
    assert (len(home.jobs()), home.in_use()) == (TRIES, "old")

    home.photos("ann", "one that came since")
    home.finished(pending=all_of_them)
    assert (len(home.jobs()), home.in_use()) == (TRIES + 1 + TRIES, "old")

    home.choose(CLIP, NEW)
    home.finished()
    assert home.in_use() == "new"
