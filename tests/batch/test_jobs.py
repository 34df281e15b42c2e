"""A job's row stays true without a cluster too: who may start, when a silent one counts as gone, what resumes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batch.jobs import HUNG, SILENCE, JobControl, job_environment
from cluster.errors import Conflict, Invalid, NotFound
from cluster.settings import Settings
from cluster.store.database import System, open_system


class Clock:
    """The store's clock, turned by hand; what the job control itself reads is the real one."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def system(tmp_path: Path, clock: Clock) -> System:
    """An empty system database."""
    return open_system(Settings(root=tmp_path), clock)


@pytest.fixture
def control(tmp_path: Path, system: System) -> JobControl:
    """Job control of a Brightroom that is not running."""
    return JobControl(Settings(root=tmp_path), system)


@pytest.fixture
def owner(system: System, tmp_path: Path) -> str:
    """A user with a folder."""
    return system.users.create("somebody", "hash", scan_directory=str(tmp_path)).user_id


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


@pytest.mark.parametrize(("silent", "gone"), [(SILENCE / 2, False), (SILENCE * 1.5, True), (HUNG, True)])
def test_a_running_job_that_ray_does_not_know_is_gone_when_it_is_silent(
    control: JobControl, system: System, owner: str, clock: Clock, silent: timedelta, gone: bool
):
    """Within fifteen seconds it shows as interrupted, with a sentence, and can be resumed."""
    clock.now = datetime.now(UTC) - silent
    job = system.jobs.create(owner, "scan", {})
    system.jobs.start(job.job_id, "lost-1")

    reaped = control.reap()

    assert [one.job_id for one in reaped] == ([job.job_id] if gone else [])
    now = system.jobs.get(job.job_id)
    assert now.state == ("interrupted" if gone else "running")
    assert bool(now.error) == gone
    assert timedelta(seconds=15) > SILENCE


def test_pausing_and_cancelling_what_does_not_run_takes_effect_at_once(control: JobControl, system: System, owner: str):
    """A queued job pauses, a paused one is cancelled, an ended one stays as it is."""
    job = system.jobs.create(owner, "scan", {})

    assert control.pause(job.job_id).state == "paused"
    assert control.cancel(job.job_id).state == "cancelled"
    for steer in (control.pause, control.resume, control.cancel):
        with pytest.raises(Conflict, match="cancelled"):
            steer(job.job_id)


def test_without_a_cluster_a_job_waits_for_one(control: JobControl, system: System, owner: str):
    """It stays queued: the next start of Brightroom takes it. A second request gets the same one."""
    job = control.start(owner, "scan", {})

    assert (job.state, control.start(owner, "scan", {}).job_id) == ("queued", job.job_id)


def test_a_jobs_process_reads_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Variables, root and weights travel; the token's place and other people's variables do not."""
    monkeypatch.setenv("BRIGHTROOM_SCAN__BATCH_SIZE", "7")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    told = job_environment(Settings(root=tmp_path, weights=tmp_path))

    assert told["BRIGHTROOM_SCAN__BATCH_SIZE"] == "7"
    assert (told["BRIGHTROOM_ROOT"], told["BRIGHTROOM_WEIGHTS"]) == (str(tmp_path), str(tmp_path))
    assert "secret" not in told.values()


def test_of_two_dispatchers_one_submits(control: JobControl, system: System, owner: str):
    """Both read the queued job; the second finds that the first has it."""
    job = system.jobs.create(owner, "scan", {})
    system.jobs.start(job.job_id, "first-1", after=job.attempt)

    control.submit(job)

    now = system.jobs.get(job.job_id)
    assert (now.attempt, now.submission) == (1, "first-1")


def test_a_resumed_job_waits_for_its_turn_again(control: JobControl, system: System, owner: str):
    """Whatever was wanted of it before, it is to run now."""
    job = system.jobs.create(owner, "scan", {})
    control.pause(job.job_id)

    resumed = control.resume(job.job_id)

    assert (resumed.state, resumed.wanted) == ("queued", "run")
