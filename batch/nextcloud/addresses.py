"""Which hosts may be talked to: the addresses that a name has are checked, all of them, and only checked ones are used.

Public addresses may be talked to over https. Private networks and this machine only where an administrator allows them;
the addresses at which clouds hand out credentials never. Nothing is connected here; wire.py does that, with what
`checked` returned and no second look at the name.
"""

import re
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from batch.nextcloud.faults import Forbidden, Unreachable
from batch.nextcloud.names import decoded, escaped

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]  # host and port -> addresses as texts; raises OSError

PORTS = {"https": 443, "http": 80}
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST_NAME = re.compile(rf"(?:{LABEL}\.)*(?P<last>{LABEL})", re.ASCII)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)  # a last label that makes a name an IPv4 address, in some form
UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")  # what some readers of URLs take for something else
BELOW = re.compile(r"/(?:index\.php|remote\.php|status\.php|ocs|apps|login)(?:/|\Z).*", re.DOTALL)  # pages, no servers

NEVER = tuple(
    ip_network(one)
    for one in (
        "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8",  # nobody's, and everybody's
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16",
        "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",  # clouds' own, with credentials
    )
)  # fmt: skip
NOT_PUBLIC = tuple(
    ip_network(one) for one in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "3fff::/20")
)  # also where Python's own table is older than these
UNICAST = IPv6Network("2000::/3")  # of IPv6, what is given out so far
NAT64, COMPATIBLE = IPv6Network("64:ff9b::/96"), IPv6Network("::/96")
ISATAP = (0x00005EFE, 0x02005EFE)


def resolved(host: str, port: int) -> list[str]:
    """The addresses that this machine's resolver knows for a host; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


@dataclass(frozen=True)
class Addresses:
    """What an administrator allows beside public addresses over https: networks, host names, plain http."""

    allowed_networks: Sequence[str] = ()
    plain_http: bool = False
    resolve: Resolver = resolved

    def server(self, given: str) -> str:
        """A server's URL as a person gave it, in its one form: scheme, host, port, path without a slash at its end.

        Without a scheme it is https; what a browser shows below the server's own path is cut off. Raises Forbidden.
        """
        text = given.strip()
        if UNSAFE.search(text) or len(text) > 2000:
            raise Forbidden("The server's address holds signs that no address has. Write it as https://cloud.example.")
        url = parsed(text if "://" in text else f"https://{text}")
        if url.userinfo:
            raise Forbidden("Leave user name and password out of the server's address; they have fields of their own.")
        if url.scheme != "https" and not (url.scheme == "http" and self.plain_http):
            raise Forbidden(
                "The server's address must begin with https://, or everybody on the way reads the password."
            )
        return f"{url.scheme}://{host_and_port(url)}{path_of(url)}"

    def checked(self, host: str, port: int) -> list[str]:
        """A host's addresses, all of which may be talked to; raises Forbidden if one may not, Unreachable if none."""
        try:
            found = [reached(text) for text in self.resolve(host, port)]
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise Unreachable(f"There is no server called {host}. Check the address for slips.", passing=True)
        for address in found:
            if not self.permits(address, host):
                raise Forbidden(
                    f"{host} is in a network that Brightroom does not talk to. If it is meant, ask an administrator "
                    "to allow it in nextcloud.allowed_networks."
                )
        return [str(address) for address in found]

    def permits(self, address: Address, host: str) -> bool:
        """Whether an address may be talked to, and whatever address it stands for."""
        inner = [address, *stood_for(address)]
        if any(one in network for one in inner for network in NEVER):
            return False
        return host in self.allowed_networks or all(public(one) or self.lists(one) for one in inner)

    def lists(self, address: Address) -> bool:
        """Whether an administrator allows the network of an address."""
        return any(address in network for network in networks(self.allowed_networks))


def networks(allowed: Sequence[str]) -> Iterator[IPv4Network | IPv6Network]:
    """The networks among what is allowed; the others are host names."""
    for one in allowed:
        try:
            yield ip_network(one)
        except ValueError:
            continue


def parsed(text: str) -> httpx.URL:
    """A URL; raises Forbidden for what is none."""
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise Forbidden("The server's address cannot be read. Write it as https://cloud.example.") from None


def host_and_port(url: httpx.URL) -> str:
    """Host and port as they stand in a URL, the port only where it is not the scheme's own; raises Forbidden."""
    host = plain_host(url.raw_host.decode("ascii"))
    if url.port is not None and not 0 < url.port < 65536:
        raise Forbidden(f"There is no port {url.port}; leave it out, or write the server's own.")
    port = "" if url.port in (None, PORTS.get(url.scheme)) else f":{url.port}"
    return (f"[{host}]" if ":" in host else host) + port


def plain_host(host: str) -> str:
    """A host in its one form: small letters, no dot at its end, addresses as they are usually written.

    Raises Forbidden for a number that would be an address, and for what is no name.
    """
    host = host.lower().removesuffix(".")
    try:
        return str(reached(host))
    except (ValueError, Forbidden):
        found = HOST_NAME.fullmatch(host)
    if not found or len(host) > 253 or NUMBER.fullmatch(found["last"]):
        raise Forbidden("The server's address names no host. Write it as https://cloud.example or https://203.0.113.7.")
    return host


def path_of(url: httpx.URL) -> str:
    """The path that a server has its pages below, without a slash at its end; raises Forbidden."""
    try:
        path = escaped("/".join(decoded(BELOW.sub("", url.raw_path.decode("ascii").partition("?")[0]) or "/")))
    except ValueError:
        raise Forbidden(
            "The path in the server's address cannot be meant. Write it as https://cloud.example."
        ) from None
    return path and f"/{path}"


def reached(text: str) -> Address:
    """The address a connection to a text goes to: IPv4 also where written as IPv6; raises Forbidden for a zone."""
    if "%" in text:
        raise Forbidden("An address with a zone is one of this machine's own networks; Brightroom does not talk to it.")
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def stood_for(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that something on the way may turn an IPv6 address into."""
    if isinstance(address, IPv4Address):
        return
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in NAT64 or (int(address) >> 32 & 0xFFFFFFFF) in ISATAP or (address in COMPATIBLE and int(address) > 1):
        yield low
    if address.sixtofour:
        yield address.sixtofour
    yield from address.teredo or ()


def public(address: Address) -> bool:
    """Whether an address is one that everybody on the internet may talk to."""
    if any(address in network for network in NOT_PUBLIC) or not address.is_global:
        return False
    return isinstance(address, IPv4Address) or address in UNICAST or address in NAT64
