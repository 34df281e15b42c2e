"""A scan's numbers, which add up, and its reporter, which outlives faults and never forgets a wish it has acted on."""

import errno
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.progress import Pace, Progress, Reporter
from cluster.errors import StoreError
from cluster.settings import Settings
from cluster.store.database import System, open_system
from cluster.store.jobs import Job, Jobs
from tests.batch.bench_of_one import Bench

QUICK = Pace(look_s=0.01, beat_s=0.0, give_up_s=60)
REASONS = st.dictionaries(st.sampled_from(["unchanged", "a symbolic link", "not a photo or video"]), st.integers(1, 9))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), REASONS)))
def test_listed_is_committed_and_failed_and_skipped(folders):
    """Whatever folders hold, the told numbers add up."""
    progress = Progress()
    for committed, failed, skipped in folders:
        progress.listed += committed + failed + sum(skipped.values())
        progress.committed += committed
        progress.failed += failed
        progress.skip(skipped)

    counts = progress.told()["counts"]

    assert counts["listed"] == counts["committed"] + counts["failed"] + counts["skipped"]
    assert counts["skipped"] == sum(counts["skipped_by"].values())


def test_a_stage_tells_how_far_it_is_and_how_long_it_will_take():
    """Total, done and failed are counts; rate and time left follow from them."""
    progress = Progress()
    stage = progress.stage("clip")
    stage.begin(100)
    stage.advance(30, 2)

    (told,) = progress.told()["stages"]

    assert (told["name"], told["total"], told["done"], told["failed"], told["state"]) == ("clip", 100, 30, 2, "running")
    assert told["rate"] > 0
    assert abs(told["eta_s"] - 68 / told["rate"]) <= 0.1 + 68 / told["rate"] * 0.01
    assert "began" not in told


def test_a_stage_that_has_done_nothing_promises_nothing():
    """No rate, no time left."""
    progress = Progress()
    progress.stage("tags").begin(5)

    (told,) = progress.told()["stages"]

    assert (told["rate"], told["eta_s"]) == (0, None)


class Near:
    """A board in this process, called like an actor's handle."""

    def __init__(self) -> None:
        self.up: dict[str, Any] = {}

    @property
    def post(self) -> "Near":
        """What `remote` is to call."""
        return self

    @property
    def clear(self) -> "Near":
        """What `remote` is to call."""
        return self

    def remote(self, topic: str, job_id: str, told: Any = None) -> None:
        """Put numbers up, or take them down."""
        self.up[job_id] = told


class Hindered(Jobs):
    """The table of jobs on a disk with troubles."""

    def __init__(self, system: System, troubles: list[Exception]) -> None:
        super().__init__(system.database)
        self.troubles = troubles

    def beat(self, *given: Any, **named: Any) -> bool:
        """Beat, once the troubles are over."""
        if self.troubles:
            raise self.troubles.pop(0)
        return super().beat(*given, **named)


class Away(Near):
    """The board of a cluster that is gone."""

    def remote(self, topic: str, job_id: str, told: Any = None) -> None:
        """Nobody is there."""
        raise RuntimeError("Ray is not there")


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A system database."""
    return open_system(Settings(root=tmp_path / "data"))


@pytest.fixture
def job(system: System) -> Job:
    """A running job."""
    return system.jobs.start(system.jobs.create("somebody", "scan", {}).job_id)


@pytest.fixture
def reporter(system: System, job: Job) -> Reporter:
    """A reporter that reports when it is told to."""
    return Reporter(Near(), system.jobs, job)


def until(happens: Callable[[], bool]) -> None:
    """Wait for something; fails when it does not come."""
    deadline = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_job_goes_on_beating_after_a_full_disk_and_a_conflict(system: System, job: Job):
    """What hinders one beat, or the board, does not hinder the next, and nobody takes the job for dead."""
    troubles = [OSError(errno.ENOSPC, "no space left"), StoreError("restore it"), RuntimeError("Commit conflict")]

    with Reporter(Away(), Hindered(system, troubles), job, QUICK) as reporter:
        until(lambda: system.jobs.get(job.job_id).beat > 1)

        assert reporter.wanted == "run"
    assert troubles == []


def test_a_job_that_cannot_beat_for_too_long_stops_working(system: System, job: Job):
    """Before it is taken for dead and another process begins the same work."""
    jobs = Hindered(system, [OSError(errno.ENOSPC, "no space left")] * 10_000)

    with Reporter(Near(), jobs, job, Pace(look_s=0.01, beat_s=0.0, give_up_s=0.2)) as reporter:
        assert reporter.wanted == "run"
        until(lambda: reporter.stopping)

        assert reporter.wanted == "stop"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_whose_beats_ended_for_a_reason_nobody_thought_of_stops(system: System, job: Job):
    """It must not go on unseen."""
    with Reporter(Near(), Hindered(system, [AssertionError("a bug")]), job, QUICK) as reporter:
        until(lambda: reporter.wanted == "stop")


def test_a_stop_is_not_overwritten_by_what_the_row_says(reporter: Reporter):
    """A signal comes between two beats; the next beat reads `run`."""
    reporter.stop()
    reporter.beat()

    assert reporter.wanted == "stop"


def test_a_wish_that_the_work_has_read_stays(system: System, job: Job, reporter: Reporter):
    """The work has let go of a batch by then."""
    system.jobs.want(job.job_id, "pause")
    reporter.beat()
    assert reporter.wanted == "pause"

    system.jobs.want(job.job_id, "run")
    reporter.beat()

    assert (reporter.wanted, reporter.heeded) == ("pause", "pause")


def test_a_wish_that_the_work_has_not_read_can_be_taken_back(system: System, job: Job, reporter: Reporter):
    """Nothing has happened yet."""
    for wish in ("pause", "run"):
        system.jobs.want(job.job_id, wish)
        reporter.beat()

    assert (reporter.wanted, reporter.heeded) == ("run", "run")


def test_work_that_another_attempt_took_over_stops(system: System, job: Job, reporter: Reporter):
    """Its beats are refused."""
    system.jobs.start(job.job_id)
    reporter.beat()

    assert reporter.wanted == "stop"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A folder with four photos and an empty library."""
    made = Bench(tmp_path)
    for number in range(4):
        made.photo(f"{number}.jpg", number)
    yield made
    made.close()


def test_a_pause_that_comes_and_goes_while_a_scan_lets_go_of_a_batch_is_a_pause(
    bench: Bench, system: System, job: Job, reporter: Reporter
):
    """The scan does not go on without the batches it has not waited for: they would be missing in its account."""
    scan = bench.made(None)
    scan.reporter, scan.progress = reporter, reporter.progress

    def wished(wish: Any) -> None:
        system.jobs.want(job.job_id, wish)
        reporter.beat()

    def run(*given: Any) -> Iterator[Any]:
        try:
            for batch in bench.here(*given):
                wished("pause")
                yield batch
        finally:
            wished("run")

    scan.run = run

    assert scan.everything() == "pause"
    assert (reporter.progress.listed, reporter.progress.committed) == (4, 2)


def test_a_wish_that_comes_when_all_is_done_comes_too_late(bench: Bench, system: System, job: Job, reporter: Reporter):
    """The scan is done; nothing was cut short."""
    scan = bench.made(None)
    scan.reporter, scan.progress = reporter, reporter.progress

    assert scan.everything() == "run"
    system.jobs.want(job.job_id, "cancel")
    reporter.beat()

    assert reporter.heeded == "run"
