"""Who looks after services and jobs: one process under a root does, another takes over, and no error ends it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import RayError

from api.tending import Tending, watched
from batch.jobs import JobControl
from cluster.errors import StoreError, Unavailable
from cluster.head import run_dir
from cluster.locks import hold_alone, opened
from cluster.settings import ModelSpec, RaySettings, Settings
from cluster.store.database import System, open_system
from tests.api.standins import TakingCluster

TAGS, OTHER = (ModelSpec(kind="imagenet-tags", checkpoint=name) for name in ("one", "other"))


class Fleet:
    """Services that note what is asked of them; a test says what fails."""

    def __init__(self, settings: Settings, system: System) -> None:
        self.settings, self.system = settings, system
        self.settled = self.reconciled = 0
        self.trouble: dict[str, Exception] = {}

    def settle(self) -> None:
        """Note the settings' models."""
        self.fail("settle")
        self.settled += 1
        self.system.choices.settle("tags", self.settings.services.get("tags"))

    def reconcile(self) -> None:
        """Make what runs follow what is wanted."""
        self.reconciled += 1
        self.fail("reconcile")

    def status(self, service: str) -> Any:
        """How a service is: its next model is never ready."""
        self.fail("status")
        return SimpleNamespace(next_state="starting")

    def fail(self, what: str) -> None:
        """Raise what a test wants raised."""
        if error := self.trouble.get(what):
            raise error


class Folders:
    """Folders, or connections, that note what is asked of them."""

    def __init__(self) -> None:
        self.looks = self.ends = 0
        self.trouble: Exception | None = None

    def look(self) -> None:
        """Look after them."""
        self.looks += 1
        if self.trouble:
            raise self.trouble

    def end(self) -> None:
        """Look after them no more."""
        self.ends += 1


class Process:
    """What one `brightroom` process has."""

    def __init__(self, root: Path, cluster: TakingCluster) -> None:
        # Somebody else's cluster: with one of our own it would end as there is no head.
        self.settings = Settings(root=root, services={"tags": TAGS}, ray=RaySettings(address="nowhere:1"))
        self.system = open_system(self.settings)
        self.fleet: Any = Fleet(self.settings, self.system)
        self.jobs = JobControl(self.settings, self.system, cluster)
        self.watching: Any = Folders()
        self.checking: Any = Folders()
        self.tending = Tending(self.settings, self.system, self.fleet, self.jobs, self.watching, self.checking)
        self.lost: list[bool] = []
        self.stack = ExitStack()

    def begin(self) -> None:
        """Tend from now on."""
        self.stack.enter_context(self.tending.going_on(lambda: self.lost.append(True)))

    def end(self) -> None:
        """Tend no more."""
        self.stack.close()


@pytest.fixture
def cluster() -> TakingCluster:
    """A cluster that takes jobs."""
    return TakingCluster()


@pytest.fixture
def process(tmp_path: Path, cluster: TakingCluster) -> Iterator[Callable[[], Process]]:
    """Makes processes under one root; all end with the test."""
    with ExitStack() as all_of_them:

        def made() -> Process:
            one = Process(tmp_path, cluster)
            all_of_them.callback(one.end)
            return one

        yield made


def until(happens: Callable[[], object]) -> None:
    """Wait for something; looks are two seconds apart."""
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_the_first_look_is_done_when_the_block_begins(process: Callable[[], Process], cluster: TakingCluster):
    """Who answers requests from then on finds the models noted and the services asked for."""
    one = process()
    job = one.system.jobs.create("ann", "analyse", {})

    one.begin()

    assert (one.fleet.settled, one.fleet.reconciled >= 1) == (1, True)
    assert "tags" in one.system.choices.all()
    assert [*cluster.taken] == [f"{job.job_id}-1"]


