"""Jobs: their states, and attempts that shut each other out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cluster.errors import Conflict, NotFound
from cluster.settings import Settings
from cluster.store.database import System, open_system
from cluster.store.jobs import ENDED, WATCH, Job, Jobs, State, Wanted
from tests.cluster.store.conftest import TurnedClock

TTL = timedelta(seconds=12)


@pytest.fixture
def jobs(system: System) -> Jobs:
    """No jobs yet."""
    return system.jobs


@pytest.fixture
def queued(jobs: Jobs) -> Job:
    """A new job of Ann's."""
    return jobs.create("ann", "scan", {"full": True, "paths": ["it's \\' here", "日本"]})


def test_a_new_job_is_queued_with_its_arguments(jobs: Jobs, queued: Job, clock: TurnedClock) -> None:
    """Nothing has happened to it yet."""
    assert (queued.state, queued.wanted, queued.attempt, queued.stages, queued.counts) == ("queued", "run", 0, [], {})
    assert queued.arguments == {"full": True, "paths": ["it's \\' here", "日本"]}
    assert (queued.created_at, queued.started_at, queued.finished_at, queued.beat_at) == (clock.time, None, None, None)
    assert jobs.get(queued.job_id) == queued


def test_an_unknown_job_is_not_found(jobs: Jobs) -> None:
    """Reading, starting and wanting say so; a beat is refused."""
    for ask in (jobs.get, jobs.start):
        with pytest.raises(NotFound):
            ask("nothing")
    with pytest.raises(NotFound):
        jobs.want("nothing", "pause")
    assert not jobs.beat("nothing", 1)


def test_jobs_are_listed_newest_first(jobs: Jobs, clock: TurnedClock) -> None:
    """Of one owner, in some states, of one action, and not more than asked for."""
    made = []
    for owner, action in (("ann", "scan"), ("bob", "scan"), ("ann", "events"), ("ann", "scan")):
        made.append(jobs.create(owner, action, {}).job_id)
        clock.turn(seconds=1)
    jobs.start(made[0])
    assert [job.job_id for job in jobs.list()] == made[::-1]
    assert [job.job_id for job in jobs.list("ann")] == [made[3], made[2], made[0]]
    assert [job.job_id for job in jobs.list("ann", limit=1)] == [made[3]]
    assert [job.job_id for job in jobs.list("ann", states=["queued"], action="scan")] == [made[3]]
    assert jobs.list("' OR 1=1 --") == []


def test_progress_is_kept_with_each_beat(jobs: Jobs, queued: Job, clock: TurnedClock) -> None:
    """What a beat leaves out stays as it was."""
    attempt = jobs.start(queued.job_id, "ray-1").attempt
    clock.turn(seconds=2)
    stages = [{"name": "thumbnails", "total": 5000, "done": 1204, "note": "it's \\' slow"}]
    assert jobs.beat(queued.job_id, attempt, stages, {"listed": 5000, "skipped_by": {"zero bytes": 2}})
    assert jobs.beat(queued.job_id, attempt)
    job = jobs.get(queued.job_id)
    assert (job.stages, job.counts["skipped_by"]) == (stages, {"zero bytes": 2})
    assert (job.state, job.beat, job.beat_at, job.submission) == ("running", 2, clock.time, "ray-1")


def test_an_attempt_that_was_taken_over_is_refused(jobs: Jobs, queued: Job) -> None:
    """It can neither beat, nor pause, nor finish what another works on."""
    first = jobs.start(queued.job_id)
    second = jobs.start(queued.job_id)
    assert (first.attempt, second.attempt) == (1, 2)
    assert not jobs.beat(queued.job_id, 1, [], {"listed": 1})
    assert not jobs.pause(queued.job_id, 1)
    assert not jobs.finish(queued.job_id, 1, "done")
    assert jobs.beat(queued.job_id, 2)
    assert jobs.get(queued.job_id).counts == {}


