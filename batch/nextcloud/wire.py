"""The connections to a server: to an address that was checked, and ended when they crawl or never begin to answer.

A network backend for httpcore. TLS and Host keep the name that was asked for: only the address is ours.
"""

import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore

from batch.nextcloud.addresses import Addresses
from batch.nextcloud.patience import Patience

MOST_ADDRESSES = 4  # of one host that are tried
MOST_HEADERS = 256 << 10  # bytes that may come before an answer's body
MOST_AT_ONCE = 128 << 10  # bytes of a body that are read together, or a little more


class Pace:
    """Whether bytes come fast: a window of waiting must bring its share, the wait for the first not counted."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.restart()

    def restart(self) -> None:
        """Something new is waited for."""
        self._begun, self._bytes, self._waited = False, 0, 0.0

    def count(self, size: int, waited_s: float) -> None:
        """Count what came and how long it was waited for; raises httpcore.ReadTimeout when it is too little."""
        if self._begun:
            self._bytes += size
            self._waited += waited_s
        self._begun = True
        if self._waited >= self._patience.window_s:
            if self._bytes < self._patience.least_bytes_s * self._waited:
                raise httpcore.ReadTimeout("it crawls")
            self._bytes, self._waited = 0, 0.0


class Wire(httpcore.NetworkStream):
    """One connection, watched."""

    def __init__(self, inner: httpcore.NetworkStream, patience: Patience) -> None:
        self._inner = inner
        self._patience = patience
        self._pace = Pace(patience)
        self._headers: int | None = 0  # bytes of an answer's beginning so far; none when its body has begun

    def answered(self) -> None:
        """The headers are there; what comes now is the body."""
        self._headers = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come; raises httpcore's errors, also for what crawls and for headers without end."""
        began = time.monotonic()
        if self._headers is None and timeout is not None:  # only for its beginning an answer may take longer
            timeout = min(timeout, self._patience.read_s)
        data = self._come(max_bytes, timeout)
        self._pace.count(len(data), time.monotonic() - began)
        if self._headers is not None:
            self._headers += len(data)
            if self._headers > MOST_HEADERS:
                raise httpcore.RemoteProtocolError("headers without end")
        return data

    def _come(self, max_bytes: int, timeout: float | None) -> bytes:
        """The first bytes that come, and of a body others that are there by then, also more than was asked for.

        TLS gives them in records of 16 KiB, and what is done with each costs as much as with a larger piece.
        """
        data = self._inner.read(max_bytes, timeout)
        if self._headers is not None:
            return data
        pieces, size = [data], len(data)
        while data and size < MOST_AT_ONCE and self._inner.get_extra_info("is_readable"):
            data = self._inner.read(max_bytes, timeout)
            pieces.append(data)
            size += len(data)
        return b"".join(pieces)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send a part of a request: an answer to it is waited for from here on."""
        self._inner.write(buffer, timeout)
        self._pace.restart()
        self._headers = 0

    def close(self) -> None:
        """Let go of the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "Wire":
        """The same connection, encrypted; the certificate must be for the name that was asked for."""
        return Wire(self._inner.start_tls(ssl_context, server_hostname, timeout), self._patience)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore wants to know of the socket."""
        return self._inner.get_extra_info(info)


class Pinned(httpcore.NetworkBackend):
    """Connects to checked addresses only; every new connection is checked anew."""

    def __init__(self, addresses: Addresses, patience: Patience) -> None:
        self._addresses = addresses
        self._patience = patience
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> Wire:
        """A connection to one of a host's addresses; raises Forbidden before anything is sent, else as httpcore."""
        *others, last = self._addresses.checked(host, port)[:MOST_ADDRESSES]
        share = timeout and timeout / (len(others) + 1)
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return Wire(self._sockets.connect_tcp(address, port, share, None, socket_options), self._patience)
        return Wire(self._sockets.connect_tcp(last, port, share, None, socket_options), self._patience)
