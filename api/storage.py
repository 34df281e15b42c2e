"""What each library takes, measured once for everybody who asks within some seconds."""

import time
from collections.abc import Callable

from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.storage import Storage, begun, storage

FRESH_S = 5.0


class Storages:
    """The storage of libraries, by user id, remembered for a moment: pages ask more often than it changes."""

    def __init__(
        self, settings: Settings, library: Callable[[str], Library], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._library, self._clock = settings, library, clock
        self._seen: dict[str, tuple[float, Storage]] = {}

    def of(self, user_id: str) -> Storage:
        """What a user's library takes; nothing where there is none, and none is made. Blocks."""
        now = self._clock()
        read_at, seen = self._seen.get(user_id, (now - FRESH_S, None))
        if seen is None or now - read_at >= FRESH_S:
            seen = storage(self._library(user_id)) if begun(self._settings, user_id) else Storage()
            self._seen[user_id] = now, seen
        return seen
