"""Whether users' Nextclouds still answer: asked every few minutes, so that the state which people see is today's.

One process under a root does this, the one that tends (`tending.py`). Each check has a thread, so that a server that
hangs holds up no other user's. A connection that was refused is not tried again before its owner enters something new.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from batch.connections import Connections
from cluster.errors import BrightroomError, NotFound
from cluster.store.database import System

log = logging.getLogger(__name__)
TROUBLES = (BrightroomError, RuntimeError, OSError, ValueError)  # of a store that is away
EVERY = timedelta(minutes=5)
LOOK_S = 10.0  # between two looks at who is due
AT_ONCE = 16
FAREWELL_S = 5.0  # that the end waits for checks under way


class Checking:
    """Everybody's connections, checked for as long as this process is the one that does."""

    def __init__(
        self, system: System, connections: Connections, every: timedelta = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.system, self.connections, self.every, self.clock = system, connections, every, clock
        self.stays = False  # whether this process is here to stay: a command that ends soon asks nobody's server
        self.under_way: dict[str, threading.Thread] = {}
        self.asked: dict[str, datetime] = {}  # also where the answer could not be noted
        self.look_at = self.clock()

    def look(self) -> None:
        """Begin to check the connections that have not been checked for a while."""
        if not self.stays or self.clock() < self.look_at:
            return
        self.look_at = self.clock() + LOOK_S
        self.under_way = {user: thread for user, thread in self.under_way.items() if thread.is_alive()}
        for user_id in self.due()[: AT_ONCE - len(self.under_way)]:
            self.asked[user_id] = self.system.clock()
            thread = threading.Thread(target=self.check, args=(user_id,), name=f"checking-{user_id}", daemon=True)
            self.under_way[user_id] = thread
            thread.start()

    def due(self) -> list[str]:
        """Whose connection is to be checked now, the longest unchecked first."""
        before = self.system.clock() - self.every
        disabled = {user.user_id for user in self.system.users.list() if user.disabled}
        sources = [one for one in self.system.sources.all() if not one.waits and one.user_id not in disabled]
        last = {one.user_id: max(one.checked_at, self.asked.get(one.user_id, one.checked_at)) for one in sources}
        return sorted(
            (user for user in last if last[user] <= before and user not in self.under_way), key=last.__getitem__
        )

    def check(self, user_id: str) -> None:
        """Check one user's connection; what cannot be done now is done the next time."""
        try:
            self.connections.check(user_id)
        except NotFound:  # disconnected meanwhile
            return
        except TROUBLES:
            log.warning("the Nextcloud of %s could not be checked; trying again later", user_id, exc_info=True)

    def end(self) -> None:
        """Check nothing any more, for good."""
        self.stays = False
        deadline = time.monotonic() + FAREWELL_S
        for thread in self.under_way.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        self.connections.close()
