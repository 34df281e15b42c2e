"""Whose turn it is: owners take turns at heavy jobs, light jobs wait for nothing but what they would undo."""

import pytest

from batch.attempts import rest
from batch.jobs import JobControl
from batch.turns import (
    ACTIONS,
    ANALYSE,
    DELETE_MISSING,
    EVENTS,
    HEAVY,
    LIGHT,
    LIGHT_AT_ONCE,
    RESCAN_FACES,
    SAVE_METADATA,
    SCAN,
    TRAIN,
    Turn,
    next_ones,
)
from cluster.store.database import System
from cluster.store.jobs import SCHEDULE, WATCH, Job
from tests.api.standins import Clock

TURN_S = 60


@pytest.fixture
def started(system: System, clock: Clock):
    """Makes a running job; a second passes."""

    def made(owner: str, action: str = SCAN, by: str = "somebody") -> Job:
        job = system.jobs.start(system.jobs.create(owner, action, {}, by).job_id)
        clock.advance(seconds=1)
        return job

    return made


def turn(system: System, clock: Clock, job: Job) -> Turn:
    """A job's turn that has begun."""
    begun = Turn(system.jobs, job.job_id, TURN_S, lambda: clock.now.timestamp())
    begun()
    return begun


def names(jobs: list[Job]) -> list[tuple[str, str]]:
    """Owners and actions."""
    return [(job.owner, job.action) for job in jobs]


@pytest.mark.parametrize("action", [TRAIN, EVENTS, DELETE_MISSING])
def test_a_light_job_does_not_wait_behind_a_heavy_one(system: System, started, waiting, action: str):
    """Nor behind those that wait for it; another heavy one does wait."""
    started("ann")
    waiting("cid"), waiting("ben", action)

    assert names(next_ones(system.jobs)) == [("ben", action)]


def test_no_more_light_jobs_run_than_may(system: System, started, waiting):
    """And a heavy one does not wait for them."""
    started("ann", TRAIN)
    waiting("ben", EVENTS), waiting("cid", EVENTS), waiting("cid")

    chosen = next_ones(system.jobs)

    assert names(chosen) == [("ben", EVENTS), ("cid", SCAN)]
    assert LIGHT_AT_ONCE == 2


@pytest.mark.parametrize("waits", ACTIONS)
@pytest.mark.parametrize("runs", ACTIONS)
def test_no_two_jobs_run_side_by_side_over_one_library(system: System, started, waiting, runs: str, waits: str):
    """Over two libraries they do, if there is room."""
    started("ann", runs)
    waiting("ann", waits), waiting("ben", waits)

    room = not (runs in HEAVY and waits in HEAVY)
    assert names(next_ones(system.jobs)) == [("ben", waits)] * room


def test_owners_take_turns_however_much_one_of_them_asks_for(
    control: JobControl, system: System, clock: Clock, waiting
):
    """Ann asks for three things before Ben asks for one: he is second."""
    for action in (SCAN, RESCAN_FACES, SAVE_METADATA):
        waiting("ann", action)
    waiting("ben")

    assert turns(control, system, clock) == [
        ("ann", SCAN), ("ben", SCAN), ("ann", RESCAN_FACES), ("ann", SAVE_METADATA)
    ]  # fmt: skip


def test_what_people_ask_for_goes_before_what_nobody_waits_for(
    control: JobControl, system: System, clock: Clock, waiting
):
    """Folders and clocks first of the rest, changes of models last."""
    waiting("ann", ANALYSE), waiting("ben", SCAN, WATCH), waiting("cid", SCAN, SCHEDULE), waiting("dee", SCAN)

    assert turns(control, system, clock) == [("dee", SCAN), ("ben", SCAN), ("cid", SCAN), ("ann", ANALYSE)]


def turns(control: JobControl, system: System, clock: Clock) -> list[tuple[str, str]]:
    """Owner and action of each job in the order in which they run, to its end."""
    order = []
    while True:
        control.dispatch()
        running = system.jobs.list(states=["running"])
        if not running:
            return order
        for job in running:
            order.append((job.owner, job.action))
            clock.advance(seconds=5)
            system.jobs.beat(job.job_id, job.attempt)
            system.jobs.finish(job.job_id, job.attempt, "done")


def test_a_scan_works_on_while_nobody_waits_or_its_time_is_not_over(system: System, clock: Clock, started, waiting):
    """Then it gives way to another owner's, and not to its own owner's."""
    over = turn(system, clock, started("ann"))
    clock.advance(seconds=10 * TURN_S)
    assert not over()

    waiting("ann", SAVE_METADATA)
    assert not over()
    waiting("ben")
    assert over()


def test_a_turn_lasts_its_time_from_the_first_batch_on(system: System, clock: Clock, started, waiting):
    """However long the start took: every turn gets further."""
    job = started("ann")
    waiting("ben")
    clock.advance(seconds=10 * TURN_S)

    over = turn(system, clock, job)

    assert not over()
    clock.advance(seconds=TURN_S - 1)
    assert not over()
    clock.advance(seconds=1)
    assert over()


@pytest.mark.parametrize(
    ("runs", "by", "waits", "asks", "at_once"),
    [
        (SCAN, "ann", SCAN, WATCH, False),
        (SCAN, WATCH, SCAN, "ben", True),
        (SCAN, WATCH, SCAN, SCHEDULE, False),
        (ANALYSE, "", SCAN, WATCH, True),
        (ANALYSE, "", SAVE_METADATA, "ben", True),
        (ANALYSE, "", ANALYSE, "", False),
        (SCAN, "ann", ANALYSE, "", False),
        (SCAN, "ann", SCAN, "ben", False),
    ],
)
def test_what_nobody_waits_for_gives_way_at_once(
    system: System, clock: Clock, started, waiting, runs: str, by: str, waits: str, asks: str, at_once: bool
):
    """Even before its time is over."""
    over = turn(system, clock, started("ann", runs, by))
    waiting("ben", waits, asks)

    assert over() == at_once


def test_a_folders_scan_that_a_person_asks_for_too_is_theirs(
    control: JobControl, system: System, clock: Clock, owner: str, waiting
):
    """It gives way no sooner than any other."""
    job = control.start(owner, SCAN, {}, WATCH)
    over = turn(system, clock, job)
    waiting("ben")
    assert over()

    assert control.start(owner, SCAN, {}, "ann").by == "ann"

    assert not over()
    assert control.start(owner, SCAN, {}, SCHEDULE).by == "ann"


@pytest.mark.parametrize("action", LIGHT)
@pytest.mark.parametrize("heavy", HEAVY)
def test_a_heavy_job_rests_for_a_light_one_of_its_library(
    system: System, clock: Clock, started, waiting, heavy: str, action: str
):
    """At once; not for one of another library, and not when there is no room for it anyhow."""
    over = turn(system, clock, started("ann", heavy))
    waiting("ben", action)
    assert not over()
    waiting("ann", action)
    assert over()

    for other in ("cid", "dee"):
        started(other, TRAIN)
    assert not over()


def test_a_light_job_goes_before_the_heavy_one_that_rests_for_it(
    control: JobControl, system: System, clock: Clock, waiting
):
    """And the heavy one goes on when it is done; meanwhile it is somebody else's turn."""
    scan = waiting("ann")
    control.dispatch()
    waiting("ann", DELETE_MISSING), waiting("ben")

    rest(system, system.jobs.get(scan.job_id))
    control.dispatch()

    assert sorted(names(system.jobs.list(states=["running"]))) == [("ann", DELETE_MISSING), ("ben", SCAN)]
    assert turns(control, system, clock)[-1] == ("ann", SCAN)
