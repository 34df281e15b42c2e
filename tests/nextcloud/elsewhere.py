"""Another host, which nobody should reach: it notes who came and what they said, and answers like a careless server.

with Elsewhere() as other:
    cloud.faults.measures.elsewhere = other.url("https")
    ...
    assert other.reached == []
"""

import socket
import threading
from types import TracebackType
from typing import Self

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nstolen"


class Elsewhere:
    """A listener on an address of this machine, 127.0.0.1 unless told."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, 0), family=family)
        self._thread = threading.Thread(target=self._listen, name="elsewhere", daemon=True)
        self.address = address
        self.port = int(self._socket.getsockname()[1])
        self.reached: list[bytes] = []  # the first bytes of every connection; b"" for one that said nothing

    def url(self, scheme: str = "http", host: str | None = None) -> str:
        """Its address, by its number or by a name that leads to it."""
        shown = host or (f"[{self.address}]" if ":" in self.address else self.address)
        return f"{scheme}://{shown}:{self.port}/stolen"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # ends the wait for the next one
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with caller:
                self.reached.append(b"")
                caller.settimeout(1)
                try:
                    self.reached[-1] = caller.recv(65536)
                    caller.sendall(ANSWER)
                except OSError:
                    continue
