"""One server: its port, its graceful end."""

import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.server import HttpServer
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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
