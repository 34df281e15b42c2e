"""A job's row stays true without a cluster too: who may start, when a silent one counts as gone, what resumes."""

from datetime import timedelta

import pytest
from ray.job_submission import JobStatus

from batch.attempts import close
from batch.jobs import FAREWELL, HUNG, PATIENCE, SILENCE, JobControl, covers
from cluster.errors import Conflict, Invalid, NotFound
from cluster.store.database import System
from cluster.store.jobs import State, Wanted
from tests.api.standins import Clock, TakingCluster


def test_an_action_nobody_knows_and_a_folder_that_is_not_there_are_sentences(control: JobControl, system: System):
    """Nothing is created."""
    away = system.users.create("away", "hash", scan_directory="/no/such/folder").user_id
    none = system.users.create("none", "hash").user_id

    with pytest.raises(NotFound, match="there are scan"):
        control.start(away, "dance", {})
    with pytest.raises(Invalid, match="/no/such/folder is not there"):
        control.start(away, "scan", {})
    with pytest.raises(Invalid, match="no folder is set"):
        control.start(none, "scan", {})
    assert system.jobs.list() == []


@pytest.mark.parametrize(
    ("said", "silent", "gone"),
    [
        (None, SILENCE / 2, False),
        (None, SILENCE * 1.5, True),
        (JobStatus.RUNNING, SILENCE * 1.5, False),
        (JobStatus.RUNNING, HUNG * 1.1, True),
        (JobStatus.FAILED, FAREWELL / 2, False),
        (JobStatus.FAILED, FAREWELL * 1.5, True),
    ],
)
def test_a_running_job_is_gone_when_it_is_silent_for_as_long_as_what_ray_says_allows(
    control: JobControl, system: System, cluster: TakingCluster, owner: str, clock: Clock, said, silent, gone
):
    """Unknown to Ray, within fifteen seconds it shows as interrupted, with a sentence, and can be resumed."""
    job = control.start(owner, "scan", {})
    if said is None:
        cluster.taken.clear()
    else:
        cluster.ends[job.submission] = said
    clock.advance(seconds=silent.total_seconds())

    reaped = control.reap()

    assert [one.job_id for one in reaped] == ([job.job_id] if gone else [])
    now = system.jobs.get(job.job_id)
    assert now.state == ("interrupted" if gone else "running")
    assert bool(now.error) == gone
    assert timedelta(seconds=15) > SILENCE


@pytest.mark.parametrize(("wanted", "state"), [("cancel", "cancelled"), ("pause", "paused")])
def test_a_job_whose_process_dies_ends_as_was_wished(
    control: JobControl, system: System, cluster: TakingCluster, owner: str, clock: Clock, wanted: Wanted, state: State
):
    """And is in nobody's way when it was to be cancelled."""
    job = control.start(owner, "scan", {})
    system.jobs.want(job.job_id, wanted)
    cluster.ends[job.submission] = JobStatus.FAILED
    clock.advance(minutes=1)

    assert [(one.state, one.error) for one in control.reap()] == [(state, "")]
    assert (control.start(owner, "scan", {}).job_id == job.job_id) == (state == "paused")


def test_pausing_and_cancelling_what_does_not_run_takes_effect_at_once(control: JobControl, system: System, owner: str):
    """A queued job pauses, a paused one is cancelled, an ended one stays as it is."""
    job = system.jobs.create(owner, "scan", {})

    assert control.pause(job.job_id).state == "paused"
    assert control.cancel(job.job_id).state == "cancelled"
    for steer in (control.pause, control.resume, control.cancel):
        with pytest.raises(Conflict, match="cancelled"):
            steer(job.job_id)


def test_a_step_that_a_job_does_not_allow_changes_nothing(control: JobControl, system: System, owner: str):
    """An interrupted job that somebody wants to pause is still to run when it is resumed."""
    job = control.start(owner, "scan", {})
    system.jobs.interrupt(job)

    with pytest.raises(Conflict, match="interrupted"):
        control.pause(job.job_id)

    assert system.jobs.get(job.job_id).wanted == "run"


def test_a_pause_can_be_taken_back_before_the_job_rests(control: JobControl, owner: str):
    """It was a mistake; one that runs and is to run has nothing to resume."""
    job = control.start(owner, "scan", {})
    assert control.pause(job.job_id).wanted == "pause"

    resumed = control.resume(job.job_id)

    assert (resumed.state, resumed.wanted) == ("running", "run")
    with pytest.raises(Conflict, match="running"):
        control.resume(job.job_id)


def test_a_cancel_cannot_be_taken_back(control: JobControl, system: System, owner: str):
    """Neither by a pause nor by resuming, nor by asking for the same again."""
    job = control.start(owner, "scan", {})
    control.cancel(job.job_id)

    for steer in (control.pause, control.resume):
        with pytest.raises(Conflict):
            steer(job.job_id)
    with pytest.raises(Conflict, match="being cancelled"):
        control.start(owner, "scan", {})
    assert system.jobs.get(job.job_id).wanted == "cancel"


