"""What Ctrl-C does while a job is followed: once it pauses, twice it leaves."""

import io
import signal
from pathlib import Path

import pytest
from rich.console import Console

from api.follow import PAUSING, follow
from batch.jobs import JobControl
from cluster.settings import Settings
from cluster.store.database import open_system
from cluster.store.jobs import Job


class Pressed(JobControl):
    """Jobs at each look at which somebody presses Ctrl-C, so many times."""

    times = 0

    def dispatch(self) -> None:
        """Press Ctrl-C instead of submitting."""
        if self.times:
            self.times -= 1
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def control(tmp_path: Path) -> Pressed:
    """Jobs without a cluster."""
    settings = Settings(root=tmp_path)
    return Pressed(settings, open_system(settings))


@pytest.fixture
def console() -> Console:
    """A console whose output is a text."""
    return Console(file=io.StringIO(), width=200)


def text_of(console: Console) -> str:
    """What was printed."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def begun(control: JobControl) -> Job:
    """A job that runs."""
    job = control.jobs.create("ann", "scan", {})
    return control.jobs.start(job.job_id, "one", after=job.attempt)


def test_one_ctrl_c_pauses_and_says_what_a_second_does(control: Pressed, console: Console):
    """A job that waits is paused at once."""
    control.times = 1
    job = control.jobs.create("ann", "scan", {})

    assert follow(control, job.job_id, console).state == "paused"

    assert PAUSING in text_of(console)


def test_a_second_ctrl_c_leaves(control: Pressed, console: Console):
    """Whatever the job does meanwhile: it keeps the wish to pause."""
    control.times = 2

    left = follow(control, begun(control).job_id, console)

    assert (left.state, left.wanted) == ("running", "pause")


def test_nothing_is_printed_for_programs(control: Pressed, capsys: pytest.CaptureFixture[str]):
    """With --json standard output is for the job alone."""
    control.times = 1

    follow(control, control.jobs.create("ann", "scan", {}).job_id, None)

    assert capsys.readouterr().out == ""
