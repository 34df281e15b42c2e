"""All of Brightroom on one machine, from nothing to answering and back: Ray, models, services, jobs, HTTP.

Stops what it started and nothing else: Ray goes on while another command of the same root uses it, and a cluster that
was there already is left running.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import ray
from litestar import Litestar
from ray.exceptions import RayError

from api.app import create_app
from api.deps import Deps
from batch.jobs import JobControl
from cluster.errors import BrightroomError, Conflict, Unavailable
from cluster.head import head_log, run_dir
from cluster.locks import hold_alone, opened
from cluster.runtime import connect, head_gone, using_head
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
        self.lost = threading.Event()  # Ray is gone, and with it what we are for
        self.at_loss: Callable[[], None] = self.lost.set

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

    def on_loss(self, act: Callable[[], None]) -> None:
        """Have something done when Ray is gone, at once if it is."""
        self.at_loss = act
        if self.lost.is_set():
            act()

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
    """Brightroom running for as long as the block does. Services load their models meanwhile.

    Raises Unavailable at the end of a block under which Ray ended.
    """
    compose_embedded(settings, say)
    with ray_for(settings, say) as alone:
        try:
            connect(settings)
            brightroom = Brightroom(settings, say)
            if alone or not brightroom.fleet.coming():  # services that others use are not to be replaced
                say("starting services")
                brightroom.fleet.start()
            with tending(brightroom):
                yield brightroom
        finally:
            ray.shutdown()
    if brightroom.lost.is_set():
        raise Unavailable(f"Ray ended, and Brightroom with it; {head_log(settings)} may say why. Start it again.")


def ray_for(settings: Settings, say: Say) -> AbstractContextManager[bool]:
    """A head of our own, or the cluster of the settings, whose services are ours to bring up."""
    return nullcontext(True) if settings.ray.address else using_head(settings, say)


@contextmanager
def served_once(settings: Settings) -> Iterator[None]:
    """A block that one process under a root is in, which serves it; raises Conflict for a second one."""
    with opened(run_dir(settings) / "up.lock") as lock:
        if not hold_alone(lock):
            raise Conflict(
                f"Brightroom runs here already, for {settings.root}; end that one first, or name another root"
            )
        yield


def compose_embedded(settings: Settings, say: Say) -> None:
    """Make the checkpoints that come out of packages, once, if a service wants one."""
    wanted = [spec for spec in settings.services.values() if spec and spec.checkpoint.startswith("embedded:")]
    if wanted:
        say("looking after the embedded models (composed once)")
        compose(settings.weights_dir)


@contextmanager
def tending(brightroom: Brightroom) -> Iterator[None]:
    """Look after Ray and jobs while the block runs."""
    over = threading.Event()
    thread = threading.Thread(target=tend, args=(brightroom, over), name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def tend(brightroom: Brightroom, over: threading.Event) -> None:
    """Submit jobs that wait and mark those whose process is gone, until it is over or Ray itself is gone."""
    while not over.wait(LOOK_S):
        if head_gone(brightroom.settings):
            log.error("the Ray head is gone")
            brightroom.lost.set()
            brightroom.at_loss()
            return
        try:
            brightroom.jobs.reap()
            brightroom.jobs.dispatch()
        except (BrightroomError, RayError, RuntimeError, OSError):
            log.warning("jobs could not be looked after; trying again", exc_info=True)


@contextmanager
def joined(settings: Settings, say: Say) -> Iterator[Brightroom]:
    """Brightroom on a cluster that is somebody else's, its services started if none are there; nothing is stopped."""
    try:
        connect(settings)
        brightroom = Brightroom(settings, say)
        if not brightroom.fleet.coming():
            brightroom.fleet.start()
        yield brightroom
    finally:
        ray.shutdown()