def test_of_two_processes_one_leads_and_the_other_takes_over_when_it_ends(process: Callable[[], Process]):
    """Otherwise each would delete the other's services."""
    first, second = process(), process()
    first.begin()
    second.begin()
    until(lambda: min(first.fleet.reconciled, first.watching.looks) >= 3)
    assert (first.tending.leads, second.tending.leads) == (True, False)
    assert (second.fleet.settled, second.fleet.reconciled) == (0, 0)

    assert (first.watching.looks >= 3, second.watching.looks) == (True, 0)
    assert (first.checking.looks >= 3, second.checking.looks) == (True, 0)

    first.end()
    assert first.watching.ends == first.checking.ends == 1
    seen = first.fleet.reconciled
    until(lambda: second.fleet.reconciled >= 2 and second.watching.looks >= 1)

    assert second.fleet.settled == 1
    assert second.watching.looks >= 1
    assert first.fleet.reconciled == seen


def test_who_does_not_lead_looks_after_jobs_all_the_same(process: Callable[[], Process], cluster: TakingCluster):
    """Its own command may wait for one of them; services are left to who leads."""
    one = process()
    job = one.system.jobs.create("ann", "analyse", {})
    with opened(run_dir(one.settings) / "tending.lock") as held:
        assert hold_alone(held)
        one.begin()

        assert [*cluster.taken] == [f"{job.job_id}-1"]
        assert (one.tending.leads, one.fleet.reconciled) == (False, 0)


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("no cluster"),
        StoreError("no store"),
        RayError(),
        RuntimeError("500"),
        OSError(28, "full"),
        KeyError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_trouble_with_services_does_not_keep_jobs_from_being_looked_after(
    process: Callable[[], Process], cluster: TakingCluster, error: Exception
):
    """Neither at the first look nor later, and services are looked after again when it is over."""
    one = process()
    one.fleet.trouble = {"reconcile": error, "status": error}
    one.watching.trouble = error
    one.system.choices.settle("tags", TAGS)
    one.system.choices.choose("tags", OTHER, "ann")
    first = one.system.jobs.create("ann", "analyse", {})
    one.begin()
    assert [*cluster.taken] == [f"{first.job_id}-1"]

    one.system.jobs.finish(first.job_id, 1, "done")
    second = one.system.jobs.create("ann", "analyse", {})
    until(lambda: f"{second.job_id}-1" in cluster.taken)

    one.fleet.trouble = {}
    seen = one.fleet.reconciled
    until(lambda: one.fleet.reconciled > seen)
    assert not one.lost


def test_models_that_could_not_be_noted_are_noted_at_a_later_look(process: Callable[[], Process]):
    """A store that was away for a moment must not make a change of the settings wait for the next restart."""
    one = process()
    one.fleet.trouble = {"settle": StoreError("the disk is full")}
    one.begin()
    assert one.system.choices.all() == {}

    one.fleet.trouble = {}
    until(lambda: one.system.choices.all())
    until(lambda: one.fleet.reconciled >= 4)

    assert one.fleet.settled == 1


def test_it_ends_and_says_so_when_the_head_is_gone(tmp_path: Path, cluster: TakingCluster):
    """There is nothing to look after any more: the whole process is to end."""
    one = Process(tmp_path, cluster)
    one.tending.settings = one.settings.model_copy(update={"ray": RaySettings()})

    one.begin()
    until(lambda: one.lost)
    one.end()

    assert one.lost == [True]


def test_a_folder_that_cannot_be_read_for_a_moment_ends_no_watch():
    """It says nothing of Ray; the watch goes on, and sees later that Ray is gone."""
    answers: Iterator[bool | OSError] = iter([PermissionError("closed"), OSError("stale"), False, True])
    lost, asked = threading.Event(), []

    def gone() -> bool:
        asked.append(next(answers))
        if isinstance(asked[-1], OSError):
            raise asked[-1]
        return asked[-1]

    with watched(gone, lost, lambda: None, every_s=0.01):
        until(lost.is_set)

    assert len(asked) == 4


def test_at_the_end_nothing_of_it_is_left(process: Callable[[], Process]):
    """The thread has ended, and the next process leads at once."""

    def threads() -> int:
        return [thread.name for thread in threading.enumerate()].count("tending")

    one = process()
    before = threads()
    one.begin()
    assert threads() == before + 1

    one.end()

    assert threads() == before
    two = process()
    two.begin()
    assert two.tending.leads
