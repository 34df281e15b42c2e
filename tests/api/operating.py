"""`brightroom up` as a process, and what an operator does to it: requests, kills, starts."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from api.passwords import Passwords
from cluster.runtime import family, free_port, read_head
from cluster.sealing import handed_file
from cluster.settings import Settings
from cluster.store.database import System, open_system

PASSWORD = "a long enough password"
BRIGHTROOM = Path(sys.executable).with_name("brightroom")
RESTING = ("done", "failed", "cancelled", "paused", "interrupted")


class Operated:
    """One Brightroom under a root of its own, started and killed as often as wanted."""

    def __init__(
        self, folder: Path, weights: Path, settings: dict[str, Any], environment: Mapping[str, str] | None = None
    ) -> None:
        """`environment` is what `up` finds there beside what is there anyway."""
        self.environment = {**os.environ, **(environment or {})}
        self.root, self.port = folder / "root", free_port()
        self.config = folder / "settings.yaml"
        self.config.write_text(yaml.safe_dump({"root": str(self.root), "weights": str(weights), **settings}))
        self.log = folder / "up.log"
        self.settings = Settings(root=self.root)
        self.server: subprocess.Popen[bytes] | None = None
        self.clients = ExitStack()
        self.admin = self.client()

    @property
    def system(self) -> System:
        """The system database, opened anew."""
        return open_system(self.settings)

    def user(self, name: str, admin: bool = False, directory: str = "") -> str:
        """A new user's id."""
        return self.system.users.create(name, Passwords().hash(PASSWORD), admin, directory).user_id

    def client(self, name: str = "", **options: Any) -> httpx.Client:
        """A client, logged in as somebody or not."""
        url = f"http://127.0.0.1:{self.port}"
        client = self.clients.enter_context(
            httpx.Client(base_url=url, timeout=60, trust_env=False, verify=False, **options)
        )
        if name:
            login = {"name": name, "password": PASSWORD, "bearer": True}
            token = client.post("/api/auth/login", json=login).raise_for_status().json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"
        return client

    def up(self, as_admin: str) -> None:
        """Start, and wait until it answers."""
        command = [str(BRIGHTROOM), "--config", str(self.config), "up", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        self.until(self.answers, 120)
        self.admin = self.client(as_admin)

    def answers(self) -> bool:
        """Whether the server answers."""
        assert self.server
        assert self.server.poll() is None, self.log.read_text()
        try:
            return self.admin.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self, *also: int) -> None:
        """SIGKILL the server, and everything that Ray runs for it, at once."""
        head = read_head(self.settings)
        assert head
        assert self.server
        processes = family(head)
        for pid in [self.server.pid, *also, *[process.pid for process in processes]]:
            with_pid(pid)
        self.server.wait(20)
        psutil.wait_procs(processes, 20)

    def down(self) -> None:
        """Ctrl-C."""
        self.clients.close()
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(90)
        shutil.rmtree(handed_file(self.settings).parent, ignore_errors=True)

    def inheriting(self, variable: str) -> list[int]:
        """The processes that Ray runs for the server which have a variable in their environment."""
        head, found = read_head(self.settings), []
        assert head
        for process in family(head):
            with suppress(psutil.Error):
                found += [process.pid] if variable in process.environ() else []
        return found

    def service(self, name: str) -> dict[str, Any]:
        """How a service is."""
        told: dict[str, Any] = self.admin.get(f"/api/services/{name}").raise_for_status().json()
        return told

    def states(self) -> dict[str, str]:
        """The state of every service."""
        services = self.admin.get("/api/services").raise_for_status().json()
        return {service["name"]: service["state"] for service in services}

    def until(self, happens: Callable[[], Any], within_s: float = 90) -> float:
        """Wait for something, and return the seconds that took; fails when it takes too long."""
        began = time.monotonic()
        while not happens():
            assert time.monotonic() - began < within_s, self.log.read_text()[-2000:]
            time.sleep(0.2)
        return time.monotonic() - began

    def rest(self, client: httpx.Client, job_id: str) -> dict[str, Any]:
        """A job once it rests."""
        job: dict[str, Any] = {"state": "queued"}

        def rests() -> bool:
            job.update(client.get(f"/api/jobs/{job_id}").raise_for_status().json())
            return job["state"] in RESTING

        self.until(rests, 200)
        return job


def with_pid(pid: int) -> None:
    """SIGKILL a process, if it is there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def stream(ask: Callable[[], Any]) -> Iterator[list[Any]]:
    """Asks again and again, from a thread, while the block runs; what was answered, or raised."""
    answers: list[Any] = []
    over = threading.Event()

    def keep_asking() -> None:
        while not over.wait(0.05):
            try:
                answers.append(ask())
            except (httpx.HTTPError, AssertionError, KeyError, IndexError) as error:
                answers.append(error)

    thread = threading.Thread(target=keep_asking)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()
