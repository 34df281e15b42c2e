"""A tiny HTTP server that says one thing, for answers that no Nextcloud, and no stand-in of one, gives."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from batch.nextcloud.addresses import Addresses
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport


class Handler(BaseHTTPRequestHandler):
    """Answers everything with the same JSON."""

    protocol_version = "HTTP/1.1"
    server: "Answering"

    def do_POST(self) -> None:
        """Note who asks, and answer."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.said)))
        self.end_headers()
        self.wfile.write(self.server.said)

    do_GET = do_POST

    def log_message(self, format: str, *_args: Any) -> None:
        """Nothing."""


class Answering(ThreadingHTTPServer):
    """The server, on loopback and without TLS, with connections to it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.said = b""
        self.asked: list[str] = []
        self.host = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.host}"
        patience = Patience(connect_s=2, read_s=2, tries=1)
        self.transport = Transport(Addresses(["127.0.0.0/8"], plain_http=True), patience)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def say(self, told: object) -> None:
        """What it answers from now on."""
        self.said = json.dumps(told).encode()

    def close(self) -> None:
        """End."""
        self.transport.close()
        self.shutdown()
        self.server_close()
        self.thread.join()
