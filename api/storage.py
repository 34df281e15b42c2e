"""What each library takes, measured once for everybody who asks within some seconds."""

import threading
import time
from collections.abc import Callable

from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.storage import Storage, begun, storage

FRESH_S = 5.0
REST = 20  # times as long as it took to measure a library it is not measured again: a large one is read for minutes


class Storages:
    """The storage of libraries, by user id, remembered for a moment: pages ask more often than it changes.

    Asked from several threads; one at a time measures a library.
    """

    def __init__(
        self, settings: Settings, library: Callable[[str], Library], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._library, self._clock = settings, library, clock
        self._seen: dict[str, tuple[float, Storage]] = {}  # until when it is fresh enough
        self._turns: dict[str, threading.Lock] = {}

    def of(self, user_id: str) -> Storage:
        """What a user's library takes; nothing where there is none, and none is made. Blocks.

        While it is being measured for somebody else it is as it was before, if anybody has asked before.
        """
        turn, known = self._turns.setdefault(user_id, threading.Lock()), user_id in self._seen
        if not turn.acquire(blocking=not known):
            return self._seen[user_id][1]
        try:
            return self._measured(user_id)
        finally:
            turn.release()

    def _measured(self, user_id: str) -> Storage:
        began = self._clock()
        until, seen = self._seen.get(user_id, (began, Storage()))
        if began >= until:
            seen = storage(self._library(user_id)) if begun(self._settings, user_id) else Storage()
            ended = self._clock()
            self._seen[user_id] = ended + max(FRESH_S, REST * (ended - began)), seen
        return seen
