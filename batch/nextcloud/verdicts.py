"""What an answer's status, or none at all, means for whoever asked: each as a fault with its sentence.

Of a server's own words only one is looked for: maintenance. They are not repeated to anybody.
"""

import math
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import NoReturn, Protocol

import httpcore
import httpx

from batch.nextcloud.faults import (
    Changed,
    Forbidden,
    Gone,
    Hostile,
    Locked,
    Maintenance,
    Refused,
    Throttled,
    Unreachable,
    Withheld,
)
from batch.nextcloud.patience import retry_after
from cluster.errors import ServiceError

REDIRECTS = frozenset((301, 302, 303, 307, 308))
MOST_SAID = 16 << 10  # bytes of a failure's body that are looked at
MAINTENANCE = b"maintenance mode"


class Judged(Protocol):
    """What is looked at of an answer."""

    status: int
    headers: Mapping[str, str]
    host: str

    def whole(self, most: int) -> bytes:
        """The body."""


def fault(answer: Judged) -> ServiceError:
    """The fault that a status means; the body is looked at only where a server may be in maintenance."""
    host, status = answer.host, answer.status
    told = retry_after(answer.headers.get("retry-after", ""), answer.headers.get("date", ""))
    match status:
        case 401:
            return Refused(
                f"{host} does not accept this user name and app password. Make a new app password in Nextcloud's "
                "security settings and enter it; until then nothing is asked of it any more."
            )
        case 403:
            return Withheld(
                f"{host} does not allow this. Check in Nextcloud that the account is not locked, and that what is "
                "shared with it may be downloaded."
            )
        case 404 | 410:
            return Gone(f"This is no longer on {host}. Scan again to see what is there now.")
        case 412:
            return Changed(f"The file was changed on {host} meanwhile. Scan again.")
        case 423:
            return Locked(f"The file is locked on {host}: somebody is writing it. Scan again later.")
        case 429:
            return Throttled(f"{host} asks for fewer requests. Try again later.", told)
        case 503 if in_maintenance(answer):
            wait_s = 120 if told is None else math.ceil(told)
            return Maintenance(f"{host} is in maintenance mode. It goes on when that is over.", wait_s)
    return failing(host, status, told)


def failing(host: str, status: int, told: float | None) -> Unreachable:
    """What a status means that is nobody's fault here; only those of a server in trouble may pass."""
    if status < 300:  # a page for people, as a hotel's network gives it
        return Unreachable(f"{host} answers something else than was asked for. Try again later.", True, told)
    if status in (408, 425) or (status >= 500 and status != HTTPStatus.NOT_IMPLEMENTED):
        return Unreachable(f"{host} is in trouble (status {status}). Try again later, or ask who runs it.", True, told)
    return Unreachable(
        f"{host} answers in a way that Nextcloud does not (status {status}). Check the server's address."
    )


def in_maintenance(answer: Judged) -> bool:
    """Whether a server that is away says that it is being maintained."""
    if answer.headers.get("x-nextcloud-maintenance-mode") == "1":
        return True
    try:
        return MAINTENANCE in answer.whole(MOST_SAID).lower()
    except (Unreachable, Hostile):
        return False


@contextmanager
def broken(host: str) -> Iterator[None]:
    """Turns what goes wrong with a connection into Unreachable with a sentence."""
    try:
        yield
    except httpcore.ConnectError as error:
        unconnected(host, error)
    except httpcore.TimeoutException as error:
        raise Unreachable(f"{host} is too slow or does not answer. Try again later.", passing=True) from error
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
        raise Unreachable(f"The connection to {host} broke off. Try again later.", passing=True) from error
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
        raise Forbidden(
            f"What would have to be asked of {host} makes no request. Check the server's address."
        ) from error


def unconnected(host: str, error: httpcore.ConnectError) -> NoReturn:
    """Raise what a connection that cannot be made means: its certificate does not convince, or nobody is there."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        raise Unreachable(
            f"The certificate of {host} is not to be trusted ({cause.verify_message}). Give the name that it is for, "
            "or have an administrator add its authority to this machine's trust store."
        ) from error
    if isinstance(cause, ssl.SSLError):
        raise Unreachable(f"{host} does not speak TLS there. Check address and port.", passing=True) from error
    raise Unreachable(f"Nobody answers at {host}. Check the address, or try again later.", passing=True) from error
