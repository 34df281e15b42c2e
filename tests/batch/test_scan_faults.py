"""Processes killed while a scan runs: what was committed stays, what was not is done again, nothing is there twice."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from api.up import Brightroom
from cluster.runtime import family, read_head
from tests.batch.conftest import driver_of, filled
from tests.conftest import Household, new_household, same_library
from tests.sample_library import SampleLibrary

SEED = 20261122
MISBEHAVING = Path(__file__).resolve().parents[1] / "serve_apps" / "media" / "misbehaving_child.py"
POISON = ("segfault-1.jpg", "hang-1.jpg", "hog-1.jpg")  # what it goes by


@pytest.fixture(scope="module")
def mains(sample: SampleLibrary) -> list[str]:
    """Enough photos for a scan of some seconds: portraits, variants, videos, a copy, a broken picture."""
    some = [photo.main for photo in sample.photos if len(photo.files) > 1 or photo.kind != "image" or photo.flags]
    return [*some, *[photo.main for photo in sample.photos if photo.main not in some][:16]]


@pytest.fixture(scope="module")
def undisturbed(
    brightroom: Brightroom, sample: SampleLibrary, mains: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Household:
    """A library of those photos, scanned in peace."""
    home = filled(new_household(brightroom, tmp_path_factory.mktemp("peace") / "photos"), sample, mains)
    job = home.scan()
    assert job.state == "done", job.error
    return home


def workers(brightroom: Brightroom, *names: str) -> Iterator[psutil.Process]:
    """Processes of our own cluster whose title begins with one of the names."""
    head = read_head(brightroom.settings)
    assert head is not None
    for process in family(head):
        with suppress(psutil.Error):
            if any(name in " ".join(process.cmdline()) for name in names):
                yield process


def kill(process: psutil.Process) -> None:
    """SIGKILL, as the kernel does when memory runs out."""
    os.kill(process.pid, signal.SIGKILL)


def test_a_scan_whose_driver_is_killed_again_and_again_ends_as_if_undisturbed(
    undisturbed: Household, few: Callable[..., Household], mains: list[str]
):
    """Each time the job is seen as interrupted within 15 s; resumed, it goes on from its rows."""
    moments = random.Random(SEED)
    home = few(*mains)
    job = home.start()
    kills = 0
    for _ in range(4):
        now = home.until(job, lambda now: now.state == "done" or driver_of(now.job_id) is not None)
        if now.state == "done":
            break
        time.sleep(moments.uniform(1, 4))
        if (driver := driver_of(job.job_id)) is None:
            break
        kill(driver)
        kills += 1
        killed = time.monotonic()
        home.until(job, lambda now: now.state in ("interrupted", "done"))
        assert time.monotonic() - killed < 15
        if home.brightroom.system.jobs.get(job.job_id).state == "interrupted":
            home.brightroom.jobs.resume(job.job_id)

    ended = home.rest(job)

    assert kills >= 2
    assert ended.state == "done"
    same_library(undisturbed.library, home.library)


def test_killed_workers_and_replicas_cost_no_photo(
    undisturbed: Household, few: Callable[..., Household], mains: list[str]
):
    """Ray's workers, the library's writer and the models' replicas die under a scan, which ends by itself."""
    moments = random.Random(SEED + 1)
    home = few(*mains)
    job = home.start()
    victims = ("ray::", "ray::LibraryWriter", "ray::ServeReplica:tags", "ray::MapBatches", "ray::LibraryWriter")
    killed = []
    home.until(job, lambda now: bool(home.brightroom.jobs.live(now.job_id)))
    for name in victims:
        time.sleep(moments.uniform(0.5, 1.5))
        found = [p for p in workers(home.brightroom, name) if "Controller" not in " ".join(p.cmdline())]
        if found:
            victim = moments.choice(found)
            killed.append(" ".join(victim.cmdline()))
            kill(victim)

    ended = home.rest(job)

    assert len(killed) >= 3
    assert ended.state == "done", (ended.error, killed)
    same_library(undisturbed.library, home.library)


def test_files_that_crash_hang_or_exhaust_their_decoder_fail_alone(
    few: Callable[..., Household], mains: list[str], sample: SampleLibrary, monkeypatch: pytest.MonkeyPatch
):
    """Through a whole scan: three sentences, every other photo is there and analysed, and the scan ends."""
    home = few(*mains[:8])
    undisturbed = few(*mains[:8])
    undisturbed.scan()
    for number, name in enumerate(POISON):
        data = (sample.folder / "2020/At home/SAM_0041.jpg").read_bytes()
        (home.folder / name).write_bytes(data + bytes([number]))
    monkeypatch.setenv("BRIGHTROOM_MEDIA__CHILD", json.dumps([str(MISBEHAVING)]))  # a job's process reads its settings
    monkeypatch.setenv("BRIGHTROOM_MEDIA__WALL_S", "3")
    monkeypatch.setenv("BRIGHTROOM_MEDIA__MEMORY_MB", "512")

    job = home.scan()

    assert (job.state, job.counts["failed"]) == ("done", len(POISON)), job.error
    errors = {row["name"]: row["reason"] for row in home.library.errors.of_job(job.job_id).to_pylist()}
    assert set(errors) == set(POISON)
    assert ["signal 11" in errors[POISON[0]], "hung" in errors[POISON[1]], "memory" in errors[POISON[2]]] == [True] * 3
    for name in POISON:
        (home.folder / name).unlink()
    home.scan()
    same_library(undisturbed.library, home.library)


def test_a_paused_scan_goes_on_where_it_was_and_a_cancelled_one_keeps_what_it_has(
    undisturbed: Household, few: Callable[..., Household], mains: list[str]
):
    """Pause ends the process at a batch's edge; resume finishes the rest; cancel is an end."""
    home = few(*mains)
    jobs = home.brightroom.jobs
    job = home.start()
    home.until(job, lambda now: now.state == "running")
    jobs.pause(job.job_id)
    assert home.rest(job).state == "paused"
    jobs.resume(job.job_id)
    assert home.rest(home.until(job, lambda now: now.state != "queued")).state == "done"
    same_library(undisturbed.library, home.library)

    other = few(*mains)
    cancelled = other.start()
    other.until(cancelled, lambda now: now.state == "running")
    jobs.cancel(cancelled.job_id)
    assert other.rest(cancelled).state == "cancelled"


def test_a_second_request_gets_the_job_that_runs(few: Callable[..., Household], mains: list[str]):
    """One scan per library at a time."""
    home = few(*mains[:3])

    first, second = home.start(), home.start()

    assert first.job_id == second.job_id
    home.rest(first)
