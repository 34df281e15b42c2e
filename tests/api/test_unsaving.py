"""Undoing a save-metadata over HTTP: which jobs can be, what the job says of it, and what would be done."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from api.app import empty_trashes
from batch.former import Former, Formers
from cluster.store.jobs import Job
from tests.api.world import World, answering, build

SAVE = "/api/library/actions/save-metadata"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    """A world of its own, with ann and ben in it."""
    made = build(tmp_path)
    made.user("ann")
    made.user("ben")
    with answering(made):
        yield made


@pytest.fixture
def ann(home: World) -> httpx.Client:
    """Her client."""
    return home.as_user("ann")


def saved(home: World, action: str = "save-metadata", state: str = "done") -> Job:
    """A job of hers that has written into two copies of a photo and into another one."""
    jobs, owner = home.system.jobs, home.users["ann"].user_id
    job = jobs.start(jobs.create(owner, action, {}).job_id)
    for photo, path in (("a", b"a.jpg"), ("a", b"copy/a.jpg"), ("b", b"b.jpg")):
        Formers(home.settings, owner).add(
            job.job_id, Former(photo, path, sidecar=False, old="old", new="new", pieces=[])
        )
    if state == "done":
        jobs.finish(job.job_id, job.attempt, "done")
    return jobs.get(job.job_id)


def test_a_job_that_wrote_says_how_to_undo_it_and_that_request_is_taken(home: World, ann: httpx.Client) -> None:
    """With the number of photos; the job that undoes it has nothing to undo itself."""
    job = saved(home)

    undo = ann.get(f"/api/jobs/{job.job_id}").json()["undo"]
    assert undo == {"method": "POST", "path": SAVE, "body": {"undo": job.job_id}, "photos": 2}
    answer = ann.request(undo["method"], undo["path"], json=undo["body"])

    assert (answer.status_code, answer.json()["arguments"], answer.json()["undo"]) == (202, {"undo": job.job_id}, None)


def test_a_dry_run_says_what_would_be_undone_and_starts_nothing(home: World, ann: httpx.Client) -> None:
    """Files that are not there any more are counted as changed; of a job of which nothing is kept it is refused."""
    job = saved(home)

    plan = ann.post(SAVE, json={"undo": job.job_id}, params={"dry_run": True}).json()

    assert (plan["counts"]["changed since"], plan["refused"]) == (3, "")
    assert len(home.system.jobs.list(home.users["ann"].user_id)) == 1
    formers = Formers(home.settings, home.users["ann"].user_id)
    for former in formers.of_job(job.job_id):
        formers.remove(job.job_id, former)
    assert "nothing is kept" in ann.post(SAVE, json={"undo": job.job_id}, params={"dry_run": True}).json()["refused"]
    assert ann.get(f"/api/jobs/{job.job_id}").json()["undo"]["photos"] == 0


@pytest.mark.parametrize("undone", ["none", "../../system", "x" * 65])
def test_what_is_no_job_cannot_be_undone(ann: httpx.Client, undone: str) -> None:
    """Whatever it is called: no path is made of it."""
    assert ann.post(SAVE, json={"undo": undone}).status_code in (400, 404)


def test_only_ones_own_ended_save_can_be_undone(home: World, ann: httpx.Client) -> None:
    """Another's is not there, a scan is no save, one that runs is to end first; and one thing at a time."""
    job, scan, running = saved(home), saved(home, action="scan"), saved(home, state="running")

    assert home.as_user("ben").post(SAVE, json={"undo": job.job_id}).status_code == 404
    assert ann.post(SAVE, json={"undo": scan.job_id}).status_code == 400
    assert ann.post(SAVE, json={"undo": running.job_id}).status_code == 409
    assert ann.post(SAVE, json={"undo": job.job_id, "in_file": True}).status_code == 400


def test_what_is_kept_for_it_is_purged_with_the_trash(home: World) -> None:
    """After `store.trash_days`, and not before."""
    job, days = saved(home), timedelta(days=home.settings.store.trash_days)

    home.clock.now = datetime.now(UTC) + days - timedelta(minutes=1)
    empty_trashes(home.deps)
    assert Formers(home.settings, home.users["ann"].user_id).photos(job.job_id) == 2
    home.clock.advance(seconds=120)
    empty_trashes(home.deps)
    assert Formers(home.settings, home.users["ann"].user_id).photos(job.job_id) == 0
