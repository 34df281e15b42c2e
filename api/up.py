"""All of Brightroom on one machine, from nothing to answering and back: Ray, models, services, jobs, HTTP.

Stops what it started and nothing else. On a cluster that is there already it joins, and leaves it running.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import ray
from litestar import Litestar
from ray.exceptions import RayError

from api.app import create_app
from api.deps import Deps
from batch.jobs import JobControl
from cluster.errors import BrightroomError
from cluster.runtime import connect, start_head, stop_head
from cluster.settings import Settings
from cluster.stats import snapshot
from cluster.store.database import Library, open_library, open_system
from serve_apps.fleet import Fleet
from serve_apps.models.embedded import compose
from serve_apps.online import Services

log = logging.getLogger(__name__)
LOOK_S = 2.0  # between two looks at the jobs

Say = Callable[[str], None]


class Brightroom:
    """The running whole: what the API and the command line work with."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self.settings = settings
        self.system = open_system(settings)
        self.jobs = JobControl(settings, self.system)
        self.fleet = Fleet(settings)
        self.say = say

    def application(self) -> Litestar:
        """The HTTP API over this whole."""
        deps = Deps(
            settings=self.settings,
            system=self.system,
            library=Libraries(self.settings).of,
            jobs=self.jobs,
            models=Services(self.settings),
            cluster=snapshot,
            revisions=self.settings.revisions,
        )
        return create_app(deps)

    def await_services(self, timeout_s: float = 300) -> None:
        """Wait until the models are loaded, and say what is not healthy."""
        for status in self.fleet.await_start(timeout_s):
            if status.state not in ("healthy", "unconfigured"):
                self.say(f"[yellow]{status.name}: {status.state}[/]  {status.reason}")


class Libraries:
    """Every owner's library, opened once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.opened: dict[str, Library] = {}
        self.opening = threading.Lock()

    def of(self, owner: str) -> Library:
        """An owner's library."""
        with self.opening:
            if owner not in self.opened:
                self.opened[owner] = open_library(self.settings, owner)
            return self.opened[owner]


@contextmanager
def running(settings: Settings, say: Say) -> Iterator[Brightroom]:
    """Brightroom running for as long as the block does. Services load their models meanwhile."""
    compose_embedded(settings, say)
    ours = settings.ray.address is None
    if ours:
        say("starting Ray")
        start_head(settings)
    try:
        connect(settings)
        brightroom = Brightroom(settings, say)
        say("starting services")
        brightroom.fleet.start()
        with tending(brightroom.jobs):
            yield brightroom
    finally:
        ray.shutdown()
        if ours:
            say("stopping")
            stop_head(settings)


def compose_embedded(settings: Settings, say: Say) -> None:
    """Make the checkpoints that come out of packages, once, if a service wants one."""
    wanted = [spec for spec in settings.services.values() if spec and spec.checkpoint.startswith("embedded:")]
    if wanted:
        say("looking after the embedded models (composed once)")
        compose(settings.weights_dir)


@contextmanager
def tending(jobs: JobControl) -> Iterator[None]:
    """Look after jobs while the block runs: those that wait are submitted, those whose process is gone are marked."""
    over = threading.Event()
    thread = threading.Thread(target=tend, args=(jobs, over), name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def tend(jobs: JobControl, over: threading.Event) -> None:
    """Reap and dispatch until it is over; a cluster that does not answer is asked again."""
    while not over.wait(LOOK_S):
        try:
            jobs.reap()
            jobs.dispatch()
        except (BrightroomError, RayError, RuntimeError, OSError):
            log.warning("jobs could not be looked after; trying again", exc_info=True)


@contextmanager
def joined(settings: Settings, say: Say) -> Iterator[Brightroom]:
    """Brightroom as it runs already, in this or another process; nothing is stopped at the end."""
    connect(settings)
    brightroom = Brightroom(settings, say)
    if not brightroom.fleet.coming():
        brightroom.fleet.start()
    yield brightroom
    ray.shutdown()
