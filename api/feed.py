"""The changes of jobs, numbered, for any number of listeners: one look at the store a moment for all of them together.

An event is a job's state, not a step: a listener that was away gets, by the last id it saw, each job that changed
since, once, as it is now. Ids of another start of this server are not understood, and everything is told again.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from api.job_view import JobView

log = logging.getLogger(__name__)

LOOK_S = 0.7  # between two looks
HEARTBEAT_S = 15.0  # a comment, so that proxies and clients know the stream lives
MOST_KEPT = 2000  # jobs


@dataclass(frozen=True)
class Change:
    """A job as it is since the change of this number."""

    number: int
    job: JobView


class Feed:
    """Looks while anybody listens, and numbers what changed."""

    def __init__(self, look: Callable[[], Iterable[JobView]], look_s: float = LOOK_S) -> None:
        """`look` blocks, and returns the jobs that may have changed."""
        self._look, self._look_s = look, look_s
        self._epoch = secrets.token_hex(4)
        self._number = 0
        self._latest: dict[str, Change] = {}
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._closed = False
        self.listeners = 0

    @property
    def resting(self) -> bool:
        """Whether nobody looks, because nobody listens."""
        return self._looking is None

    def close(self) -> None:
        """End all streams, and every later one at once."""
        self._closed = True
        self._wake()

    async def changes(
        self, owner: str, last_id: str, allowed: Callable[[], Awaitable[bool]], heartbeat_s: float = HEARTBEAT_S
    ) -> AsyncGenerator[tuple[str, JobView] | None, None]:
        """An owner's changed jobs with their event ids, and None when it is time for a heartbeat.

        Ends when the feed is closed, when `allowed` says no, or when looking failed.
        """
        number, written = self.position(last_id), time.monotonic()
        async with self._listening():
            while not self._closed and self._looks() and await allowed():
                news = self._news  # before anything is told: what comes while telling is news too
                for change in self.since(owner, number):
                    number, written = change.number, time.monotonic()
                    yield f"{self._epoch}-{number}", change.job
                # News is of anybody's jobs: a listener whose own are quiet needs a heartbeat all the same.
                left_s = written + heartbeat_s - time.monotonic()
                if left_s <= 0 or not await happened(news, left_s):
                    written = time.monotonic()
                    yield None

    def note(self, jobs: Iterable[JobView]) -> None:
        """Number the jobs that are not as they were, and wake the listeners."""
        changed = [job for job in jobs if job.job_id not in self._latest or self._latest[job.job_id].job != job]
        for job in changed:
            self._number += 1
            self._latest[job.job_id] = Change(self._number, job)
        if changed:
            self._forget_oldest()
            self._wake()

    def since(self, owner: str, number: int) -> list[Change]:
        """An owner's jobs that changed after a number, in the order they changed."""
        fresh = (change for change in self._latest.values() if change.number > number and change.job.owner == owner)
        return sorted(fresh, key=lambda change: change.number)

    def position(self, last_id: str) -> int:
        """The number of an event id of ours; 0, which is before everything, for any other."""
        epoch, _, number = last_id.partition("-")
        known = epoch == self._epoch and number.isascii() and number.isdigit() and len(number) < 19
        return int(number) if known else 0

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        self.listeners += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._keep_looking())
            self._looking.add_done_callback(self._stopped)
        try:
            yield
        finally:
            self.listeners -= 1
            if self.listeners == 0:
                self._looking.cancel()
                self._looking = None

    def _stopped(self, looking: asyncio.Task[None]) -> None:
        """Let listeners know at once that nobody looks any more; their clients come back and are told anew."""
        if not looking.cancelled() and (error := looking.exception()):
            log.error("the jobs could not be read", exc_info=error)
        self._wake()

    def _wake(self) -> None:
        """Let all who wait go on; whoever waits from now on waits for the next news."""
        self._news, news = asyncio.Event(), self._news
        news.set()

    def _looks(self) -> bool:
        return self._looking is not None and not self._looking.done()

    async def _keep_looking(self) -> None:
        while True:
            self.note(await asyncio.to_thread(lambda: list(self._look())))
            await asyncio.sleep(self._look_s)

    def _forget_oldest(self) -> None:
        surplus = sorted(self._latest.values(), key=lambda change: change.number)[:-MOST_KEPT]
        for change in surplus:
            del self._latest[change.job.job_id]


async def happened(event: asyncio.Event, within_s: float) -> bool:
    """Whether an event comes within a time."""
    try:
        async with asyncio.timeout(within_s):
            return await event.wait()
    except TimeoutError:
        return False
