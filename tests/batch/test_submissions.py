"""Asking Ray for its jobs over HTTP: a dashboard that hangs, refuses or is not there is an error soon, of one kind."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.submissions import Submissions
from cluster import board
from cluster.errors import Unavailable
from cluster.settings import RaySettings, Settings


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """A port behind which somebody may listen."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener


@pytest.fixture
def submissions(tmp_path: Path, door: socket.socket) -> Submissions:
    """The jobs of a cluster whose dashboard is behind the door."""
    dashboard = f"http://127.0.0.1:{door.getsockname()[1]}"
    return Submissions(Settings(root=tmp_path, ray=RaySettings(dashboard=dashboard)), deadline_s=0.3)


def asked(submissions: Submissions, what: str) -> None:
    """One of the requests."""
    {
        "submit": lambda: submissions.submit("one-1", "true", {}, {}),
        "status": lambda: submissions.status("one-1"),
        "stop": lambda: submissions.stop("one-1"),
    }[what]()


@pytest.mark.parametrize("what", ["submit", "status", "stop"])
def test_a_dashboard_that_hangs_is_given_up(submissions: Submissions, door: socket.socket, what: str):
    """It takes connections and answers nothing; nobody waits for ever."""
    door.listen()
    began = time.monotonic()

    with pytest.raises(Unavailable, match="does not answer"):
        asked(submissions, what)

    assert time.monotonic() - began < 10


@pytest.mark.parametrize("what", ["submit", "status", "stop"])
def test_a_dashboard_that_is_not_there_is_unavailable(submissions: Submissions, what: str):
    """As it is while Brightroom starts."""
    with pytest.raises(Unavailable, match="does not answer"):
        asked(submissions, what)


def test_a_brightroom_that_does_not_run_is_unavailable(tmp_path: Path):
    """There is no dashboard to ask."""
    with pytest.raises(Unavailable, match="not running"):
        Submissions(Settings(root=tmp_path)).status("one-1")


def test_looking_at_numbers_in_flight_starts_no_cluster():
    """A process that has not joined one sees none."""
    assert board.read("nobody", "jobs", "one") is None
