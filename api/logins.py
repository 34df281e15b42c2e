"""Whose token is this: the store's sessions and users, remembered for a moment so that a page of thumbnails asks once.

What is ended through this process counts at once; what another process ends, within the store's freshness.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime

from cluster.errors import NotFound, Unauthenticated
from cluster.store.database import System
from cluster.store.sessions import Session, id_of
from cluster.store.users import User

LONGEST_TOKEN = 256  # characters; ours have 43
MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Login:
    """A session that has not ended, and its user, who is not disabled."""

    user: User
    session: Session
    token: str = field(repr=False)  # what the holder sent; kept to ask again while a stream lasts


class Logins:
    """Opens, recognises and ends sessions."""

    def __init__(self, system: System, fresh_s: float) -> None:
        self._system, self._fresh_s = system, fresh_s
        self._seen: dict[str, tuple[float, Login]] = {}  # by session id, with the monotonic time it was read
        self._renewed: dict[str, datetime] = {}  # by session id, the use at which its cookie was last sent

    def open(self, user: User, label: str) -> str:
        """A new session's token; blocks."""
        token, _ = self._system.sessions.open(user.user_id, label)
        return token

    def seen(self, token: str) -> Login | None:
        """The login of a token if it was read a moment ago; does not block."""
        read_at, login = self._seen.get(id_of(token), (0.0, None))
        return login if login and time.monotonic() - read_at < self._fresh_s else None

    def find(self, token: str) -> Login | None:
        """The login of a token, or None when it never was one, has ended, or its user is disabled; blocks."""
        if len(token) > LONGEST_TOKEN:
            return None
        read_at = time.monotonic()  # before reading: what ends it meanwhile must not be outlived
        try:
            session = self._system.sessions.of_token(token)
            user = self._system.users.get(session.user_id)
        except (Unauthenticated, NotFound):
            return None
        if user.disabled:
            return None
        return self._remember(read_at, Login(user, session, token))

    def current(self, token: str) -> Login | None:
        """`seen`, else `find`; may block."""
        return self.seen(token) or self.find(token)

    def renew(self, login: Login) -> bool:
        """Whether a browser's cookie is to be sent again, because its session was extended since; True once for each.

        Not with every use, so that most answers set no cookie.
        """
        session = login.session
        if session.used_at - self._renewed.get(session.session_id, session.created_at) < session.renewed_every:
            return False
        if len(self._renewed) >= MOST_REMEMBERED:
            self._renewed.clear()  # one cookie too many for each
        self._renewed[session.session_id] = session.used_at
        return True

    def end(self, login: Login) -> None:
        """End one session; blocks."""
        self._system.sessions.revoke(login.session.session_id, login.user.user_id)
        self.forget(login.user.user_id)

    def end_all(self, user_id: str, but: str = "") -> None:
        """End a user's sessions, except the one of an id; blocks."""
        self._system.sessions.revoke_all(user_id, but)
        self.forget(user_id)

    def forget(self, user_id: str) -> None:
        """Read a user anew from now on: something about them changed."""
        for session_id, (_, login) in list(self._seen.items()):
            if login.user.user_id == user_id:
                self._seen.pop(session_id, None)

    def _remember(self, read_at: float, login: Login) -> Login:
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen[login.session.session_id] = (read_at, login)
        return login
