"""Requests as they leave: to the checked address under the name that was asked for, by no proxy, with no cookies."""

import gzip
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from batch.nextcloud.addresses import Addresses
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.faults import Forbidden, Hostile, Unreachable
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport, same_origin
from tests.batch.nextcloud.answering import Answering
from tests.batch.nextcloud.conftest import HASTE
from tests.nextcloud.server import StandIn


def test_the_name_stays_when_the_address_is_pinned(tmp_path: Path):
    """Certificate and Host are of the name; where the name leads is said by the resolver alone, once a connection."""
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    with StandIn(tmp_path / "cloud", host="cloud.example") as cloud:
        transport = Transport(Addresses(["cloud.example"], resolve=resolve), HASTE, cloud.trust())
        Nextcloud(cloud.url, cloud.user, cloud.password, transport).check()
        transport.close()

        assert {seen.headers["host"] for seen in cloud.log} == {f"cloud.example:{cloud.port}"}
        assert asked == [("cloud.example", cloud.port)]


def test_a_certificate_for_another_name_is_not_believed(tmp_path: Path):
    """Though the address is the right one."""
    with StandIn(tmp_path / "cloud", host="cloud.example") as cloud:
        addresses = Addresses(["127.0.0.0/8"], resolve=lambda *_: ["127.0.0.1"])
        transport = Transport(addresses, HASTE, cloud.trust())
        with pytest.raises(Unreachable, match="certificate"):
            Nextcloud(f"https://other.example:{cloud.port}", cloud.user, cloud.password, transport).check()
        transport.close()
        assert cloud.log == []


def test_the_first_address_that_answers_is_used(answering: Answering):
    """A name may have several, and some of them nobody behind them."""
    addresses = Addresses(["127.0.0.0/8"], True, resolve=lambda *_: ["127.0.0.9", "127.0.0.8", "127.0.0.1"])
    answering.say({})
    url = answering.url.replace("127.0.0.1", "cloud.example")
    transport = Transport(addresses, HASTE)
    with transport.ask("GET", url, (200,)) as answer:
        assert answer.whole(100) == b"{}"
    transport.close()


