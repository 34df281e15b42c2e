"""Login flow v2: the user consents in a browser, and Nextcloud makes an app password for us.

Every address that the server gives back must be its own, or a hostile one could lead the user's browser, or our
requests, elsewhere. Whoever asks keeps the flow between two polls; nothing is stored here.
"""

from urllib.parse import urlencode

import httpx
import msgspec

from batch.nextcloud.faults import Forbidden, Foreign, Gone
from batch.nextcloud.patience import PASSING, Tries
from batch.nextcloud.transport import AGENT, Transport, same_origin
from cluster.redaction import remember

SHORT = 64 << 10  # bytes of an answer
FORM = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": AGENT}  # the name that the user sees


class Flow(msgspec.Struct, frozen=True):
    """A login that waits for the user's consent, some twenty minutes; its token is a secret."""

    server: str
    login_url: str  # for the user's browser
    endpoint: str
    token: str

    def __repr__(self) -> str:
        return f"Flow({self.server!r})"


class Granted(msgspec.Struct, frozen=True):
    """What the user consented to: the name to log in with and an app password."""

    server: str
    login: str
    password: str

    def __repr__(self) -> str:
        return f"Granted({self.server!r}, {self.login!r})"


class Poll(msgspec.Struct, frozen=True):
    """Where to ask whether the user has consented."""

    token: str
    endpoint: str

    def __repr__(self) -> str:
        return f"Poll({self.endpoint!r})"


class Begun(msgspec.Struct, frozen=True):
    """The server's answer to the beginning of a flow."""

    poll: Poll
    login: str


class Consent(msgspec.Struct, frozen=True):
    """The server's answer when the user has consented."""

    server: str
    login: str = msgspec.field(name="loginName")
    password: str = msgspec.field(name="appPassword")

    def __repr__(self) -> str:
        return f"Consent({self.server!r}, {self.login!r})"


def begin(server: str, transport: Transport) -> Flow:
    """Begin a login; raises Forbidden for addresses elsewhere, Foreign for no Nextcloud, and what requests raise."""
    server = transport.addresses.server(server)
    try:
        told = msgspec.json.decode(posted(f"{server}/index.php/login/v2", {}, transport), type=Begun)
    except (Gone, msgspec.MsgspecError, UnicodeError):
        raise Foreign(
            f"{httpx.URL(server).host} offers no login in the browser. Check the address, or enter an app password."
        ) from None
    remember(told.poll.token)
    for url in (told.login, told.poll.endpoint):
        own(url, server)
    return Flow(server, told.login, told.poll.endpoint, told.poll.token)


def poll(flow: Flow, transport: Transport) -> Granted | None:
    """What the user consented to; none while they have not. The server tells it once only.

    A flow that is over answers for ever like one that waits: stop asking after twenty minutes.
    """
    own(flow.endpoint, flow.server)
    try:
        body = posted(flow.endpoint, {"token": flow.token}, transport)
    except Gone:
        return None
    try:
        told = msgspec.json.decode(body, type=Consent)
    except (msgspec.MsgspecError, UnicodeError):
        raise Foreign("The server's answer to the login cannot be read. Enter an app password instead.") from None
    remember(told.password)
    own(told.server, flow.server)
    return Granted(flow.server, told.login, told.password)


def posted(url: str, form: dict[str, str], transport: Transport) -> bytes:
    """The body of the answer to a form; tried again where that may help."""
    tries = Tries(transport.patience)
    while True:
        try:
            with transport.ask("POST", url, (200,), headers=FORM, content=urlencode(form).encode()) as answer:
                return answer.whole(SHORT)
        except PASSING as fault:
            tries.wait(fault)


def own(url: str, server: str) -> None:
    """Raise Forbidden for a URL that is not the server's own."""
    try:
        theirs = same_origin(httpx.URL(server), httpx.URL(url))
    except (httpx.InvalidURL, ValueError):
        theirs = False
    if not theirs or len(url) > 2000:
        raise Forbidden(
            "The server leads to another address for the login. Give the address that its pages have in a browser, or "
            "enter an app password."
        )
