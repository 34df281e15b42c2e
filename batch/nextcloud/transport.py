"""The guarded HTTP client: one request at a time to an origin, redirects within it, bounded bodies, statuses as faults.

Proxies and cookies are not used. It knows no WebDAV, and what is tried again is its callers' decision.
"""

import ssl
import time
import zlib
from collections.abc import Collection, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self

import httpcore
import httpx

from batch.nextcloud import verdicts
from batch.nextcloud.addresses import Addresses
from batch.nextcloud.faults import Forbidden, Hostile
from batch.nextcloud.patience import Patience
from batch.nextcloud.wire import Pace, Pinned, Wire

AGENT = "Brightroom"
MOST_HOPS = 3
MOST_CONNECTIONS = 64
PIECE = 64 << 10  # bytes of what is unpacked at once
GZIP = 31  # zlib's word for it


class Guarded(httpx.BaseTransport):
    """httpcore's pool of connections under httpx, with our network below it; httpcore's errors come as they are."""

    def __init__(self, network: Pinned, trust: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust,
            network_backend=network,
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=16,
            keepalive_expiry=20,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the answer's body is read by whoever gets it."""
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                target,
                headers=request.headers.raw,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        wire = answer.extensions.get("network_stream")
        if isinstance(wire, Wire):
            wire.answered()
        return httpx.Response(answer.status, headers=answer.headers, stream=Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.close()


class Body(httpx.SyncByteStream):
    """The body of one of httpcore's answers."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        """Let go of what was not read, and of the connection then."""
        self._answer.close()


class Answer:
    """An answer whose headers are there and whose body is to be read; used with `with`."""

    def __init__(self, response: httpx.Response, patience: Patience) -> None:
        self._response = response
        self._patience = patience
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.url = response.url
        self.host = response.url.host

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._response.close()

    @property
    def packed(self) -> bool:
        """Whether the body is packed although that was not asked for."""
        return self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")

    def chunks(self, most: int, within_s: float | None = None) -> Iterator[bytes]:
        """The body as it comes, unpacked; raises Hostile over `most` bytes, Unreachable if it breaks off or crawls."""
        came = 0
        with verdicts.broken(self.host):
            for chunk in unpacked(self._paced(within_s), self.headers) if self.packed else self._paced(within_s):
                came += len(chunk)
                if came > most:
                    raise Hostile(f"{self.host} answers more than can be meant: over {most} bytes. Ask who runs it.")
                yield chunk

    def whole(self, most: int) -> bytes:
        """The body at once, for short ones."""
        return b"".join(self.chunks(most, self._patience.answer_s))

    def _paced(self, within_s: float | None) -> Iterator[bytes]:
        """The body as it comes over the wire; raises httpcore's errors."""
        pace, began = Pace(self._patience), time.monotonic()
        before = began
        for chunk in self._response.iter_raw():
            now = time.monotonic()
            pace.count(len(chunk), now - before)
            if within_s is not None and now - began > within_s:
                raise httpcore.ReadTimeout("it takes too long")
            yield chunk
            before = time.monotonic()  # what the reader does with a chunk is no wait for the server


class Transport:
    """Requests to servers, each guarded; may be used by several threads at once."""

    def __init__(
        self, addresses: Addresses, patience: Patience | None = None, trust: ssl.SSLContext | None = None
    ) -> None:
        """Args: what may be talked to; how long to wait; whose certificates are believed, none for the system's own."""
        self.addresses = addresses
        self.patience = patience or Patience()
        self._http = httpx.Client(
            transport=Guarded(Pinned(addresses, self.patience), trust or ssl.create_default_context()),
            headers={"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=self._waits(),
            follow_redirects=False,
            trust_env=False,
        )

    def ask(
        self,
        method: str,
        url: str,
        takes: Collection[int],
        *,
        auth: httpx.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        wait_s: float | None = None,
    ) -> Answer:
        """The answer to one request, redirects followed within its origin; raises what another status means.

        `wait_s` is waited for its next bytes, none for as long as for anything.
        """
        origin = target = httpx.URL(url)
        for _ in range(MOST_HOPS + 1):
            with verdicts.broken(target.host):
                request = self._http.build_request(
                    method, target, headers=headers, content=content, timeout=self._waits(wait_s)
                )
                answer = Answer(self._http.send(request, auth=auth, stream=True), self.patience)
            if answer.status in takes:
                return answer
            with answer:
                if answer.status not in verdicts.REDIRECTS:
                    raise verdicts.fault(answer)
                target = onward(origin, answer)
        raise Forbidden(f"{origin.host} redirects in circles. Ask who runs it, or give the address it redirects to.")

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _waits(self, wait_s: float | None = None) -> httpx.Timeout:
        read_s = self.patience.read_s if wait_s is None else wait_s
        return httpx.Timeout(read_s, connect=self.patience.connect_s, pool=self.patience.answer_s)


def onward(origin: httpx.URL, answer: Answer) -> httpx.URL:
    """Where a redirect leads; raises Forbidden when that is another origin."""
    try:
        target = answer.url.join(answer.headers.get("location", ""))
    except (httpx.InvalidURL, ValueError):
        raise Forbidden(f"{origin.host} redirects to an address that cannot be read. Ask who runs it.") from None
    if not same_origin(origin, target):
        raise Forbidden(
            f"{origin.host} redirects to another server, and the password is for this one only. "
            "If the other is meant, give its address."
        )
    return target


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether two URLs are of the same scheme, host and port, without a user name in the second."""
    return (one.scheme, one.raw_host, port(one)) == (other.scheme, other.raw_host, port(other)) and not other.userinfo


def port(url: httpx.URL) -> int | None:
    """The port that a URL's connection goes to."""
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def unpacked(chunks: Iterator[bytes], headers: Mapping[str, str]) -> Iterator[bytes]:
    """A gzipped body in bounded pieces; raises Hostile for other packings, httpcore's error for a broken one."""
    if headers.get("content-encoding", "").strip().lower() not in ("gzip", "x-gzip"):
        raise Hostile("The server packs its answers in a way that was not asked for. Ask who runs it.")
    unpacker = zlib.decompressobj(GZIP)
    try:
        for chunk in chunks:
            while chunk:
                yield unpacker.decompress(chunk, PIECE)
                chunk = unpacker.unconsumed_tail
    except zlib.error as error:
        raise httpcore.RemoteProtocolError("its gzip is broken") from error
    if not unpacker.eof:
        raise httpcore.RemoteProtocolError("its gzip breaks off")
