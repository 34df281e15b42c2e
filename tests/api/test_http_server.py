"""One server: its port, its graceful end."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.http_server import HttpServer, listening
from cluster.errors import Conflict, Invalid
from tests.api.test_jobs import events, started
from tests.api.world import World, build


def test_a_server_knows_its_port_before_it_answers(tmp_path: Path) -> None:
    """Asked for any port, it has a free one from the moment it is made."""
    server = HttpServer(create_app(build(tmp_path).deps), "127.0.0.1", 0)

    assert server.port > 0
    assert server.url == f"http://127.0.0.1:{server.port}"
    server.close()


def test_stopping_finishes_answers_and_ends_streams(fresh: World) -> None:
    """A stream that would never end does not keep the server, and its client sees a proper end."""
    job = started(fresh, "ann")
    with fresh.as_user("ann").stream("GET", "/api/jobs/events") as answer:
        told = events(answer)
        assert next(told)[1]["job_id"] == job.job_id
        began = time.monotonic()

        fresh.http.stop()

        assert list(told) == []
        assert time.monotonic() - began < 5


def test_a_taken_port_and_a_foreign_address_are_sentences() -> None:
    """They name the option that helps."""
    with listening("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        with pytest.raises(Conflict, match=f"port {port} is taken; choose another with --port"):
            listening("127.0.0.1", port)
    for host in ("192.0.2.77", "no.such.host.invalid"):
        with pytest.raises(Invalid, match=f"nothing can listen on {host}: .* --host"):
            listening(host, 0)


def test_a_server_answers_at_a_door_that_was_open_before_it(tmp_path: Path) -> None:
    """Whoever came meanwhile is answered: the port is taken before what takes long is begun."""
    world = build(tmp_path)
    with listening("127.0.0.1", 0) as door, socket.create_connection(door.getsockname()) as early:
        server = HttpServer(create_app(world.deps), "127.0.0.1", 0, door)
        thread = threading.Thread(target=server.answer)
        thread.start()
        early.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert early.recv(1000).startswith(b"HTTP/1.1 200 OK")

        server.stop()
        thread.join(20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_server_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    """With a stream open: `answer` returns, so that whoever called it can stop the rest; the port is free again."""
    world = build(tmp_path)
    world.user("ann")
    started(world, "ann")
    server = HttpServer(create_app(world.deps), "127.0.0.1", 0)
    world.server = server

    def listen() -> None:
        with world.as_user("ann").stream("GET", "/api/jobs/events") as answer:
            for _ in events(answer):
                os.kill(os.getpid(), number)

    handler = signal.getsignal(number)
    listener = threading.Thread(target=listen)
    with world.closing:
        listener.start()
        server.answer()
        listener.join(20)

    assert not listener.is_alive()
    assert signal.getsignal(number) is handler
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)