def test_proxies_cookies_and_netrc_are_not_used(answering: Answering, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """What the environment says is not what an administrator allowed."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password secret\n")
    for name, value in {
        "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9",
        "NETRC": str(tmp_path / ".netrc"), "HOME": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    answering.headers = {"Set-Cookie": "session=1; Path=/"}
    answering.say({})
    for _ in range(2):
        with answering.transport.ask("GET", answering.url, (200,)) as answer:
            answer.whole(100)

    for headers in answering.told:
        assert not {"cookie", "authorization", "proxy-authorization"} & {name.lower() for name in headers}
    assert len(answering.told) == 2


@pytest.mark.parametrize("hops", [0, 1, 3])
def test_redirects_within_the_server_keep_method_body_and_password(answering: Answering, hops: int):
    """Up to three."""
    answering.say({})
    answering.redirects = hops
    auth = httpx.BasicAuth("ann", "secret")
    with answering.transport.ask("PROPFIND", answering.url, (200,), auth=auth, content=b"<x/>") as answer:
        answer.whole(100)
    assert [headers["authorization"] for headers in answering.told] == ["Basic YW5uOnNlY3JldA=="] * (hops + 1)
    assert answering.bodies == [b"<x/>"] * (hops + 1)
    assert answering.methods == ["PROPFIND"] * (hops + 1)


def test_a_fourth_redirect_is_one_too_many(answering: Answering):
    """Nobody needs so many."""
    answering.redirects = 4
    with pytest.raises(Forbidden, match="circles"):
        answering.transport.ask("GET", answering.url, (200,))
    assert len(answering.told) == 4


@pytest.mark.parametrize(
    "location",
    [
        *("https://{host}/x", "http://localhost:{port}/x", "http://127.0.0.1:1/x", "//evil.example/x", "http://["),
        *("http://ann:x@{host}/x", "file:///etc/passwd", "http://[::ffff:127.0.0.1]:{port}/x"),
    ],
)
def test_a_redirect_elsewhere_is_refused(answering: Answering, location: str):
    """Another scheme, name, port or user, and what cannot be read."""
    answering.redirects = 1
    answering.headers = {"Location": location.format(host=answering.host, port=answering.server_port)}
    with pytest.raises(Forbidden):
        answering.transport.ask("GET", answering.url, (200,))
    assert len(answering.told) == 1


def test_packed_answers_are_unpacked_within_bounds(answering: Answering):
    """Though none was asked for; what unpacks to more than is wanted ends at once."""
    answering.said = gzip.compress(bytes(1000))
    answering.headers = {"Content-Encoding": "gzip"}
    with answering.transport.ask("GET", answering.url, (200,)) as answer:
        assert answer.whole(1000) == bytes(1000)
    answering.said = gzip.compress(bytes(100 << 20))
    with answering.transport.ask("GET", answering.url, (200,)) as answer, pytest.raises(Hostile, match="more than"):
        answer.whole(1 << 20)
    assert {headers["accept-encoding"] for headers in answering.told} == {"identity"}


@pytest.mark.parametrize(
    ("packing", "body", "fault"),
    [
        ("br", b"x", Hostile),
        ("zstd", b"x", Hostile),
        ("gzip, gzip", gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), Hostile),
        ("gzip", b"not gzip", Unreachable),
        ("gzip", gzip.compress(bytes(1000), mtime=0)[:-9], Unreachable),
    ],
)
def test_other_packings_are_refused(answering: Answering, packing: str, body: bytes, fault: type[Exception]):
    """And broken ones told."""
    answering.said, answering.headers = body, {"Content-Encoding": packing}
    with answering.transport.ask("GET", answering.url, (200,)) as answer, pytest.raises(fault):
        answer.whole(1 << 20)


def test_a_body_over_its_bound_ends_there(answering: Answering):
    """Whatever it is."""
    answering.said = bytes(2000)
    with answering.transport.ask("GET", answering.url, (200,)) as answer, pytest.raises(Hostile, match="1999 bytes"):
        answer.whole(1999)


def test_an_answer_that_takes_too_long_in_all_ends(answering: Answering):
    """Also one that comes fast enough in every window."""
    answering.said = bytes(100_000)
    answering.pause_s = 0.05
    transport = Transport(Addresses(["127.0.0.0/8"], plain_http=True), Patience(read_s=2, answer_s=0.3))
    with transport.ask("GET", answering.url, (200,)) as answer, pytest.raises(Unreachable, match="too slow"):
        answer.whole(1 << 20)
    transport.close()


def test_a_reader_that_takes_its_time_is_no_slow_server(answering: Answering):
    """Only waiting for bytes counts as waiting."""
    answering.said = bytes(300_000)
    transport = Transport(Addresses(["127.0.0.0/8"], plain_http=True), Patience(window_s=0.1, least_bytes_s=10_000_000))
    came = 0
    with transport.ask("GET", answering.url, (200,)) as answer:
        for chunk in answer.chunks(1 << 20):
            came += len(chunk)
            time.sleep(0.15)
    transport.close()
    assert came == 300_000


def test_many_threads_share_one_transport(cloud: StandIn, account: Callable[..., Nextcloud]):
    """Each gets its own answers."""
    nextcloud = account()
    found: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: found.append(sorted(one.path for one in nextcloud.list("Photos"))))
        for _ in range(12)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [["Photos", "Photos/Trip", "Photos/a.jpg", "Photos/b.jpg"]] * 12


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example", "https://a.example:443/x", True),
        ("https://a.example", "https://A.EXAMPLE/", True),
        ("https://a.example", "http://a.example/", False),
        ("https://a.example", "https://a.example:444/", False),
        ("https://a.example", "https://b.example/", False),
        ("https://a.example", "https://a.example./", False),
        ("https://a.example", "https://ann@a.example/", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, same: bool):
    """Written in any way."""
    assert same_origin(httpx.URL(one), httpx.URL(other)) is same


def test_interim_answers_without_end_are_no_answer():
    """Each of them is short and well formed; together they are not allowed to be."""
    sent = 0

    def flood(listener: socket.socket) -> None:
        nonlocal sent
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(4096)
            while sent < 64 << 20:
                sent += connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=flood, args=(listener,))
        thread.start()
        transport = Transport(Addresses(["127.0.0.0/8"], plain_http=True), HASTE)
        with pytest.raises(Unreachable, match="broke off"):
            transport.ask("GET", f"http://127.0.0.1:{listener.getsockname()[1]}", (200,))
        transport.close()
        thread.join()
    assert 0 < sent < 32 << 20
