"""Each fault of a connection or a download does what its name says."""

import gzip
import hashlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.nextcloud.conftest import DATA, Asking
from tests.nextcloud.kinds import inverted
from tests.nextcloud.server import StandIn

A = "Photos/a.jpg"
FROM = 4000


def taken(client: Asking, **headers: str) -> tuple[httpx.Response, bytes, Exception | None]:
    """The answer, as much of its body as came, unpacked by nobody, and what ended it early."""
    got = bytearray()
    request = client.build_request(
        "GET", f"{client.cloud.dav}/{A}", headers={k.replace("_", "-"): headers[k] for k in headers}
    )
    answered = client.send(request, stream=True)
    try:
        for chunk in answered.iter_raw():
            got += chunk
    except httpx.TransportError as error:
        return answered, bytes(got), error
    finally:
        answered.close()
    return answered, bytes(got), None


def resumed(client: Asking) -> tuple[httpx.Response, bytes, Exception | None]:
    """The second part of the file, asked for under the etag it has."""
    etag = client.cloud.tree().etag_of(A)
    return taken(client, range=f"bytes={FROM}-", if_range=f'"{etag}"')


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[StandIn]:
    """A stand-in without encryption: through that, Python tells a reset from an end."""
    with StandIn(tmp_path / "bare", tls=False) as made:
        made.put(A, DATA)
        yield made
        assert made.mishaps == []


def test_a_reset_is_a_reset_and_an_end_is_an_end(bare: StandIn):
    """Before an answer, and in the middle of a body."""
    bare.faults.at("reset_before").at("closed_before", nth=2)
    with pytest.raises(ConnectionResetError):
        raw(bare)
    assert raw(bare) == b""

    bare.faults.at("reset_midway").at("short_body", nth=2)
    with Asking(bare) as client:
        answered, got, error = taken(client)
        assert (answered.headers["content-length"], got, type(error)) == ("10000", DATA[:5000], httpx.ReadError)
        answered, got, error = taken(client)
        assert (answered.headers["content-length"], got) == ("10000", DATA[:5000])
        assert isinstance(error, httpx.RemoteProtocolError)


@pytest.mark.parametrize("kind", ["reset_before", "closed_before"])
def test_no_answer_comes(cloud: StandIn, client: Asking, kind: str):
    """Encrypted too."""
    cloud.faults.at(kind)

    with pytest.raises(httpx.TransportError):
        client.fetch(A)


def raw(cloud: StandIn) -> bytes:
    """All that comes for a bare request."""
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=5) as sock:
        sock.sendall(b"GET /status.php HTTP/1.1\r\nHost: x\r\n\r\n")
        return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("kind", ["reset_midway", "short_body"])
def test_half_of_a_body_comes_under_the_right_length(cloud: StandIn, client: Asking, kind: str):
    """The length promised, half of the bytes, all of them right, and an error at the end."""
    cloud.faults.at(kind)
    answered, got, error = taken(client)

    assert answered.headers["content-length"] == "10000"
    assert got == DATA[:5000]
    assert isinstance(error, httpx.TransportError)


def test_a_stall_says_nothing_until_the_client_leaves(cloud: StandIn, client: Asking):
    """Before an answer and in the middle of a body; it keeps no worker once the client gave up."""
    cloud.faults.measures.stall_s = 3600
    cloud.faults.at("stall", times=2 * cloud.server.numthreads)
    client.timeout = httpx.Timeout(5, read=0.05)
    for _ in range(2 * cloud.server.numthreads):
        with pytest.raises(httpx.ReadTimeout):
            client.fetch(A)

    client.timeout = httpx.Timeout(5, read=1)
    cloud.faults.clear()
    cloud.faults.at("stall_midway")
    _, got, error = taken(client)
    assert (got, type(error)) == (DATA[:5000], httpx.ReadTimeout)
    client.timeout = httpx.Timeout(5)
    assert client.fetch(A).content == DATA


def test_a_drip_is_right_and_slow(cloud: StandIn, client: Asking):
    """Byte by byte, no faster than told; all of it in the end."""
    cloud.put(A, b"ten bytes.")
    cloud.faults.measures.drip_s = 0.02
    cloud.faults.at("drip")
    began = time.monotonic()

    assert client.fetch(A).content == b"ten bytes."
    assert time.monotonic() - began >= 0.18  # nine pauses
    cloud.faults.measures.stall_s = 0.3
    cloud.faults.at("drip_head")
    client.timeout = 0.5
    with pytest.raises(httpx.TransportError):
        client.fetch(A)


