"""Which servers may be talked to, by their names in URLs and by the addresses that the names have."""

import socket
import ssl
from collections.abc import Iterator, Sequence

import pytest

from batch.nextcloud.addresses import Addresses
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.faults import Forbidden, Unreachable
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport

HASTE = Patience(connect_s=1, read_s=0.3, tries=1)
TRUST = ssl.create_default_context()
ANYWHERE = Addresses(plain_http=True)
PUBLIC, PRIVATE = "93.184.215.14", "127.0.0.1"

LITERALS = [
    *("127.0.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "0.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255"),
    *("192.168.0.1", "169.254.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "100.100.100.200"),
    *("192.0.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]"),
    *("[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]"),
    *("[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001:0:7f00:1::]", "[2001:0:1::80ff:fffe]"),
    *("[2001:db8::1]", "[3fff::1]", "[100::1]", "[fe80::1]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]"),
    *("[ff02::1]", "[2606:4700::5efe:7f00:1]", "[2606:4700::200:5efe:a00:1]", "[5f00::1]"),
]
ODD = [
    *("2130706433", "017700000001", "0x7f000001", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "127.1", "127.0.1", "0", "0x0"),
    *("127.0.0.1.", "127.000.000.001", "localhost", "LOCALHOST.", "localhost.localdomain", "ip6-localhost"),
    *(
        "１２７.０.０.１",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "127%2e0%2e0%2e1",
        "[fe80::1%25lo]",
        "[::1%251]",
        "[::ffff:127.0.0.1%lo]",
    ),
    *("user:secret@{host}", "user@{host}", "example.com@{host}", "example.com:443@{host}", "example.com\\@{host}"),
    *("{host}#@example.com", "{host}?@example.com", "{host}%00.example.com", "{host}\t", "[::1", "::1", "[127.0.0.1]"),
]
FORMS = [*LITERALS, *ODD]


@pytest.fixture(scope="module")
def listeners() -> Iterator[list[socket.socket]]:
    """Sockets that hear whoever connects to this machine on one port, over IPv4 and IPv6."""
    four = socket.create_server(("", 0))
    port = four.getsockname()[1]
    heard = [four]
    if socket.has_dualstack_ipv6():
        heard.append(socket.create_server(("::", port), family=socket.AF_INET6))
    for one in heard:
        one.setblocking(False)
    yield heard
    for one in heard:
        one.close()


def connections(listeners: list[socket.socket]) -> int:
    """How many have connected since this was last asked."""
    came = 0
    for one in listeners:
        try:
            while True:
                one.accept()[0].close()
                came += 1
        except BlockingIOError:
            continue
    return came


def attempt(url: str, addresses: Addresses) -> None:
    """Talk to a server, if that is allowed."""
    transport = Transport(addresses, HASTE, TRUST)
    try:
        Nextcloud(url, "ann", "a password of ours", transport).check()
    finally:
        transport.close()


def test_there_are_sixty_forms():
    """As many as are promised, and none twice."""
    assert len(set(FORMS)) == len(FORMS) >= 60


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("form", FORMS)
def test_a_forbidden_address_sees_no_connection(listeners: list[socket.socket], form: str, scheme: str):
    """However it is written: refused before anything is sent, also where plain http is allowed."""
    port = listeners[0].getsockname()[1]
    host = form.format(host=f"127.0.0.1:{port}") if "{host}" in form else f"{form}:{port}"

    with pytest.raises((Forbidden, Unreachable)) as refused:
        attempt(f"{scheme}://{host}/", ANYWHERE)

    assert connections(listeners) == 0
    assert isinstance(refused.value, Forbidden) or "no server called" in str(refused.value)


def test_the_listener_hears_who_is_allowed(listeners: list[socket.socket]):
    """The test above could fail: the same request with an allowed network does connect."""
    with pytest.raises(Unreachable):
        attempt(f"http://127.0.0.1:{listeners[0].getsockname()[1]}", Addresses(["127.0.0.0/8"], plain_http=True))
    assert connections(listeners) > 0


class Rebinding:
    """A name server that answers with other addresses each time."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("found", [[PUBLIC, PRIVATE], [PRIVATE, PUBLIC], ["::ffff:127.0.0.1"], [PUBLIC, "fe80::1%lo"]])
def test_one_forbidden_address_among_others_forbids_all(found: list[str]):
    """A name that has a public and a private address is not talked to at all."""
    with pytest.raises(Forbidden, match=r"allowed_networks|zone"):
        Addresses(resolve=Rebinding(found)).checked("cloud.example", 443)


def test_a_name_that_changes_its_address_is_looked_up_once_a_connection():
    """What was checked is what is connected to: a second answer, a private one, is never asked for or used."""
    with socket.create_server((PRIVATE, 0)) as listener:
        listener.setblocking(False)
        names = Rebinding(["127.0.0.9"], [PRIVATE])
        allowed = Addresses(["127.0.0.9/32"], plain_http=True, resolve=names)

        with pytest.raises(Unreachable):
            attempt(f"http://rebinding.example:{listener.getsockname()[1]}", allowed)

        assert (names.asked, connections([listener])) == (1, 0)


def test_a_name_that_becomes_private_is_refused_at_the_next_connection(listeners: list[socket.socket]):
    """Every new connection is checked anew."""
    names = Rebinding([PUBLIC], [PRIVATE])
    addresses = Addresses(plain_http=True, resolve=names)
    assert addresses.checked("rebinding.example", 80) == [PUBLIC]

    with pytest.raises(Forbidden, match="allowed_networks"):
        attempt(f"http://rebinding.example:{listeners[0].getsockname()[1]}", addresses)
    assert connections(listeners) == 0


@pytest.mark.parametrize(
    ("allowed", "host", "found"),
    [
        (["192.168.0.0/16"], "cloud.example", "192.168.1.5"),
        (["192.168.1.5/32"], "cloud.example", "192.168.1.5"),
        (["cloud.home.arpa"], "cloud.home.arpa", "10.1.2.3"),
        (["localhost"], "localhost", "127.0.0.1"),
        (["fd12:3456::/32"], "cloud.example", "fd12:3456::7"),
        ([], "cloud.example", PUBLIC),
        ([], "cloud.example", "2606:4700::1111"),
        ([], "cloud.example", "64:ff9b::5db8:d70e"),
    ],
)
def test_what_an_administrator_allows_is_talked_to(allowed: list[str], host: str, found: str):
    """Networks, single addresses and names; public addresses without being asked."""
    assert Addresses(allowed, resolve=lambda *_: [found]).checked(host, 443) == [found]


@pytest.mark.parametrize(
    ("allowed", "host", "found"),
    [
        (["10.0.0.0/8"], "cloud.example", "192.168.1.5"),
        (["cloud.home.arpa"], "other.home.arpa", "10.1.2.3"),
        (["0.0.0.0/0", "::/0"], "cloud.example", "169.254.169.254"),
        (["0.0.0.0/0", "::/0"], "cloud.example", "fd00:ec2::254"),
        (["0.0.0.0/0", "::/0"], "cloud.example", "0.0.0.0"),
        (["0.0.0.0/0", "::/0"], "cloud.example", "::ffff:169.254.169.254"),
        (["0.0.0.0/0", "::/0"], "cloud.example", "64:ff9b::a9fe:a9fe"),
        (["cloud.home.arpa"], "cloud.home.arpa", "169.254.169.254"),
        (["cloud.home.arpa"], "cloud.home.arpa", "224.0.0.1"),
    ],
)
def test_other_networks_and_clouds_credentials_stay_forbidden(allowed: list[str], host: str, found: str):
    """The list allows what it says; addresses that hand out credentials are not for it to allow."""
    with pytest.raises(Forbidden, match="allowed_networks"):
        Addresses(allowed, resolve=lambda *_: [found]).checked(host, 443)


def test_a_name_without_address_is_no_server():
    """The resolver's own failure is a sentence."""

    def nobody(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Unreachable, match="There is no server called"):
        Addresses(resolve=nobody).checked("no.such.example", 443)


@pytest.mark.parametrize(
    ("given", "server"),
    [
        ("https://cloud.example", "https://cloud.example"),
        ("cloud.example/", "https://cloud.example"),
        (" HTTPS://Cloud.Example.:443/nextcloud/ ", "https://cloud.example/nextcloud"),
        ("https://cloud.example:8443/index.php/apps/files/?dir=/Photos", "https://cloud.example:8443"),
        ("https://cloud.example/nc/remote.php/dav/files/ann/", "https://cloud.example/nc"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://[2606:4700::1111]", "https://[2606:4700::1111]"),
        ("https://cloud.example/my%20cloud", "https://cloud.example/my%20cloud"),
        ("https://cloud.example/../x", "https://cloud.example/x"),
    ],
)
def test_a_servers_url_has_one_form(given: str, server: str):
    """What people paste, without what a browser puts behind it."""
    assert Addresses().server(given) == server
    assert Addresses().server(server) == server


@pytest.mark.parametrize(
    "given",
    [
        *(
            "http://cloud.example",
            "ftp://cloud.example",
            "file:///etc/passwd",
            "gopher://cloud.example",
            "javascript://x",
        ),
        *("https://", "https:///path", "https://cloud.example:0", "https://cloud.example:65536", "https://-.example"),
        *("https://ann:secret@cloud.example", "https://cloud.example/%2e%2e/", "https://a b"),
        *("https://" + "a" * 64 + ".example", "https://" + "a." * 200 + "example", "", "https://cloud..example"),
    ],
)
def test_what_is_no_servers_url_is_refused(given: str):
    """Other schemes, plain http, user names, paths that lead up, names that cannot be."""
    with pytest.raises(Forbidden, match=r"\.$"):
        Addresses().server(given)


def test_plain_http_is_an_administrators_choice():
    """Then it is taken, and https still is."""
    addresses = Addresses(plain_http=True)
    assert addresses.server("http://cloud.example:80/") == "http://cloud.example"
    assert addresses.server("https://cloud.example") == "https://cloud.example"
