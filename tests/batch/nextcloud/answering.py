"""A tiny HTTP server that says one thing, for answers that no Nextcloud, and no stand-in of one, gives."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from batch.nextcloud.addresses import Addresses
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport

PIECES = 20  # in which a body comes that has pauses


class Handler(BaseHTTPRequestHandler):
    """Answers everything alike."""

    protocol_version = "HTTP/1.1"
    server: "Answering"

    def answer(self) -> None:
        """Note who asks, and redirect, or say what is to be said."""
        server = self.server
        server.asked.append(self.path)
        server.methods.append(self.command)
        server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        server.told.append({name.lower(): value for name, value in self.headers.items()})
        body = b"" if server.redirects else server.said
        headers = {"Content-Length": str(len(body)), **server.headers}
        if server.redirects:
            server.redirects -= 1
            self.send_response(302)
            headers = {"Location": f"/{len(server.asked)}", **headers}
        else:
            self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.send(body)

    def send(self, body: bytes) -> None:
        """The body, in pieces if there are to be pauses."""
        step = len(body) // PIECES if self.server.pause_s else len(body)
        try:
            for start in range(0, len(body), step or 1):
                time.sleep(self.server.pause_s)
                self.wfile.write(body[start : start + step])
        except OSError:  # the client has heard enough
            self.close_connection = True

    do_GET = do_POST = do_PROPFIND = answer

    def log_message(self, format: str, *_args: Any) -> None:
        """Nothing."""


class Answering(ThreadingHTTPServer):
    """The server, on loopback and without TLS, with connections to it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.said = b""
        self.headers: dict[str, str] = {}
        self.redirects = 0  # that come before it
        self.pause_s = 0.0
        self.asked: list[str] = []
        self.methods: list[str] = []
        self.bodies: list[bytes] = []
        self.told: list[dict[str, str]] = []  # headers
        self.host = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.host}"
        patience = Patience(connect_s=2, read_s=2, tries=1)
        self.transport = Transport(Addresses(["127.0.0.0/8"], plain_http=True), patience)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def say(self, told: object) -> None:
        """What it answers from now on."""
        self.said = json.dumps(told).encode()

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Clients that leave early are what tests want."""

    def close(self) -> None:
        """End."""
        self.transport.close()
        self.shutdown()
        self.server_close()
        self.thread.join()
