"""Scans that nobody asks for: of folders in which something changed, and at the times that the settings name.

One process under a root does this, the one that tends (`tending.py`). Each owner has a thread, so that a share that
hangs holds up no other owner. How a folder is watched is `batch/watching.py`'s business, who goes when `turns.py`'s.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cronsim import CronSim
from ray.exceptions import RayError

from batch.jobs import MOST_ATTEMPTS, JobControl
from batch.turns import SCAN
from batch.watching import FolderWatch, Gone, Unwatchable
from cluster.errors import BrightroomError, Conflict, Invalid
from cluster.settings import ScanSettings, Settings
from cluster.store.database import System
from cluster.store.jobs import LIVE, SCHEDULE, WATCH, Job

log = logging.getLogger(__name__)
TROUBLES = (BrightroomError, RayError, RuntimeError, OSError, ValueError)  # of a store or cluster that is away
LOOK_S = 2.0  # between two looks
FAREWELL_S = 5.0  # that the end waits for a thread; one that is on a share that hangs may never end
STEPPED = timedelta(hours=2)  # back: more than at the end of summer time, so somebody set the clock


class Patience(msgspec.Struct, frozen=True):
    """How long a burst of changes is waited for."""

    quiet_s: float = 5  # without a change, before a scan starts
    longest_s: float = 60  # from the first change on, however many come
    anew_s: float = 15  # between two tries to watch a folder that is away
    ask_s: float = 1  # between two tries to start a scan, while one is under way and changes go on


class Watch:
    """One owner's folder: what is known of its changes, and the scan that is due for them."""

    def __init__(
        self,
        settings: ScanSettings,
        jobs: JobControl,
        owner: str,
        folder: Path,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
        opening: Callable[[Path, Sequence[str]], FolderWatch] = FolderWatch,
    ) -> None:
        self.settings, self.jobs, self.owner, self.folder = settings, jobs, owner, folder
        self.patience, self.clock, self.opening = patience, clock, opening
        self.watch: FolderWatch | None = None
        self.open_at = self.clock()  # when to try to watch it, again
        self.first: float | None = None  # when the first change came that no scan has seen
        self.last = 0.0
        self.ask_at = self.clock()  # when to try to start a scan, again
        self.polled = ""  # why it is polled; "" while it is watched

    def look(self, within_s: float) -> None:
        """Wait for changes for a while, and start a scan when one is due."""
        if self.wait(within_s):
            self.note()
        if self.due and self.clock() >= self.ask_at:
            self.ask_at = self.clock() + self.patience.ask_s
            self.first = None if self.started() else self.first

    def wait(self, within_s: float) -> bool:
        """Whether something changed within a time, or may have while nobody watched."""
        if self.watch is None:
            return self.opened() or self.rested(within_s)
        try:
            return self.watch.changed(within_s)
        except Gone as gone:
            log.info("the folder of %s: %s; it is watched again when it is there", self.owner, gone)
            self.close()
            return False  # what changed meanwhile is looked for when it is watched again
        except Unwatchable as reason:
            self.close()
            self.poll(reason)
            return True

    def opened(self) -> bool:
        """Whether the folder is watched from now on, or its time to be polled has come: then a scan is due."""
        if self.clock() < self.open_at:
            return False
        try:
            self.watch = self.opening(self.folder, self.settings.skip)
            self.polled = ""
        except Unwatchable as reason:
            self.poll(reason)
        except Gone:
            self.open_at = self.clock() + self.patience.anew_s
            return False
        return True

    def poll(self, reason: Unwatchable) -> None:
        """Take the folder for one that is scanned every so often, and said to be so once."""
        if not self.polled:
            log.warning("the folder of %s is scanned every %g s: %s", self.owner, self.settings.poll_s, reason)
        self.polled = str(reason)
        self.open_at = self.clock() + self.settings.poll_s

    def rested(self, within_s: float) -> bool:
        """False, after a while."""
        time.sleep(within_s)
        return False

    def note(self) -> None:
        """Take note of a change."""
        self.last = self.clock()
        self.first = self.last if self.first is None else self.first

    @property
    def due(self) -> bool:
        """Whether changes came, and it has been quiet since, or they go on for too long."""
        if self.first is None:
            return False
        now, patience = self.clock(), self.patience
        return now - self.last >= patience.quiet_s or now - self.first >= patience.longest_s

    def started(self) -> bool:
        """Whether a scan will see the changes: one that waits for its turn, or a new one.

        One that is under way may have passed the changed folder; another one follows it. One that somebody paused stays
        so: whoever resumes it has it go on, and the changes are scanned after it.
        """
        live = self.jobs.jobs.list(self.owner, states=LIVE, action=SCAN)
        if any(job.state in ("running", "paused") or job.wanted != "run" for job in live):
            return False
        try:
            self.jobs.start(self.owner, SCAN, {}, WATCH)
        except Conflict:  # only some files are scanned, and then this
            go_on(self.jobs, live)
            return False
        except Invalid as away:  # it is looked at when it is there again
            log.info("the folder of %s is not scanned: %s", self.owner, away)
        return True

    def close(self) -> None:
        """Watch no more for now."""
        if self.watch:
            self.watch.close()
            self.watch, self.open_at = None, self.clock()