@pytest.mark.parametrize("kind", ["garbage", "garbage_chunked", "head_too_long"])
def test_garbage_is_no_http(cloud: StandIn, client: Asking, kind: str):
    """A client that minds the protocol gives up."""
    cloud.faults.at(kind)

    with pytest.raises(httpx.RemoteProtocolError):
        client.fetch(A)


def test_packed_bodies_come_unasked(cloud: StandIn, client: Asking):
    """One is the file, one is a bomb: small on the wire, a thousand times as much unpacked."""
    cloud.faults.measures.bomb_bytes = 32 << 20
    cloud.faults.at("gzip_unasked").at("gzip_bomb", nth=2)

    answered, got, _ = taken(client, accept_encoding="identity")
    assert (answered.headers["content-encoding"], gzip.decompress(got)) == ("gzip", DATA)
    answered, got, _ = taken(client, accept_encoding="identity")
    assert answered.headers["content-length"] == str(len(got))
    assert len(got) * 500 < cloud.faults.measures.bomb_bytes


def test_a_body_without_end_goes_on_until_the_client_leaves(cloud: StandIn, client: Asking):
    """No length, and far more than the file."""
    cloud.faults.at("endless")
    with client.stream("GET", f"{cloud.dav}/{A}") as answered:
        chunks = answered.iter_raw(1 << 20)
        assert sum(len(next(chunks)) for _ in range(20)) == 20 << 20

    assert "content-length" not in answered.headers
    assert client.fetch(A).content == DATA


def test_lengths_lie(cloud: StandIn, client: Asking):
    """More than there is, less than there is, none at all with half of the file."""
    cloud.faults.at("length_too_long").at("length_too_short", nth=2).at("cut_without_length", nth=3)

    answered, got, error = taken(client)
    assert (answered.headers["content-length"], got, error is not None) == ("10010", DATA, True)
    answered, got, _ = taken(client)
    assert (answered.headers["content-length"], got) == ("5000", DATA[:5000])
    answered, got, _ = taken(client)
    assert ("content-length" in answered.headers, got) == (False, DATA[:5000])


@pytest.mark.parametrize(
    ("kind", "status", "range_told", "body"),
    [
        ("range_ignored", 200, None, DATA),
        ("range_shifted", 206, "bytes 4001-10000/10001", DATA[FROM:]),
        ("range_unsaid", 206, None, DATA[FROM:]),
        ("range_from_start", 206, "bytes 4000-9999/10000", DATA[: 10_000 - FROM]),
        ("other_version", 206, "bytes 4000-9999/10000", inverted(DATA[FROM:])),
        ("other_version_hidden", 206, "bytes 4000-9999/10000", inverted(DATA[FROM:])),
    ],
)
def test_parts_lie(cloud: StandIn, client: Asking, kind: str, status: int, range_told: str | None, body: bytes):
    """Each way in which an answer to Range can be wrong; the etag is another only where it says so."""
    cloud.faults.at(kind)
    etag = f'"{cloud.tree().etag_of(A)}"'
    answered, got, error = resumed(client)

    assert (answered.status_code, answered.headers.get("content-range"), error) == (status, range_told, None)
    assert got == body
    assert (answered.headers["etag"] == etag) == (kind != "other_version")


def test_a_part_fault_waits_for_a_part(cloud: StandIn, client: Asking):
    """A request without Range cannot meet it."""
    cloud.faults.at("range_ignored")

    assert client.fetch(A).content == DATA
    assert cloud.faults.counted["range_ignored"] == 0


def test_two_versions_are_spliced(cloud: StandIn, client: Asking):
    """Half and half under headers of the first: right length, right etag, wrong checksum; the file itself stays."""
    cloud.faults.at("spliced")
    answered, got, _ = taken(client)

    assert got == DATA[:5000] + inverted(DATA[5000:])
    assert answered.headers["etag"] == f'"{cloud.tree().etag_of(A)}"'
    assert hashlib.sha1(got).hexdigest() not in answered.headers["oc-checksum"]
    assert cloud.tree().files()[A] == DATA


def test_a_file_changes_while_it_is_read(cloud: StandIn, client: Asking):
    """Midway: half of each version. Before: all of the new one. Either way the listing has another etag afterwards."""
    before = cloud.tree().etag_of(A)
    cloud.faults.at("changed_midway")
    assert taken(client)[1] == DATA[:5000] + inverted(DATA[5000:])
    assert cloud.tree().files()[A] == inverted(DATA)
    assert cloud.tree().etag_of(A) != before

    between = cloud.tree().etag_of(A)
    cloud.faults.measures.changed = lambda data: data + b"!"
    cloud.faults.at("changed_before")
    answered = client.fetch(A)
    assert answered.content == inverted(DATA) + b"!"
    assert answered.headers["etag"] == f'"{cloud.tree().etag_of(A)}"' != f'"{between}"'