@pytest.mark.parametrize(("wanted", "end"), [("pause", "paused"), ("run", "queued"), ("cancel", "cancelled")])
def test_a_job_whose_work_heeded_a_pause_rests_as_is_wished_by_then(
    control: JobControl, system: System, owner: str, wanted: Wanted, end: State
):
    """The pause may have been taken back, or a cancel come after it."""
    job = control.start(owner, "scan", {})
    control.pause(job.job_id)
    system.jobs.want(job.job_id, wanted)

    close(system, job, "pause")

    assert system.jobs.get(job.job_id).state == end


@pytest.mark.parametrize(("heeded", "end"), [("run", "done"), ("cancel", "cancelled"), ("stop", "running")])
def test_a_job_ends_by_the_word_its_work_heeded(
    control: JobControl, system: System, owner: str, heeded: str, end: State
):
    """A wish that came later came too late; a process that was stopped says nothing, and is found to be gone."""
    job = control.start(owner, "scan", {})
    system.jobs.want(job.job_id, "pause")

    close(system, job, heeded)

    assert system.jobs.get(job.job_id).state == end


@pytest.mark.parametrize("rest", ["paused", "interrupted"])
def test_asking_for_what_rests_resumes_it(control: JobControl, system: System, owner: str, rest: State):
    """The same scan; left out is the same as none."""
    job = control.start(owner, "scan", {"full": True, "paths": []})
    assert system.jobs.leave(job, rest)

    again = control.start(owner, "scan", {"full": True})

    assert (again.job_id, again.state, again.attempt) == (job.job_id, "running", 2)


@pytest.mark.parametrize(
    ("state", "way"),
    [
        ("running", "wait for its end, or cancel it first"),
        ("interrupted", "ask for the same to go on with it, or cancel it first"),
    ],
)
def test_asking_for_something_else_meanwhile_is_a_conflict(
    control: JobControl, system: System, owner: str, state: State, way: str
):
    """It names the job, and what to do; a full scan is not done by a plain one."""
    job = control.start(owner, "scan", {"full": False})
    system.jobs.leave(job, state)

    with pytest.raises(Conflict, match=f"{job.job_id}, .* is {state}; {way}"):
        control.start(owner, "scan", {"full": True})

    assert [one.job_id for one in system.jobs.list()] == [job.job_id]


def test_a_retry_is_not_a_full_scan_again(control: JobControl, system: System, owner: str):
    """It does what failed, of the same files."""
    job = control.start(owner, "scan", {"full": True, "paths": ["a.jpg"]})
    system.jobs.finish(job.job_id, job.attempt, "failed")

    assert control.retry(job.job_id).arguments == {"paths": ["a.jpg"], "retry": True}


def overdue(control: JobControl) -> float:
    """Seconds after which a wish has waited too long."""
    return control.settings.scan.call_timeout_s + PATIENCE.total_seconds() + 1


@pytest.mark.parametrize(("wanted", "state"), [("cancel", "cancelled"), ("pause", "paused")])
def test_a_process_that_beats_and_does_not_do_as_wished_is_stopped(
    control: JobControl, system: System, cluster: TakingCluster, owner: str, clock: Clock, wanted: Wanted, state: State
):
    """Once for each wait; the job ends as wished, and others get their turn."""
    job = control.start(owner, "scan", {})
    waiting = system.jobs.create("another", "scan", {})
    system.jobs.want(job.job_id, wanted)
    control.reap()

    clock.advance(seconds=overdue(control) - 5)
    system.jobs.beat(job.job_id, job.attempt)
    control.reap()
    assert cluster.stops == []
    clock.advance(seconds=5)
    system.jobs.beat(job.job_id, job.attempt)
    control.reap()
    control.reap()
    assert cluster.stops == [job.submission]
    clock.advance(seconds=5)
    control.reap()
    control.dispatch()

    assert system.jobs.get(job.job_id).state == state
    assert system.jobs.get(waiting.job_id).state == "running"


def test_a_wish_that_was_taken_back_and_made_again_has_time_again(
    control: JobControl, system: System, cluster: TakingCluster, owner: str, clock: Clock
):
    """And a job that runs as wished is left alone however long it runs."""
    job = control.start(owner, "scan", {})
    for wish in ("pause", "run", "pause"):
        system.jobs.want(job.job_id, wish)
        control.reap()
        clock.advance(seconds=overdue(control))
        system.jobs.beat(job.job_id, job.attempt)
        if wish == "run":
            control.reap()

    assert cluster.stops == []


def test_a_resumed_job_waits_for_its_turn_again(control: JobControl, system: System, owner: str):
    """Whatever was wanted of it before, it is to run now."""
    job = system.jobs.create(owner, "scan", {})
    control.pause(job.job_id)
    control.start(system.users.create("busy", "hash", scan_directory="/tmp").user_id, "scan", {})

    resumed = control.resume(job.job_id)

    assert (resumed.state, resumed.wanted) == ("queued", "run")


def test_asking_for_what_changed_is_answered_by_a_job_that_does_everything():
    """A full scan does all that a plain one does; a scan of named files does not."""
    assert covers({"full": True}, {})
    assert covers({"retry": True}, {})
    assert not covers({"paths": ["a.jpg"]}, {})
    assert not covers({}, {"full": True})
    assert not covers({"paths": ["a.jpg"]}, {"paths": ["b.jpg"]})
