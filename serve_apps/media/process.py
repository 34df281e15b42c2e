"""One decode child as its parent sees it: started with little of our environment, asked with a deadline, killed.

Leaves out whether to try again and when to start a fresh one (box.py).
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from cluster.errors import DecoderDied, Unavailable
from serve_apps.malloc import KEEPS_MEMORY
from serve_apps.media import protocol
from serve_apps.media.protocol import Answer, Ready, Request, Setup

START_S = 60.0  # in which a child must be ready, on a machine busy with other things
PASSED_ON = ("LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "VIPS_BLOCK_UNTRUSTED": "1",
    "VIPS_CONCURRENCY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    **KEEPS_MEMORY,
}
ADVICE = "it may be damaged: open it elsewhere and save it anew"
SENSELESS = "the decoder gave a senseless answer for this file, which may be hostile; delete it if it is not yours"
ROOT = Path(__file__).resolve().parents[2]


class Process:
    """A running child; every method raises DecoderDied once it is gone."""

    def __init__(self, setup: Setup, memory: int, program: Sequence[str]) -> None:
        self.asked = 0  # files so far
        self._ready = False
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", *program, str(theirs.fileno()), str(memory)],
                pass_fds=(theirs.fileno(), memory),
                env=environment(os.environ),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the parent, which knows what to do
            )
        self._send(protocol.framed(setup))

    def __bool__(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Request, wall_s: float) -> Answer:
        """The answer to a request; raises DecoderDied when it does not come in time, at all, or makes no sense."""
        self._await_ready()
        self.asked += 1
        deadline = time.monotonic() + wall_s
        self._channel.settimeout(wall_s)
        try:
            self._send(protocol.framed(request))
            return self._receive(deadline)
        except TimeoutError:
            self.stop()
            raise DecoderDied(f"the decoder hung on this file for {wall_s:g} s and was stopped; {ADVICE}") from None
        except EOFError:
            raise DecoderDied(last_words(self._left(), request.cpu_s)) from None
        except (msgspec.MsgspecError, ValueError):
            self.stop()
            raise DecoderDied(SENSELESS) from None

    def stop(self) -> None:
        """End the child at once; does nothing when it has ended."""
        self._process.kill()
        self._process.wait()
        self._channel.close()

    def _await_ready(self) -> None:
        if self._ready:
            return
        try:
            self._ready = isinstance(self._receive(time.monotonic() + START_S), Ready)
        except (TimeoutError, EOFError) as error:
            self.stop()
            why = "in time" if isinstance(error, TimeoutError) else f"(exit code {self._process.returncode})"
            hint = f"run `{sys.executable} -c 'import serve_apps.media.child'` to see why"
            raise Unavailable(f"the decoder does not start {why}; {hint}") from None

    def _left(self) -> int:
        """The exit code of a child that hung up; one that only closed its socket is killed."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self.stop()
        return self._process.returncode

    def _send(self, data: bytes) -> None:
        with suppress(OSError):  # it has gone; reading says how
            self._channel.sendall(data)

    def _receive(self, deadline: float) -> Answer:
        length = int.from_bytes(self._exactly(protocol.LENGTH_BYTES, deadline), "little")
        if length > protocol.MAX_MESSAGE:
            raise ValueError("an answer of absurd length")
        return protocol.answers.decode(self._exactly(length, deadline))

    def _exactly(self, count: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < count:
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError
            try:
                self._channel.settimeout(left)
                piece = self._channel.recv(count - len(found))
            except ConnectionError:
                piece = b""
            if not piece:
                raise EOFError
            found += piece
        return bytes(found)


def last_words(code: int, cpu_s: int) -> str:
    """What became of a child that left with this code, for a person."""
    if code == -signal.SIGXCPU:
        return f"decoding this file took more than {cpu_s} s of CPU time and was stopped; {ADVICE}"
    if code < 0:
        return f"the decoder crashed on this file (signal {-code}); {ADVICE}"
    return f"the decoder left on this file (exit code {code}); {ADVICE}"


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What the child is told of our environment: where Python modules are, and nothing that could be a secret."""
    passed = {name: ours[name] for name in PASSED_ON if name in ours}
    return {**passed, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
