"""Handing jobs to a cluster: in which order and how many, in which words, and when it will not have them."""

import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batch.attempts import rest
from batch.jobs import MOST_ATTEMPTS, JobControl
from batch.submissions import job_environment
from batch.turns import HEAVY_AT_ONCE
from cluster.errors import Unavailable
from cluster.settings import CONFIG_VARIABLE, CONFIGS, PREFIX, Settings, load_settings
from cluster.store.database import System, open_system
from cluster.store.jobs import Wanted
from cluster.store.schema import rows_of
from tests.api.standins import Clock, TakingCluster


def test_the_job_that_waited_longest_is_next(control: JobControl, system: System, owner: str, clock: Clock):
    """However many wait."""
    first = system.jobs.create(owner, "scan", {})
    rows = {"owner": owner, "action": "scan", "arguments": "{}", "state": "queued", "wanted": "run"}
    many(system, 120, rows, clock)

    control.dispatch()

    assert [job.job_id for job in system.jobs.list(states=["running"])] == [first.job_id]


def test_a_scan_goes_before_analyses_that_waited_longer(
    control: JobControl, system: System, owner: str, clock: Clock, cluster: TakingCluster
):
    """People wait for it; the analyses come after it, the oldest first."""
    analyses = []
    for _ in range(2):
        analyses.append(system.jobs.create(owner, "analyse", {}))
        clock.advance(seconds=1)
    scan = system.jobs.create("another", "scan", {})

    turns = []
    for _ in range(3):
        control.dispatch()
        (running,) = system.jobs.list(states=["running"])
        turns.append(running.job_id)
        system.jobs.finish(running.job_id, running.attempt, "done")

    assert turns == [scan.job_id, *[job.job_id for job in analyses]]
    assert [submission.split("-")[0] for submission in cluster.taken] == turns


def test_an_analysis_that_gave_way_goes_on_after_the_scan(
    control: JobControl, system: System, owner: str, clock: Clock
):
    """It rests at a batch's edge, waits for its turn, and is the same job; nobody has to resume it."""
    analysis = control.start(owner, "analyse", {})
    clock.advance(seconds=1)
    scan = system.jobs.create("another", "scan", {})

    rest(system, analysis)
    control.dispatch()
    assert [job.job_id for job in system.jobs.list(states=["running"])] == [scan.job_id]
    system.jobs.finish(scan.job_id, 1, "done")
    control.dispatch()

    (again,) = system.jobs.list(states=["running"])
    assert (again.job_id, again.attempt) == (analysis.job_id, 2)


def many(system: System, count: int, row: dict[str, str], clock: Clock) -> None:
    """So many jobs, each asked for a second after the other, in one commit."""
    made = []
    for number in range(count):
        clock.advance(seconds=1)
        made.append({**row, "job_id": f"{number:016d}", "stages": "[]", "counts": "{}", "created_at": clock.now})
    table = system.jobs.table
    table.insert_new(rows_of(made, table.schema))


def test_of_two_who_take_a_job_one_has_it(control: JobControl, system: System, owner: str):
    """Both read the queued job; the second finds that the first has it."""
    job = system.jobs.create(owner, "scan", {})

    taken = [control.take(job), control.take(job)]

    assert [one and one.attempt for one in taken] == [1, None]


def test_dispatchers_at_the_same_time_start_no_more_than_may_run(
    tmp_path: Path, system: System, cluster: TakingCluster, owner: str
):
    """In several processes, with several jobs waiting."""
    for _ in range(4):
        system.jobs.create(owner, "scan", {})
    settings = Settings(root=tmp_path)
    controls = [JobControl(settings, open_system(settings), cluster) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(JobControl.dispatch, controls))

    assert len(cluster.taken) == HEAVY_AT_ONCE
    assert len(system.jobs.list(states=["running"])) == HEAVY_AT_ONCE


