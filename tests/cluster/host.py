"""A Ray cluster that is somebody else's, of several nodes on this machine: `python -m tests.cluster.host`.

Token authentication, a dashboard, logical CPUs and GPUs as asked for. Obeys lines on its input: `kill N` ends a node as
a power cut does, `behead` ends the GCS alone, `end` or the input's end ends everything; it answers in lines of JSON.
`Host` is a test's view of it. All ports are free ones, all files lie in a scratch folder, and nothing outlives whoever
started it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psutil

from cluster.head import HEAD_ENVIRONMENT, free_port

REPOSITORY = Path(__file__).resolve().parents[2]
OBJECT_STORE = 150_000_000  # bytes, of each node
OUTER = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # without it nodes are at the machine's outer address, as they usually are


class Host:
    """The cluster as a process beside the test."""

    def __init__(self, folder: Path, nodes: Sequence[tuple[int, int]]) -> None:
        """`nodes` are the CPUs and GPUs of each, the head's first; returns when all are there."""
        self.token, self.log = folder / "token", folder / "host.log"
        self.token.write_text(os.urandom(24).hex())
        self.scratch = tempfile.mkdtemp(prefix="brh")  # a short name: sockets live in it
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.cluster.host", json.dumps(list(nodes))], cwd=REPOSITORY, text=True,
                env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        told = self.heard()
        self.address, self.dashboard = told["address"], told["dashboard"]
        self.nodes: list[str] = told["nodes"]  # their ids
        self.raylets: list[int] = told["raylets"]  # of each the process whose children its workers are

    def environment(self) -> dict[str, str]:
        """The variables of this cluster's own processes."""
        usual = {name: value for name, value in {**os.environ, **HEAD_ENVIRONMENT}.items() if name != OUTER}
        return {**usual, **self.key(), "RAY_TMPDIR": self.scratch}

    def key(self) -> dict[str, str]:
        """The variables of somebody whom this cluster lets in."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(self.token)}

    def kill(self, number: int) -> None:
        """End a node and all that runs on it, without a farewell."""
        self.told(f"kill {number}")

    def behead(self) -> None:
        """End the GCS, and nothing else."""
        self.told("behead")

    def runs(self, number: int, name: str) -> bool:
        """Whether a process of that name runs on a node; Ray names workers after what they do."""
        return any(name in " ".join(process.cmdline()) for process in family(self.raylets[number]))

    def told(self, line: str) -> dict[str, Any]:
        """What the host answers to a line."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.heard()

    def heard(self) -> dict[str, Any]:
        """The next that the host says."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-4000:]
        told: dict[str, Any] = json.loads(line)
        return told

    def end(self) -> None:
        """End everything, and the host itself."""
        with suppress(subprocess.TimeoutExpired):
            self.process.communicate("end\n", timeout=30)
        killed([*family(self.process.pid), *session(self.process.pid)])
        self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started, and they."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def session(pid: int) -> list[psutil.Process]:
    """The processes in the process session of one, which may have ended."""
    members: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == pid:
                members.append(process)
    return members


def killed(processes: Sequence[psutil.Process]) -> None:
    """Kill processes, those that would start others anew first, and wait until they are gone."""
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, 10)


def say(**told: Any) -> None:
    """Answer the test."""
    print(json.dumps(told), flush=True)


def main() -> None:
    """Be the cluster until the input ends."""
    from ray.cluster_utils import Cluster

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.makedirs(os.path.join(os.environ["RAY_TMPDIR"], "ray"))  # where Ray notes the address, before it makes it itself
    cluster = Cluster()
    head = {  # the ports that are fixed where nobody says anything else
        "include_dashboard": True, "dashboard_port": free_port(), "dashboard_agent_listen_port": free_port(),
    }  # fmt: skip
    nodes = [
        cluster.add_node(num_cpus=cpus, num_gpus=gpus, object_store_memory=OBJECT_STORE, **({} if number else head))
        for number, (cpus, gpus) in enumerate(json.loads(sys.argv[1]))
    ]
    raylets = [pid_of(node, "raylet") for node in nodes]
    say(address=cluster.address, dashboard=cluster.webui_url, nodes=[node.node_id for node in nodes], raylets=raylets)
    try:
        for line in sys.stdin:
            verb, *number = line.split()
            if verb == "end":
                break
            if verb == "behead":
                os.kill(pid_of(nodes[0], "gcs_server"), signal.SIGKILL)
            else:
                gone = family(raylets[int(number[0])])
                cluster.remove_node(nodes[int(number[0])], allow_graceful=False)
                killed(gone)
            say(did=verb)
    finally:
        killed([one for child in psutil.Process().children() for one in family(child.pid)])
        shutil.rmtree(os.environ["RAY_TMPDIR"], ignore_errors=True)  # also when nobody is left to do it


def pid_of(node: Any, name: str) -> int:
    """A process of a node."""
    return int(node.all_processes[name][0].process.pid)


if __name__ == "__main__":
    main()
