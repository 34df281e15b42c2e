"""What goes on beside requests while Brightroom runs: services follow what is wanted, models change, jobs take turns.

Of several processes under one root one does this, so that no two of them undo each other's services; when it ends,
another takes over. Whether Ray itself is gone is watched beside that: what is asked of a cluster that has just gone may
never be answered.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ray.exceptions import RayError

from api.checking import Checking
from api.watching import Watching
from batch.jobs import JobControl
from batch.models import ModelChanges
from cluster.errors import BrightroomError
from cluster.head import run_dir
from cluster.locks import hold_alone, opened
from cluster.runtime import loss
from cluster.settings import Settings
from cluster.store.database import System
from serve_apps.fleet import Fleet

log = logging.getLogger(__name__)
LOOK_S = 2.0  # between two looks
WATCH_S = 1.0  # between two questions whether Ray is there
TROUBLES = (
    BrightroomError,
    RayError,
    RuntimeError,
    OSError,
    KeyError,
    ValueError,
)  # of a store or cluster that is away


class Tending:
    """Looks after services and jobs, every few seconds."""

    def __init__(
        self, settings: Settings, system: System, fleet: Fleet, jobs: JobControl, watching: Watching | None = None,
        checking: Checking | None = None,
    ) -> None:  # fmt: skip
        """`watching` starts scans that nobody asks for, `checking` asks users' Nextclouds; without them nobody does."""
        self.settings, self.fleet, self.jobs, self.watching = settings, fleet, jobs, watching
        self.checking = checking
        self.changes = ModelChanges(fleet, system, jobs)
        self.leads = self.settled = False

    @contextmanager
    def going_on(self, at_loss: Callable[[], None]) -> Iterator[None]:
        """Tend while the block runs; the first look is done when it begins. `at_loss` is called when Ray is gone."""
        over, lost = threading.Event(), threading.Event()
        with opened(run_dir(self.settings) / "tending.lock") as lock, watched(loss(self.settings), lost, at_loss):
            self.look(lock)
            thread = threading.Thread(target=self.keep_looking, args=(lock, over, lost), name="tending", daemon=True)
            thread.start()
            try:
                yield
            finally:
                over.set()
                while thread.is_alive() and not lost.is_set():
                    thread.join(WATCH_S)
                if self.watching:
                    self.watching.end()
                if self.checking:
                    self.checking.end()

    def keep_looking(self, lock: int, over: threading.Event, lost: threading.Event) -> None:
        """Look until it is over or Ray itself is gone."""
        while not over.wait(LOOK_S) and not lost.is_set():
            self.look(lock)

    def look(self, lock: int) -> None:
        """One look at everything; what cannot be done now is tried at the next one."""
        self.leads = self.leads or hold_alone(lock)
        if self.leads and not self.settled:
            self.settled = self.done("the settings' models could not be noted", self.fleet.settle)
        if self.leads:
            self.done("services could not be looked after", self.fleet.reconcile)
            self.done("changes of models could not be looked after", self.changes.look)
        if self.leads and self.watching:
            self.done("folders could not be looked after", self.watching.look)
        if self.leads and self.checking:
            self.done("connections could not be looked after", self.checking.look)
        self.done("jobs could not be looked after", self.jobs.reap)
        self.done("jobs could not be submitted", self.jobs.dispatch)

    def done(self, otherwise: str, work: Callable[[], object]) -> bool:
        """Do some work; when the store or the cluster is away, say so. Whether it was done."""
        try:
            work()
        except TROUBLES:
            log.warning("%s; trying again", otherwise, exc_info=True)
            return False
        return True


@contextmanager
def watched(
    gone: Callable[[], bool], lost: threading.Event, at_loss: Callable[[], None], every_s: float = WATCH_S
) -> Iterator[None]:
    """A block during which it is asked again and again whether Ray is gone; once it is, `at_loss` is called."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(every_s):
            if surely(gone):
                log.error("Ray is gone")
                lost.set()
                at_loss()
                return

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def surely(gone: Callable[[], bool]) -> bool:
    """Whether Ray is gone; where that is noted cannot be read for a moment says nothing of Ray."""
    try:
        return gone()
    except OSError as error:
        log.warning("whether Ray is there cannot be read (%s); trying again", error)
        return False
