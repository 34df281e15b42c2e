"""A Ray head as a process of ours: started in a process session of its own, found again by its note, ended whole.

Knows nothing of who uses it or of its token; `runtime.py` does.
"""

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import msgspec
import psutil

from cluster.errors import Unavailable
from cluster.settings import KEYS_VARIABLE, Settings

GRACE_S = 4.0  # a raylet with busy replicas takes half a minute over its farewell (measured); what matters is stored


class Head(msgspec.Struct, frozen=True):
    """A Ray head that we started: where it answers, and which process it is."""

    gcs: str  # host:port
    dashboard: str  # http://host:port
    pid: int
    born: float  # seconds since the epoch, tells a reused pid from ours

    @property
    def ports(self) -> tuple[int, ...]:
        """Where it listens once it is up."""
        return tuple(int(address.rsplit(":", 1)[1]) for address in (self.gcs, self.dashboard))

    def alive(self) -> bool:
        """Whether the process that was started still runs."""
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            return not recycled(self) and process.status() != psutil.STATUS_ZOMBIE
        return False


def launch(settings: Settings) -> Head:
    """Start a head, in place of one that died, and write its note; it does not answer yet."""
    sweep(settings)
    gcs, dashboard = settings.ray.port or free_port(), settings.ray.dashboard_port or free_port()
    pid = spawn(head_command(settings, gcs, dashboard), head_environment(os.environ), head_log(settings))
    return note(settings, Head(f"127.0.0.1:{gcs}", f"http://127.0.0.1:{dashboard}", pid, born(pid)))


def head_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a head, and with it every job and replica, inherits of an environment: no keys."""
    return {**{name: value for name, value in environment.items() if name != KEYS_VARIABLE}, **HEAD_ENVIRONMENT}


def spawn(command: list[str], environment: dict[str, str], log: Path) -> int:
    """Start a command in a process session of its own, its output in a log: it outlives us if it must. Its pid."""
    into = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), into, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], command, environment, file_actions=actions, setsid=True)


HEAD_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",  # torch's threads otherwise cost half a gigabyte more
    "OMP_WAIT_POLICY": "passive",  # threads that wait leave the cores to others
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # otherwise Ray takes 127.0.0.1 for the machine's outer address
    # A node whose machine is gone is gone within ten seconds, and not for being busy.
    "RAY_health_check_failure_threshold": "8",
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "1000",
    "RAY_SERVE_FORCE_STOP_UNHEALTHY_REPLICAS": "1",  # a hung one leaves its share of a GPU to the next at once
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",  # its default of 0.1 costs a twentieth of a core for ever (measured)
    "RAY_USAGE_STATS_ENABLED": "0",
    "TOKENIZERS_PARALLELISM": "false",
}


def head_command(settings: Settings, gcs: int, dashboard: int) -> list[str]:
    """The command line of a head all of whose processes listen on loopback only.

    Not so replicas of Serve: each takes a port of every address, for calls of other replicas, and asks for the token.
    """
    asked = settings.ray
    counts = {"cpus": asked.num_cpus, "gpus": asked.num_gpus}
    told = [f"--num-{name}={count}" for name, count in counts.items() if count is not None]
    return [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats",
        f"--port={gcs}", "--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1",
        f"--dashboard-port={dashboard}", *told,
        # Their default ports are fixed: of two heads on one machine the second would take no jobs, no clients.
        f"--dashboard-agent-listen-port={free_port()}", f"--ray-client-server-port={free_port()}",
        f"--object-store-memory={asked.object_store_mb * 1_000_000}", f"--temp-dir={temp_dir(settings)}",
    ]  # fmt: skip


def await_head(settings: Settings, head: Head) -> None:
    """Wait until every port answers; raises Unavailable with the log's place when it does not, and ends the head."""
    deadline = time.monotonic() + settings.ray.start_timeout_s
    while not all(answers(port) for port in head.ports):
        reap(head.pid)
        if not head.alive() or time.monotonic() > deadline:
            sweep(settings)
            raise Unavailable(f"Ray did not start; {head_log(settings)} says why")
        time.sleep(0.1)


def stop_head(settings: Settings, grace_s: float = GRACE_S) -> None:
    """Stop the head that was started here and every process of its session; nothing else."""
    head = read_head(settings)
    if head is None:
        return
    with undisturbed():
        if head.alive():
            os.kill(head.pid, signal.SIGTERM)
            gone = time.monotonic() + grace_s
            while family(head) and time.monotonic() < gone:
                reap(head.pid)
                time.sleep(0.1)
        sweep(settings)


def sweep(settings: Settings) -> None:
    """Kill what the last head left of itself, and forget it."""
    head = read_head(settings)
    if head is None:
        return
    deadline = time.monotonic() + 5
    while (left := family(head)) and time.monotonic() < deadline:  # again: whoever is not killed yet may start others
        killed(left)
    reap(head.pid)
    head_file(settings).unlink(missing_ok=True)
    shutil.rmtree(temp_dir(settings), ignore_errors=True)


def killed(processes: list[psutil.Process]) -> None:
    """Kill processes, and wait a moment for their end."""
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=1)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no signal interrupt the block: an impatient second Ctrl-C would leave half of Ray running."""
    if threading.current_thread() is not threading.main_thread():  # signals do not get here anyway
        yield
        return
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def family(head: Head) -> list[psutil.Process]:
    """The processes in the head's process session: it was started with one of its own, so they are all ours."""
    members: list[psutil.Process] = []
    if recycled(head):
        return members
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            in_session = os.getsid(process.pid) == head.pid and process.create_time() >= head.born - 1
            if in_session and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members


def recycled(head: Head) -> bool:
    """Whether the head's pid is another process's by now: then none is left of its session, which would reserve it."""
    with suppress(psutil.Error):
        return abs(born(head.pid) - head.born) >= 1
    return head.born < psutil.boot_time()


def born(pid: int) -> float:
    """When a process began, in seconds since the epoch."""
    return float(psutil.Process(pid).create_time())


def reap(pid: int) -> None:
    """Collect the exit status of our own child, so that it does not stay as a zombie."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def run_dir(settings: Settings) -> Path:
    """Where what concerns running processes is kept: the head, its token, its log, who uses it."""
    folder = settings.root / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def head_file(settings: Settings) -> Path:
    """The note of the head that was started last."""
    return run_dir(settings) / "head.json"


def head_log(settings: Settings) -> Path:
    """What the head that was started last prints."""
    return run_dir(settings) / "head.log"


def note(settings: Settings, head: Head) -> Head:
    """Write a head down, so that whoever comes next finds it; never half of it."""
    scratch = head_file(settings).with_suffix(".new")
    scratch.write_bytes(msgspec.json.encode(head))
    scratch.replace(head_file(settings))
    return head


def read_head(settings: Settings) -> Head | None:
    """The head that was started last, alive or not."""
    with suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode(head_file(settings).read_bytes(), type=Head)
    return None


def temp_dir(settings: Settings) -> Path:
    """Ray's scratch folder, of our own, as it is deleted; short, as paths of the sockets in it are limited."""
    parent = settings.ray.temp_dir or Path(tempfile.gettempdir())
    return parent / f"brightroom-{sha256(str(settings.root).encode()).hexdigest()[:10]}"


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment, outside Ray's own range for workers."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port: int = listener.getsockname()[1]
        if port >= 20000:
            return port


def answers(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
