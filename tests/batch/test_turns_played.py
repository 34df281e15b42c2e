"""Turns played from beginning to end: a test is the process of every job, over a real store and a turned clock."""

import itertools
import random
from collections import Counter

import pytest

from batch.attempts import rest
from batch.jobs import JobControl
from batch.turns import ACTIONS, HEAVY, LIGHT_AT_ONCE, Turn, clash
from cluster.store.database import System
from cluster.store.jobs import WATCH, Job
from tests.api.standins import Clock

TURN_S = 60


def test_a_small_scan_does_not_wait_for_a_big_one(control: JobControl, system: System, clock: Clock, waiting):
    """It waits for one batch, is done at once, and the big one goes on as the same job."""
    big = waiting("ann")
    work = {big.job_id: 3600}
    played = Played(control, system, clock, work)
    played.steps(20)
    small = waiting("ben")
    work[small.job_id] = 20

    asked = clock.now
    played.until_done(small.job_id)

    assert (clock.now - asked).total_seconds() < 20 + Played.START_S + 3 * Played.STEP_S
    played.steps(5)
    assert [job.job_id for job in system.jobs.list(states=["running"])] == [big.job_id]
    assert system.jobs.get(big.job_id).attempt == 2


def test_two_big_scans_share_the_time_and_lose_little_of_it(control: JobControl, system: System, clock: Clock, waiting):
    """Neither gets more than a turn ahead of the other, and starting again costs less than a seventh."""
    work = {waiting(name).job_id: 10_000 for name in ("ann", "ben")}
    played = Played(control, system, clock, work)

    played.steps(120)

    done = [10_000 - left for left in work.values()]
    assert abs(done[0] - done[1]) <= TURN_S + Played.STEP_S
    assert sum(done) > 120 * Played.STEP_S * 6 / 7


class Played:
    """Jobs that run: a test is each of their processes, a batch a step, after a start of some seconds."""

    STEP_S = 5
    START_S = 10  # a multiple of it

    def __init__(self, control: JobControl, system: System, clock: Clock, work: dict[str, int]) -> None:
        self.control, self.system, self.clock, self.work = control, system, clock, work
        self.turns: dict[str, tuple[int, float, Turn]] = {}

    def steps(self, count: int) -> None:
        """Let time pass."""
        for _ in range(count):
            self.control.dispatch()
            self.clock.advance(seconds=self.STEP_S)
            for job in self.system.jobs.list(states=["running"]):
                self.step(job)

    def step(self, job: Job) -> None:
        """A step of a job's process."""
        now = self.clock.now.timestamp()
        if self.turns.get(job.job_id, (0,))[0] != job.attempt:
            mine = Turn(self.system.jobs, job.job_id, TURN_S, lambda: self.clock.now.timestamp())
            self.turns[job.job_id] = (job.attempt, now, mine)
        _, began, over = self.turns[job.job_id]
        self.system.jobs.beat(job.job_id, job.attempt)
        if now - began < self.START_S:
            return
        self.work[job.job_id] -= self.STEP_S
        if self.work[job.job_id] <= 0:
            self.system.jobs.finish(job.job_id, job.attempt, "done")
        elif over():
            rest(self.system, job)

    def until_done(self, job_id: str) -> None:
        """Let time pass until a job is done."""
        for _ in range(200):
            if self.system.jobs.get(job_id).state == "done":
                return
            self.steps(1)
        raise AssertionError("it is never done")


@pytest.mark.parametrize("seed", range(2))
def test_every_job_runs_in_the_end_and_none_beside_what_it_clashes_with(
    control: JobControl, system: System, clock: Clock, waiting, seed: int
):
    """Random jobs of four owners, with random work."""
    chance = random.Random(seed)
    wanted = chance.sample(list(itertools.product(["ann", "ben", "cid", "dee"], ACTIONS)), 10)
    by = ["somebody", WATCH, ""]
    work = {waiting(*pair, chance.choice(by)).job_id: chance.randrange(1, 150) for pair in wanted}
    played = Played(control, system, clock, work)

    for _ in range(400):
        played.steps(1)
        running = system.jobs.list(states=["running"])
        lanes = Counter(job.action in HEAVY for job in running)
        assert lanes[True] <= 1
        assert lanes[False] <= LIGHT_AT_ONCE
        assert not any(clash(*pair) for pair in itertools.combinations(running, 2))
        if not system.jobs.list(states=["running", "queued"]):
            break

    assert {job.state for job in system.jobs.list()} == {"done"}
