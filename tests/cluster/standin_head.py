"""A stand-in for a Ray head: a process session of its own that listens on two ports, at once or later."""

import os
import subprocess
import sys
import time
from pathlib import Path

from cluster.head import Head, born, free_port, note, spawn
from cluster.settings import Settings

LISTEN = """
import socket, sys, time
time.sleep(float(sys.argv[1]))
doors = [socket.create_server(("127.0.0.1", int(port)), backlog=500) for port in sys.argv[2:]]
time.sleep(300)
"""
REPOSITORY = Path(__file__).resolve().parents[2]


def standing_head(settings: Settings, after_s: float = 0) -> Head:
    """A head that listens after some seconds, noted as the one that was started last."""
    ports = free_port(), free_port()
    command = [sys.executable, "-c", LISTEN, str(after_s), *map(str, ports)]
    pid = spawn(command, dict(os.environ), settings.root / "standin.log")
    return note(settings, Head(f"127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", pid, born(pid)))


USE = """
import sys, time
from pathlib import Path
from api.signals import end_in_order
from cluster.runtime import using_head
from cluster.settings import Settings

end_in_order()
print("coming", flush=True)
with using_head(Settings(root=Path(sys.argv[1])), lambda text: print(text, flush=True)):
    print("in", flush=True)
    time.sleep(300)
"""


class User:
    """Another process that uses the head of a root until it is told to end."""

    def __init__(self, settings: Settings) -> None:
        command = [sys.executable, "-c", USE, str(settings.root)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        self.said: list[str] = []

    def until(self, line: str) -> None:
        """Wait until it says something."""
        assert self.process.stdout is not None
        while not self.said or self.said[-1] != line:
            heard = self.process.stdout.readline()
            assert heard, f"it ended with {self.process.wait()} after {self.said}"
            self.said.append(heard.strip())

    def end(self, number: int) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        return self.process.returncode


def gone(head: Head, within_s: float = 10) -> bool:
    """Whether a head ends in time."""
    deadline = time.monotonic() + within_s
    while head.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not head.alive()
