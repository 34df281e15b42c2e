"""Brightroom killed whole in the middle of a scan: `up` again, resume, and the library is as if undisturbed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.passwords import Passwords
from cluster.runtime import family, free_port, read_head
from cluster.settings import Settings
from cluster.store.database import Library, open_library, open_system
from tests.batch.conftest import driver_of
from tests.conftest import Household, same_library
from tests.sample_library import SampleLibrary

PASSWORD = "a long enough password"
BRIGHTROOM = Path(sys.executable).with_name("brightroom")


@pytest.fixture
def start(tmp_path: Path, weights: Path) -> Iterator[Callable[[], tuple["subprocess.Popen[bytes]", httpx.Client]]]:
    """Starts `brightroom up` under the same root every time; gives its process and a client that is logged in."""
    environment = {**os.environ, "BRIGHTROOM_ROOT": str(tmp_path / "root"), "BRIGHTROOM_WEIGHTS": str(weights)}
    started: list[subprocess.Popen[bytes]] = []
    clients = ExitStack()

    def up() -> tuple["subprocess.Popen[bytes]", httpx.Client]:
        port = free_port()
        command = [str(BRIGHTROOM), "up", "--port", str(port)]
        with (tmp_path / "up.log").open("ab") as log:
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        client = clients.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60))
        await_answer(client)
        login = {"name": "somebody", "password": PASSWORD, "bearer": True}
        token = client.post("/api/auth/login", json=login).raise_for_status().json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return started[-1], client

    yield up
    clients.close()
    for process in started:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def await_answer(client: httpx.Client) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            client.get("/healthz")
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("brightroom up does not answer")


def until(client: httpx.Client, job_id: str, states: set[str]) -> dict[str, Any]:
    """The job once it is in one of the states."""
    deadline = time.monotonic() + 200
    while (job := client.get(f"/api/jobs/{job_id}").raise_for_status().json())["state"] not in states:
        assert time.monotonic() < deadline, job
        time.sleep(0.2)
    return job


def test_the_whole_service_is_killed_and_started_again(
    few: Callable[..., Household],
    sample: SampleLibrary,
    tmp_path: Path,
    start: Callable[[], tuple["subprocess.Popen[bytes]", httpx.Client]],
):
    """Server, head, raylet, driver, replicas and writer die by SIGKILL; nothing committed is lost or doubled."""
    undisturbed = few(*[photo.main for photo in sample.photos[:24]])
    assert undisturbed.scan().state == "done"
    settings = Settings(root=tmp_path / "root")
    system = open_system(settings)
    user = system.users.create("somebody", Passwords().hash(PASSWORD), scan_directory=str(undisturbed.folder))

    server, client = start()
    job = client.post("/api/library/actions/scan").raise_for_status().json()
    await_photos(open_library(settings, user.user_id), 10)
    head = read_head(settings)
    assert head is not None
    driver = driver_of(job["job_id"])
    assert driver is not None
    for pid in [server.pid, driver.pid, *[process.pid for process in family(head)]]:
        os.kill(pid, signal.SIGKILL)
    server.wait()

    _, client = start()
    assert until(client, job["job_id"], {"interrupted"})["error"]
    client.post(f"/api/jobs/{job['job_id']}/resume").raise_for_status()
    ended = until(client, job["job_id"], {"done", "failed", "interrupted"})

    assert ended["state"] == "done", ended["error"]
    same_library(undisturbed.library, open_library(settings, user.user_id))


def await_photos(library: Library, count: int) -> None:
    """Wait until so many photos are committed."""
    deadline = time.monotonic() + 120
    while library.photos.count() < count:
        assert time.monotonic() < deadline
        time.sleep(0.1)
