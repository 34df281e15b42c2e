"""Reach Ray: start a head as a child of ours, find the one a former process of ours left, or join a cluster.

The only `ray.init` in the repository is here. Starts no service and no job.
"""

import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec
import psutil
import ray
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

from cluster.errors import Unavailable
from cluster.settings import Settings


class Head(msgspec.Struct, frozen=True):
    """A Ray head that we started: where it answers, and which process it is."""

    gcs: str  # host:port
    dashboard: str  # http://host:port
    pid: int
    born: float  # seconds since the epoch, tells a reused pid from ours

    def alive(self) -> bool:
        """Whether the process that was started still runs."""
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.born) < 1 and process.status() != psutil.STATUS_ZOMBIE
        return False


def start_head(settings: Settings) -> Head:
    """Start a Ray head in a process session of its own, or return the one that runs already.

    Raises Unavailable when it does not answer in time.
    """
    if head := running_head(settings):
        return head
    authenticate(settings)
    sweep(settings)
    gcs, dashboard = settings.ray.port or free_port(), settings.ray.dashboard_port or free_port()
    log = run_dir(settings) / "head.log"
    pid = spawn(head_command(settings, gcs, dashboard), {**os.environ, **HEAD_ENVIRONMENT}, log)
    head = Head(f"127.0.0.1:{gcs}", f"http://127.0.0.1:{dashboard}", pid, psutil.Process(pid).create_time())
    head_file(settings).write_bytes(msgspec.json.encode(head))
    await_head(head, (gcs, dashboard), settings.ray.start_timeout_s, log)
    return head


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
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",  # its default of 0.1 costs a twentieth of a core for ever (measured)
    "RAY_USAGE_STATS_ENABLED": "0",
    "TOKENIZERS_PARALLELISM": "false",
}


def head_command(settings: Settings, gcs: int, dashboard: int) -> list[str]:
    """The command line of a head that listens on loopback only."""
    asked = settings.ray
    counts = {"cpus": asked.num_cpus, "gpus": asked.num_gpus}
    told = [f"--num-{name}={count}" for name, count in counts.items() if count is not None]
    return [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats",
        f"--port={gcs}", "--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1",
        f"--dashboard-port={dashboard}", *told,
        # Its default port is fixed: of two heads on one machine the second would take no jobs.
        f"--dashboard-agent-listen-port={free_port()}",
        f"--object-store-memory={asked.object_store_mb * 1_000_000}", f"--temp-dir={temp_dir(settings)}",
    ]  # fmt: skip


def await_head(head: Head, ports: tuple[int, ...], timeout_s: float, log: Path) -> None:
    """Wait until every port answers; raises Unavailable with the log's place when it does not."""
    deadline = time.monotonic() + timeout_s
    while not all(answers(port) for port in ports):
        reap(head.pid)
        if not head.alive() or time.monotonic() > deadline:
            for process in family(head):
                process.kill()
            raise Unavailable(f"Ray did not start; {log} says why")
        time.sleep(0.1)


def stop_head(settings: Settings, grace_s: float = 4) -> None:
    """Stop the head that was started here and every process of its session; nothing else.

    The grace is short: a raylet with busy replicas takes half a minute over its farewell (measured), and whatever is
    worth keeping is in the store already.
    """
    head = read_head(settings)
    if head is None:
        return
    if head.alive():
        os.kill(head.pid, signal.SIGTERM)
        gone = time.monotonic() + grace_s
        while family(head) and time.monotonic() < gone:
            reap(head.pid)
            time.sleep(0.1)
    sweep(settings)


def sweep(settings: Settings) -> None:
    """Kill what a head that died left behind, and forget it."""
    head = read_head(settings)
    if head is None:
        return
    left = family(head)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=5)
    reap(head.pid)
    head_file(settings).unlink(missing_ok=True)
    shutil.rmtree(temp_dir(settings), ignore_errors=True)


def family(head: Head) -> list[psutil.Process]:
    """The processes in the head's process session: it was started with one of its own, so they are all ours."""
    members = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            in_session = os.getsid(process.pid) == head.pid and process.create_time() >= head.born - 1
            if in_session and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members


def reap(pid: int) -> None:
    """Collect the exit status of our own child, so that it does not stay as a zombie."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def running_head(settings: Settings) -> Head | None:
    """The head that a process of ours started under this root and that still answers."""
    head = read_head(settings)
    if head and head.alive() and answers(int(head.gcs.rsplit(":", 1)[1])):
        authenticate(settings)
        return head
    return None


def connect(settings: Settings, address: str | None = None) -> None:
    """Join Ray: at the given address, else the settings', else the head of ours that runs.

    Raises Unavailable when there is none.
    """
    if ray.is_initialized():
        return
    authenticate(settings)
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    head = running_head(settings)
    where = address or settings.ray.address or (head.gcs if head else None)
    if where is None:
        raise Unavailable("Brightroom is not running here; start it with `brightroom up`")
    try:
        ray.init(address=where, namespace=settings.ray.namespace, log_to_driver=False, logging_level="ERROR")
    except ConnectionError as error:
        raise Unavailable(f"the Ray cluster at {where} does not answer: {error}") from error


def dashboard_of(settings: Settings) -> str:
    """Where jobs are submitted: http://host:port. Raises Unavailable when nothing runs."""
    if settings.ray.dashboard:
        return settings.ray.dashboard
    if head := running_head(settings):
        return head.dashboard
    raise Unavailable("Brightroom is not running here; start it with `brightroom up`")


def authenticate(settings: Settings) -> None:
    """Make this process and its children show the cluster's token; makes a token where none is configured."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    if settings.ray.address is None:
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(token_file(settings))
    Config.initialize("")  # Ray read its variables when it was imported
    AuthenticationTokenLoader.instance().reset_cache()


def token_file(settings: Settings) -> Path:
    """The file with the token of heads started under this root, readable by its user only."""
    file = run_dir(settings) / "ray-token"
    with suppress(FileExistsError):
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_hex(32))
    return file


def run_dir(settings: Settings) -> Path:
    """Where what concerns running processes is kept: the head, its token, its log."""
    folder = settings.root / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def head_file(settings: Settings) -> Path:
    """The note of the head that was started last."""
    return run_dir(settings) / "head.json"


def read_head(settings: Settings) -> Head | None:
    """The head that was started last, alive or not."""
    with suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode(head_file(settings).read_bytes(), type=Head)
    return None


def temp_dir(settings: Settings) -> Path:
    """Ray's scratch folder: short, because sockets live in it and their paths are limited."""
    if settings.ray.temp_dir:
        return settings.ray.temp_dir
    return Path(tempfile.gettempdir()) / f"brightroom-{sha256(str(settings.root).encode()).hexdigest()[:10]}"


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