def test_without_a_cluster_a_job_waits_for_one(tmp_path: Path, system: System, owner: str):
    """It stays queued: the next start of Brightroom takes it. A second request gets the same one."""
    alone = JobControl(Settings(root=tmp_path), system)

    job = alone.start(owner, "scan", {})

    assert (job.state, alone.start(owner, "scan", {}).job_id) == ("queued", job.job_id)


@pytest.mark.parametrize(
    "trouble", [Unavailable("no cluster"), RuntimeError("500"), TimeoutError("it does not answer")]
)
@pytest.mark.parametrize(("wanted", "state"), [("run", "queued"), ("pause", "paused"), ("cancel", "cancelled")])
def test_a_job_that_the_cluster_refuses_is_as_was_wished_meanwhile(
    control: JobControl, system: System, cluster: TakingCluster, owner: str, trouble: Exception, wanted: Wanted, state
):
    """It waits for its turn, unless somebody paused or cancelled it while it was being submitted."""

    def refuse(submission: str) -> None:
        system.jobs.want(submission.split("-")[0], wanted)
        raise trouble

    cluster.hindrance = refuse
    job = control.start(owner, "scan", {})

    assert (job.state, job.wanted) == (state, wanted)


def test_a_job_that_the_cluster_took_without_an_answer_is_left_to_its_process(
    control: JobControl, system: System, cluster: TakingCluster, owner: str
):
    """It beats already; a second process would work beside it."""

    def slow(submission: str) -> None:
        system.jobs.beat(submission.split("-")[0], 1)
        raise TimeoutError("the answer did not come in time")

    cluster.hindrance = slow

    assert control.start(owner, "scan", {}).state == "running"


def test_a_job_is_not_refused_for_ever(control: JobControl, system: System, cluster: TakingCluster, owner: str):
    """In the end it fails, and says why."""

    def refuse(submission: str) -> None:
        raise Unavailable("no room")

    cluster.hindrance = refuse
    job = system.jobs.create(owner, "scan", {})
    for _ in range(MOST_ATTEMPTS - 1):
        system.jobs.start(job.job_id)
    system.jobs.leave(system.jobs.get(job.job_id), "queued")

    control.dispatch()

    ended = system.jobs.get(job.job_id)
    assert (ended.state, ended.error) == ("failed", "the cluster did not take the job: no room")


def test_the_command_of_a_job_is_one_word_for_each_thing(
    control: JobControl, cluster: TakingCluster, owner: str, monkeypatch: pytest.MonkeyPatch
):
    """Wherever Python is."""
    monkeypatch.setattr(sys, "executable", "/a folder/bin/it's python")

    job = control.start(owner, "scan", {})

    words = ["exec", "/a folder/bin/it's python", "-m", "batch", "run", job.job_id, "--attempt", "1"]
    assert shlex.split(cluster.taken[job.submission]) == words


def test_a_jobs_process_reads_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Variables, root and weights travel; the token's place and other people's variables do not."""
    monkeypatch.setenv("BRIGHTROOM_SCAN__BATCH_SIZE", "7")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    told = job_environment(Settings(root=tmp_path, weights=tmp_path))

    assert told["BRIGHTROOM_SCAN__BATCH_SIZE"] == "7"
    assert (told["BRIGHTROOM_ROOT"], told["BRIGHTROOM_WEIGHTS"]) == (str(tmp_path), str(tmp_path))
    assert "secret" not in told.values()


def test_a_jobs_process_reads_the_file_that_the_variable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """All of it, from whatever folder it is started in."""
    monkeypatch.chdir(CONFIGS)
    monkeypatch.setenv(CONFIG_VARIABLE, "gpu.yaml")
    monkeypatch.setenv(f"{PREFIX}ROOT", str(tmp_path / "root"))
    settings = load_settings()
    told = job_environment(settings)

    monkeypatch.chdir(tmp_path)
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    assert settings.gpus_per_node == 1
    assert load_settings().model_dump() == settings.model_dump()  # there variables give what the file gives here
