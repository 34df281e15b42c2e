"""Between cheroot's sockets and the front: every request is written down, and a fault may take over the connection.

A fault gets the answer that would have been given and a `Wire`, on which it can write any bytes, wait, reset or close.
"""

import io
import logging
import select
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from cheroot import wsgi

from tests.nextcloud.dav import FILES
from tests.nextcloud.front import credentials

LOGGED = ("host", "depth", "range", "if-range", "if-none-match", "accept-encoding", "user-agent")
Headers = list[tuple[str, str]]
Application = Callable[..., Iterable[bytes]]
Answering = Callable[..., "Answer"]


@dataclass
class Seen:
    """One request that came, and what became of it; never a password."""

    method: str
    target: str  # as it was asked for, still percent-encoded
    headers: dict[str, str]
    login: str = ""  # "" when it carried no password
    status: int = 0  # 0 when no status was sent
    fault: str = ""
    sent: int = 0  # bytes of the body
    number: int = 0  # the how many-th with this method for this target, from 1

    @property
    def path(self) -> str:
        """The path below the user's files, decoded; the whole path for other addresses."""
        whole = urllib.parse.unquote(urllib.parse.urlsplit(self.target).path)
        if not whole.startswith(f"{FILES}/"):
            return whole
        return "/".join(whole.split("/")[5:]).strip("/")

    @property
    def user(self) -> str:
        """The user whose files are asked for, "" for other addresses."""
        parts = urllib.parse.unquote(urllib.parse.urlsplit(self.target).path).split("/")
        return parts[4] if self.target.startswith(f"{FILES}/") and len(parts) > 4 else ""


@dataclass
class Answer:
    """An answer, its body still to come."""

    status: str
    headers: Headers
    body: Iterable[bytes] = field(default=())

    def get(self, name: str) -> str:
        """A header, "" when there is none."""
        return next((value for told, value in self.headers if told.lower() == name.lower()), "")

    def but(self, **changed: str | None) -> Headers:
        """The headers with some changed or, for None, left out; `_` in a name stands for `-`."""
        names = {name.replace("_", "-").lower(): value for name, value in changed.items()}
        kept = [(name, value) for name, value in self.headers if name.lower() not in names]
        return kept + [(name.title(), value) for name, value in names.items() if value is not None]

    def whole(self) -> bytes:
        """All of the body."""
        return b"".join(self.body)


class Wire:
    """The connection of one request, below HTTP."""

    def __init__(self, request: Any, seen: Seen, stopping: threading.Event) -> None:
        self._request = request
        self._socket: socket.socket = request.conn.socket
        self._seen = seen
        self._stopping = stopping

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._socket.sendall(data)

    def head(self, status: str, headers: Headers) -> None:
        """Write a status line and headers; the connection will be closed after the body."""
        self._seen.status = int(status.split()[0])
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "Connection: close", "", ""]
        self.send("\r\n".join(lines).encode("latin1"))

    def body(self, data: bytes) -> None:
        """Write bytes of a body."""
        self.send(data)
        self._seen.sent += len(data)

    def give(self, status: str, headers: Headers, data: bytes = b"") -> None:
        """Write a whole answer, with its right length."""
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        self.head(status, [*kept, ("Content-Length", str(len(data)))])
        self.body(b"" if self._seen.method == "HEAD" else data)

    def wait(self, seconds: float) -> bool:
        """Wait, and whether to go on: not when the client left or the server closes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stopping.wait(min(left, 0.02)) or select.select([self._socket], [], [], 0)[0]:
                return False
        return True

    def reset(self) -> None:
        """End the connection with a reset instead of an orderly end."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._request.conn.linger = True  # or cheroot would shut it down in order
        self._socket.close()


class Fault(Protocol):
    """What goes wrong with one request."""

    @property
    def kind(self) -> str:
        """Its name."""

    def spoil(self, seen: Seen, answer: "Answering", wire: Wire) -> None:
        """Do it; `answer()` is what would have been answered, `answer("HTTP_RANGE")` without that header."""


class Gateway(wsgi.Gateway_10):
    """Takes a request from cheroot, asks whether a fault is due, and answers."""

    def respond(self) -> None:
        """Answer, rightly or wrongly."""
        server: Server = self.req.server
        self.env["wsgi.input"] = io.BytesIO(self.req.rfile.read())
        seen = server.see(self.env)
        fault = server.fault_for(seen)
        try:
            if fault is None:
                self._answer(seen)
            else:
                self._spoil(fault, seen, server)
        except (ConnectionError, TimeoutError, ssl.SSLError):
            self.req.close_connection = True  # the client left

    def _answer(self, seen: Seen) -> None:
        application, start = self.req.server.wsgi_app, self.start_response

        def noting(status: str, headers: Headers, exc_info: Any = None) -> Any:
            seen.status = int(status.split()[0])
            return start(status, headers, exc_info)

        def counting(chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
            for chunk in chunks:
                seen.sent += len(chunk)
                yield chunk

        chunks = counting(application(self.env, noting))
        try:
            for chunk in chunks:
                if chunk:
                    self.write(chunk)
            self.req.ensure_headers_sent()
        finally:
            chunks.close()

    def _spoil(self, fault: Fault, seen: Seen, server: "Server") -> None:
        self.req.sent_headers = self.req.close_connection = True
        wire = Wire(self.req, seen, server.stopping)
        fault.spoil(seen, lambda *without: answer_of(server.wsgi_app, self.env, without), wire)


def answer_of(application: Application, environ: dict[str, Any], without: tuple[str, ...]) -> Answer:
    """What an application answers to a request that lacks some headers."""
    asked = {name: value for name, value in environ.items() if name not in without}
    asked["wsgi.input"].seek(0)  # it may have been answered before
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda _: None

    chunks = iter(application(asked, start_response))
    first = next(chunks, b"")
    return Answer(*started[-1], chain([first], chunks))


class Server(wsgi.Server):
    """cheroot, with a gateway that knows of faults; it keeps what was seen and what went wrong by itself."""

    def __init__(self, application: Application, fault_for: Callable[[Seen], Fault | None]) -> None:
        super().__init__(("127.0.0.1", 0), application, numthreads=8, request_queue_size=128, shutdown_timeout=2)
        self.gateway = Gateway
        self.keep_alive_conn_limit = 1000
        self.expiration_interval = 0.02  # how soon a stop is seen
        self.fault_for = fault_for
        self.stopping = threading.Event()
        self.seen: list[Seen] = []
        self.mishaps: list[str] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def see(self, environ: dict[str, Any]) -> Seen:
        """Write down a request."""
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        login, _ = credentials(environ) or ("", "")
        kept = {name: value for name, value in headers.items() if name in LOGGED}
        seen = Seen(environ["REQUEST_METHOD"], environ["REQUEST_URI"], kept, login)
        with self._lock:
            key = (seen.method, seen.target)
            seen.number = self._numbers[key] = self._numbers.get(key, 0) + 1
            self.seen.append(seen)
        return seen

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Keep what cheroot calls an error, so that a test can ask for it."""
        if level >= logging.ERROR:
            self.mishaps.append(f"{msg} {sys.exc_info()[1]!r}")
