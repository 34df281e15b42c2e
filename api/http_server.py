"""One uvicorn server in one process, stopped gracefully: open event streams end first, then answers are finished."""

import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Iterator

import uvicorn
from litestar import Litestar

from cluster.errors import Conflict, Invalid

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_S = 10  # how long running answers may take once the server is told to stop


class HttpServer(uvicorn.Server):
    """A server that listens from the moment it is made, so that its port is known, or on a door that is open already.

    `answer()` returns when `stop()` was called, from any thread, or in the main thread after SIGINT, SIGTERM or SIGHUP.
    """

    def __init__(self, app: Litestar, host: str, port: int, door: socket.socket | None = None) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            proxy_headers=False,  # the gate believes X-Forwarded-For of configured peers only
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
        )
        super().__init__(config)
        self._app = app
        self._socket = door or listening(host, port)
        self.port: int = self._socket.getsockname()[1]  # also when it was asked for any

    @property
    def url(self) -> str:
        """Where it answers."""
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"http://{host}:{self.port}"

    def answer(self) -> None:
        """Answer requests until stopped."""
        try:
            self.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def close(self) -> None:
        """Give up the port of a server that shall not answer after all."""
        self._socket.close()

    def stop(self) -> None:
        """Ask the server to finish what it is doing and return from `answer`."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT, SIGTERM and SIGHUP, and return; uvicorn's own would then let the signal kill the process."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        heard = [number for number in ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]  # not under nohup
        before = {number: signal.signal(number, self.handle_exit) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End event streams, which would never end by themselves, then shut down as uvicorn does."""
        for stream in (self._app.state.feed, self._app.state.history):
            stream.close()
        await super().shutdown(sockets)


def serve(app: Litestar, host: str, port: int) -> None:
    """Answer requests on an address until SIGINT or SIGTERM; port 0 takes a free one."""
    HttpServer(app, host, port).answer()


@contextlib.contextmanager
def serving(app: Litestar, host: str, port: int) -> Iterator[HttpServer]:
    """A server that answers in a thread of its own for as long as the block runs."""
    server = HttpServer(app, host, port)
    thread = threading.Thread(target=server.answer, name="http")
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens on an address; raises Conflict when the port is taken, Invalid for an address not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Conflict(f"port {port} is taken; choose another with --port") from error
        if error.errno == errno.EACCES:
            raise Invalid(f"port {port} is not yours to listen on; choose one above 1023 with --port") from error
        raise Invalid(f"nothing can listen on {host}: {error.strerror}; choose an address with --host") from error