def test_of_racing_starters_each_attempt_has_one(
    settings: Settings, jobs: Jobs, queued: Job, clock: TurnedClock
) -> None:
    """Those who have seen a queued job start it once; those who do not care get numbers of their own."""

    def start(others: Jobs, after: int | None) -> int:
        try:
            return others.start(queued.job_id, after=after).attempt
        except Conflict:
            return 0

    processes = [open_system(settings, clock).jobs for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        careful = list(pool.map(lambda others: start(others, 0), processes))
        careless = list(pool.map(lambda others: start(others, None), processes))
    assert sorted(careful) == [0, 0, 0, 0, 0, 1]
    assert sorted(careless) == [2, 3, 4, 5, 6, 7]
    assert jobs.get(queued.job_id).attempt == 7


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_an_ended_job_stays_ended(jobs: Jobs, queued: Job, clock: TurnedClock, end: str) -> None:
    """No beat, no wish and no start changes it."""
    jobs.start(queued.job_id)
    clock.turn(seconds=9)
    assert jobs.finish(queued.job_id, 1, end, "The disk is full.")  # type: ignore[arg-type]
    ended = jobs.get(queued.job_id)
    assert (ended.state, ended.error, ended.finished_at) == (end, "The disk is full.", clock.time)
    assert not jobs.beat(queued.job_id, 1)
    assert not jobs.finish(queued.job_id, 1, "done")
    assert jobs.want(queued.job_id, "cancel") == ended
    with pytest.raises(Conflict, match="already"):
        jobs.start(queued.job_id)


def test_a_wish_is_seen_by_the_process_at_work(settings: Settings, jobs: Jobs, queued: Job, clock: TurnedClock) -> None:
    """At once, in another process."""
    other = open_system(settings, clock).jobs
    attempt = other.start(queued.job_id).attempt
    assert jobs.want(queued.job_id, "pause").wanted == "pause"
    assert other.get(queued.job_id).wanted == "pause"
    assert other.pause(queued.job_id, attempt)
    assert jobs.get(queued.job_id).state == "paused"


def test_a_paused_job_goes_on_as_another_attempt(jobs: Jobs, queued: Job, clock: TurnedClock) -> None:
    """Through the queue, where what is wanted of it stays; when it first started is remembered."""
    started = jobs.start(queued.job_id).started_at
    jobs.want(queued.job_id, "pause")
    jobs.pause(queued.job_id, 1)
    clock.turn(hours=1)
    assert jobs.requeue(queued.job_id)
    assert not jobs.requeue(queued.job_id)
    assert (jobs.get(queued.job_id).state, jobs.get(queued.job_id).wanted) == ("queued", "pause")
    resumed = jobs.start(queued.job_id)
    assert (resumed.state, resumed.attempt, resumed.started_at) == ("running", 2, started)


def test_a_queued_job_can_pause_before_it_ran(jobs: Jobs, queued: Job) -> None:
    """One that runs by then cannot be paused that way."""
    assert jobs.pause_queued(queued.job_id)
    assert jobs.get(queued.job_id).state == "paused"
    jobs.start(queued.job_id)
    assert not jobs.pause_queued(queued.job_id)


def test_a_silent_job_is_interrupted_and_can_be_resumed(jobs: Jobs, queued: Job, clock: TurnedClock) -> None:
    """One that beats is not, and neither is one that waits; the dead process cannot come back afterwards."""
    beating, waiting = jobs.create("bob", "scan", {}), jobs.create("bob", "scan", {})
    jobs.start(queued.job_id)
    jobs.start(beating.job_id)
    clock.turn(seconds=13)
    jobs.beat(beating.job_id, 1)
    [interrupted] = jobs.interrupt_silent(TTL, "It is gone.")
    assert (interrupted.job_id, interrupted.state, interrupted.error) == (queued.job_id, "interrupted", "It is gone.")
    assert not jobs.beat(queued.job_id, 1)
    assert jobs.get(beating.job_id).state == "running"
    assert jobs.get(waiting.job_id).state == "queued"
    assert jobs.start(queued.job_id).state == "running"
    assert jobs.interrupt_silent(TTL) == []


def test_a_job_that_beat_since_it_was_read_is_not_interrupted(jobs: Jobs, queued: Job) -> None:
    """Who wanted to call it dead looked at an old row."""
    read = jobs.start(queued.job_id)
    jobs.beat(queued.job_id, 1)
    assert not jobs.interrupt(read)
    assert jobs.get(queued.job_id).state == "running"


def test_the_submission_is_noted(jobs: Jobs, queued: Job) -> None:
    """So that Ray's own list can be asked about the job."""
    jobs.submitted(queued.job_id, "raysubmit_1")
    assert jobs.get(queued.job_id).submission == "raysubmit_1"


@pytest.mark.parametrize(
    ("wanted", "told", "state", "error"),
    [
        ("run", "interrupted", "interrupted", "It is gone."),
        ("run", "failed", "failed", "It is gone."),
        ("run", "queued", "queued", "It is gone."),
        ("pause", "interrupted", "paused", ""),
        ("pause", "queued", "paused", ""),
        ("cancel", "interrupted", "cancelled", ""),
        ("cancel", "queued", "cancelled", ""),
    ],
)
def test_a_job_that_nobody_works_on_rests_as_was_wished(
    jobs: Jobs, queued: Job, clock: TurnedClock, wanted: Wanted, told: State, state: State, error: str
) -> None:
    """What the finder would make of it counts only where no pause and no end was wished."""
    jobs.start(queued.job_id)
    seen = jobs.want(queued.job_id, wanted)
    clock.turn(seconds=5)

    assert jobs.leave(seen, told, "It is gone.")

    left = jobs.get(queued.job_id)
    assert (left.state, left.error) == (state, error)
    assert left.finished_at == (clock.time if state in ENDED else None)


def test_a_job_of_which_something_else_is_wanted_by_now_is_not_left(jobs: Jobs, queued: Job) -> None:
    """Who read it before the wish would end it in another way."""
    read = jobs.start(queued.job_id)
    jobs.want(queued.job_id, "cancel")
    assert not jobs.leave(read, "queued")
    assert jobs.get(queued.job_id).state == "running"


def test_a_cancel_is_not_taken_back(jobs: Jobs, queued: Job) -> None:
    """By no later wish."""
    jobs.start(queued.job_id)
    jobs.want(queued.job_id, "cancel")
    assert jobs.want(queued.job_id, "pause").wanted == "cancel"
    assert jobs.want(queued.job_id, "run").wanted == "cancel"


def test_the_oldest_and_the_last_ended_can_be_asked_for(jobs: Jobs, queued: Job, clock: TurnedClock) -> None:
    """A limit then leaves out the newest, or those that ended before."""
    clock.turn(seconds=1)
    newer, _never = jobs.create("bob", "scan", {}), jobs.create("bob", "scan", {})
    assert [job.job_id for job in jobs.list(limit=1, oldest_first=True)] == [queued.job_id]
    for job in (newer, queued):
        clock.turn(seconds=1)
        jobs.finish(job.job_id, 0, "cancelled")
    assert [job.job_id for job in jobs.ended_last(1)] == [queued.job_id]
    assert [job.job_id for job in jobs.ended_last(9)] == [queued.job_id, newer.job_id]


def test_a_job_that_waits_again_waits_since_then(jobs: Jobs, queued: Job, clock: TurnedClock) -> None:
    """One that rested or gave way is behind those that waited; one that no cluster took keeps its place."""
    asked = clock.time
    clock.turn(seconds=5)
    started = jobs.start(queued.job_id)
    jobs.leave(started, "queued")
    assert jobs.get(queued.job_id).waits_since == asked

    jobs.start(queued.job_id)
    jobs.pause(queued.job_id, 2)
    jobs.requeue(queued.job_id)
    assert jobs.get(queued.job_id).waits_since == clock.time


def test_a_job_counts_as_the_first_persons_who_asked_for_it(jobs: Jobs) -> None:
    """What a folder or a clock started becomes theirs; what a person started stays so."""
    watched, own = jobs.create("ann", "scan", {}, WATCH), jobs.create("ann", "scan", {}, "ann")

    assert (watched.in_background, jobs.take_on(watched.job_id, "ann").by) == (True, "ann")
    assert jobs.take_on(own.job_id, "ben").by == "ann"


def test_turns_are_of_jobs_that_ran(jobs: Jobs, clock: TurnedClock) -> None:
    """Of the actions asked for and since the moment; one that was cancelled while it waited had no turn."""
    before = clock.time
    for owner, action in (("ann", "scan"), ("ben", "train-faces"), ("ann", "scan")):
        clock.turn(seconds=1)
        jobs.start(jobs.create(owner, action, {}).job_id)
    waiting = jobs.create("cid", "scan", {})
    jobs.finish(waiting.job_id, 0, "cancelled")

    assert jobs.turns_since(before, ["scan", "save-metadata"]) == {"ann": clock.time}
    clock.turn(seconds=1)
    assert jobs.turns_since(clock.time, ["scan"]) == {}
