"""What can go wrong with a Nextcloud server, as errors. Each message is one sentence or two that say what to do next.

No message holds a password, nor text that a server sent: that may be anything.
"""

import math

from cluster.errors import Conflict, Denied, Invalid, NotFound, TooMany, Unavailable


class Refused(Denied):
    """401 or 403: user name and app password are wrong, or not enough. Never tried again."""


class Withheld(Refused):
    """403: about this file or folder, when the account has been answered before: a share that may only be looked at."""


class Unreachable(Unavailable):
    """No connection, one that stalls or crawls, a server that fails again and again, an answer that is broken.

    `passing`: whether trying again may help; `wait_s`: what the server asked to wait before that, if it did.
    """

    def __init__(self, message: str, passing: bool = False, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.passing, self.wait_s = passing, wait_s


class Maintenance(Unavailable):
    """The server is in maintenance mode; `retry_after_s` says when to ask again."""

    def __init__(self, message: str, retry_after_s: int = 120) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Throttled(TooMany):
    """429 also after waiting; `retry_after_s` says when to ask again, `wait_s` what the server said, if it did."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message, 60 if wait_s is None else math.ceil(wait_s))
        self.wait_s = wait_s


class Forbidden(Invalid):
    """An address we do not talk to: this machine, a private network, plain http, a redirect to another server."""


class Foreign(Invalid):
    """Something answers, and it is no Nextcloud."""


class Hostile(Invalid):
    """An answer that cannot be meant well: a DOCTYPE, too large, too deep, too many entries."""


class Gone(NotFound):
    """404 or 410: the file or folder is no more."""


class Locked(Conflict):
    """423: somebody is writing the file just now."""


class Changed(Conflict):
    """The file became another one while it was read; start again with a new listing."""


class Stopped(Conflict):
    """Whoever asked for the download wants it no more; what has come is kept for the next time."""


class Busy(Conflict):
    """Another process is fetching the same file."""


class Short(Unreachable):
    """Fewer or other bytes than were promised, also after trying again."""


class NoRoom(Unavailable):
    """The disk, or what this user may use of it, is full."""


class Unkept(Unavailable):
    """The disk does not take the file for another reason."""