class Schedule:
    """The times at which an owner's folder is scanned; those that pass while nobody runs are left out."""

    def __init__(self, expression: str, jobs: JobControl, owner: str, clock: Callable[[], datetime]) -> None:
        """`clock` tells local time, as clocks on walls do."""
        self.expression, self.jobs, self.owner, self.clock = expression, jobs, owner, clock
        self.since = clock()

    def look(self) -> None:
        """Start a scan when its time has come; one that is under way will do."""
        now = self.clock()
        if now < self.since - STEPPED:
            self.since = now
        if now <= self.since or next(CronSim(self.expression, self.since)) > now:
            return
        self.since = now
        if live := self.jobs.jobs.list(self.owner, states=LIVE, action=SCAN):
            go_on(self.jobs, live)
            return
        with suppress(Conflict):
            self.jobs.start(self.owner, SCAN, {}, SCHEDULE)


def go_on(jobs: JobControl, live: Sequence[Job]) -> None:
    """Resume scans whose process is gone: perhaps nobody else does, and no other scan starts before they have ended."""
    for job in live:
        if job.state == "interrupted" and job.wanted == "run" and job.attempt < MOST_ATTEMPTS:
            with suppress(Conflict):  # somebody else was quicker
                jobs.resume(job.job_id)


class Owner:
    """The thread of one owner."""

    def __init__(self, settings: Settings, jobs: JobControl, owner: str, folder: str, patience: Patience) -> None:
        self.folder, scan = folder, settings.scan
        self.watch = Watch(scan, jobs, owner, Path(folder), patience) if scan.watch == "auto" else None
        self.schedule = Schedule(scan.schedule, jobs, owner, datetime.now) if scan.schedule else None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.keep_looking, name=f"watching-{owner}", daemon=True)
        self.thread.start()

    def keep_looking(self) -> None:
        """Look until it is over; what cannot be done now is tried at the next look."""
        while not self.over.is_set():
            try:
                self.look()
            except TROUBLES:
                log.warning("a folder could not be looked after; trying again", exc_info=True)
                self.over.wait(LOOK_S)
        if self.watch:
            self.watch.close()

    def look(self) -> None:
        """Look once, for a while."""
        if self.schedule:
            self.schedule.look()
        if self.watch:
            self.watch.look(LOOK_S / 4)
        else:
            self.over.wait(LOOK_S)


class Watching:
    """Everybody's folders, looked after for as long as this process is the one that does. Nothing where it is off."""

    def __init__(self, settings: Settings, system: System, jobs: JobControl, patience: Patience | None = None) -> None:
        self.settings, self.system, self.jobs = settings, system, jobs
        self.patience = patience or Patience()
        self.stays = False  # whether this process is here to stay: a command that ends soon starts nobody's scans
        self.owners: dict[str, Owner] = {}

    def look(self) -> None:
        """Begin with owners who have a folder by now, and end with those who have it no more."""
        if not self.stays or (self.settings.scan.watch == "off" and not self.settings.scan.schedule):
            return
        users = [user for user in self.system.users.list() if user.scan_directory and not user.disabled]
        folders = {user.user_id: user.scan_directory for user in users}
        for owner in [owner for owner, one in self.owners.items() if folders.get(owner) != one.folder]:
            self.owners.pop(owner).over.set()
        for owner in folders.keys() - self.owners.keys():
            self.owners[owner] = Owner(self.settings, self.jobs, owner, folders[owner], self.patience)

    def end(self) -> None:
        """Look after nothing any more, for good."""
        self.stays = False
        for one in self.owners.values():
            one.over.set()
        deadline = time.monotonic() + FAREWELL_S
        for one in self.owners.values():
            one.thread.join(max(0.0, deadline - time.monotonic()))
        self.owners.clear()
