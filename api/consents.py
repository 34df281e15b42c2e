"""Consents that users were asked for in the browser, by their Nextcloud, and that have come to no connection yet.

They are in this process's memory: after a restart one begins anew. How servers are asked is `nextcloud/login.py`'s.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from batch.connections import Connections
from batch.nextcloud.login import Flow, Granted, begin, poll
from cluster.errors import NotFound, ServiceError, Unavailable

LASTS_S = 20 * 60  # a server forgets a login then, too
OVER = "This login is over, or it was begun anew elsewhere. Begin again."


@dataclass
class Consent:
    """A consent that is waited for."""

    login_id: str
    flow: Flow
    ends_at: float  # by the clock
    granted: Granted | None = field(default=None, repr=False)  # told once; kept until the connection works

    @property
    def url(self) -> str:
        """The page on which to consent."""
        return self.flow.login_url


class Consents:
    """All consents that are waited for, one a user: a new one takes the place of the one before."""

    def __init__(self, connections: Connections, clock: Callable[[], float] = time.monotonic) -> None:
        self._connections, self._clock = connections, clock
        self._waiting: dict[str, Consent] = {}

    def begin(self, user_id: str, server: str) -> Consent:
        """Ask a server for a page on which to consent; blocks.

        Raises Conflict while the user is connected to another server, and the fault that says why there is no page.
        """
        transport = self._connections.transport
        self._connections.refuse_another(user_id, transport.addresses.server(server))
        consent = Consent(secrets.token_hex(16), begin(server, transport), self._clock() + LASTS_S)
        self._waiting[user_id] = consent
        return consent

    def poll(self, user_id: str, login_id: str) -> bool:
        """Ask once whether a user has consented, and connect them if so; blocks.

        Raises NotFound for a login that is over, and the fault that says why it does not work. Where that may pass,
        the next call tries again.
        """
        consent = self._waiting.get(user_id)
        if consent is None or consent.login_id != login_id or consent.ends_at <= self._clock():
            raise NotFound(OVER)
        consent.granted = consent.granted or poll(consent.flow, self._connections.transport)
        if consent.granted:
            self._connect(user_id, consent.granted)
        return consent.granted is not None

    def forget(self, user_id: str) -> None:
        """Wait no more for a user's consent."""
        self._waiting.pop(user_id, None)

    def _connect(self, user_id: str, granted: Granted) -> None:
        try:
            self._connections.connect(user_id, granted.server, granted.login, granted.password, granted=True)
        except ServiceError as fault:
            if not isinstance(fault, Unavailable):
                self.forget(user_id)
            raise
        self.forget(user_id)
