"""All of Brightroom on one machine, from nothing to answering and back: Ray, models, services, jobs, HTTP.

Stops what it started and nothing else. Ray goes on while another command of the same root uses it. A cluster that was
there already is left running, and the services on it with it: they answer a scan meanwhile, and the next `up`, which an
orchestrator starts within seconds, finds them loaded. Who wants them down stops them (`brightroom stop-service all`).
When Ray ends under it, it ends too, loudly, with what was wanted kept in the store: whoever started it starts it again.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from litestar import Litestar

from api.app import create_app
from api.checking import Checking
from api.deps import Deps
from api.tending import Tending
from api.watching import Watching
from batch.connections import Connections
from batch.jobs import JobControl
from cluster.board import topic
from cluster.build import build
from cluster.errors import Conflict, Unavailable
from cluster.head import head_log, run_dir
from cluster.locks import hold_alone, opened
from cluster.nodes import Nodes
from cluster.runtime import connect, dashboard_of, leave_ray, using_head
from cluster.settings import Settings
from cluster.stats import snapshot
from cluster.store.database import Library, open_library, open_system
from cluster.writer import RemoteWriter
from serve_apps.fleet import Fleet
from serve_apps.models.embedded import compose
from serve_apps.online import Services

Say = Callable[[str], None]


class Brightroom:
    """The running whole: what the API and the command line work with."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self.settings = settings
        self.system = open_system(settings)
        self.jobs = JobControl(settings, self.system)
        self.fleet = Fleet(settings, self.system)
        self.watching = Watching(settings, self.system, self.jobs)
        self.connections = Connections(settings, self.system)
        self.checking = Checking(self.system, self.connections)
        self.say = say
        self.lost = threading.Event()  # Ray is gone, and with it what we are for
        self.at_loss: Callable[[], None] = self.lost.set

    def application(self) -> Litestar:
        """The HTTP API over this whole; who answers requests is here to stay, and watches folders and servers."""
        self.watching.stays = self.checking.stays = True
        deps = Deps(
            settings=self.settings,
            system=self.system,
            library=Libraries(self.settings).of,
            jobs=self.jobs,
            models=Services(self.fleet),
            revisions=self.fleet.revisions,
            cluster=partial(snapshot, Nodes(self.settings.ray.namespace, str(self.settings.root))),
            build=build(),
            board=partial(topic, self.settings.ray.namespace),
            dashboard=partial(dashboard_of, self.settings),
            writer=partial(RemoteWriter, self.settings),
            connections=self.connections,
        )
        return create_app(deps)

    def tending(self) -> AbstractContextManager[None]:
        """A block in which services and jobs are looked after; services start beside it."""
        tending = Tending(self.settings, self.system, self.fleet, self.jobs, self.watching, self.checking)
        return tending.going_on(self.lose)

    def lose(self) -> None:
        """Note that Ray is gone."""
        self.lost.set()
        self.at_loss()

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
    with ray_for(settings, say):
        try:
            connect(settings)
            brightroom = Brightroom(settings, say)
            say("starting services")
            with brightroom.tending():
                yield brightroom
        finally:
            leave_ray()
    if brightroom.lost.is_set():
        raise Unavailable(epitaph(settings))


def epitaph(settings: Settings) -> str:
    """What to say when Ray has ended, and what to do."""
    if settings.ray.address:
        return f"the Ray cluster at {settings.ray.address} is gone, and Brightroom with it; start both again"
    return f"Ray ended, and Brightroom with it; {head_log(settings)} may say why. Start it again."


def ray_for(settings: Settings, say: Say) -> AbstractContextManager[object]:
    """A head of our own, or the cluster of the settings."""
    return nullcontext() if settings.ray.address else using_head(settings, say)


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
def joined(settings: Settings, say: Say) -> Iterator[Brightroom]:
    """Brightroom on a cluster that is somebody else's; nothing is stopped."""
    try:
        connect(settings)
        brightroom = Brightroom(settings, say)
        with brightroom.tending():
            yield brightroom
    finally:
        leave_ray()
