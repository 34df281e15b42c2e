"""Services started and stopped from the command line: the wish is noted in the store, who runs here acts on it."""

import getpass
import time
from collections.abc import Callable, Sequence

from rich.markup import escape

from cluster.errors import Unavailable
from cluster.head import run_dir
from cluster.locks import hold_alone, opened
from cluster.runtime import connect, running_head
from cluster.settings import Settings
from cluster.store.database import open_system
from serve_apps.fleet import Fleet
from serve_apps.online import unconfigured
from serve_apps.status import ServiceStatus

LOOK_S = 0.5
WITHIN_S = 300.0  # a large model may take minutes to load

Say = Callable[[str], None]


def start(settings: Settings, names: Sequence[str], say: Say) -> None:
    """Want services running, and wait until each answers; raises Unavailable when one does not."""
    fleet, here = joined(settings)
    able = configured(fleet, names, say)
    for name in able:
        if here:
            fleet.start(name, getpass.getuser())
        else:
            fleet.system.services.want(name, "running", getpass.getuser())
    follow(fleet, able, started, say) if here else later(able, say)


def stop(settings: Settings, names: Sequence[str], say: Say) -> None:
    """Want services stopped, and wait until their replicas are gone."""
    fleet, here = joined(settings)
    for name in names:
        fleet.stop(name, getpass.getuser())
    follow(fleet, names, ended, say) if here else later(names, say)


def started(status: ServiceStatus) -> bool:
    """Whether a service answers, or never will."""
    return status.state in ("healthy", "failed")


def ended(status: ServiceStatus) -> bool:
    """Whether nothing is left of a service; one without a model had nothing."""
    return status.state in ("stopped", "unconfigured") and not status.replicas


def joined(settings: Settings) -> tuple[Fleet, bool]:
    """The services, and whether somebody acts on wishes: here, or somewhere that the settings say."""
    here = bool(settings.ray.address) or (tended(settings) and running_head(settings) is not None)
    if here:
        connect(settings)
    return Fleet(settings, open_system(settings)), here


def tended(settings: Settings) -> bool:
    """Whether a process under this root looks after services."""
    with opened(run_dir(settings) / "tending.lock") as lock:
        return not hold_alone(lock)


def configured(fleet: Fleet, names: Sequence[str], say: Say) -> list[str]:
    """Those of some services that have a model; of the others it is said. Raises Unavailable where none has one."""
    models = fleet.in_use().models
    without = [str(unconfigured(name)) for name in names if name not in models]
    if len(without) == len(names):
        raise Unavailable("; ".join(without))
    for sentence in without:
        say(sentence)
    return [name for name in names if name in models]


def later(names: Sequence[str], say: Say) -> None:
    """Say that a wish is noted where nobody can act on it."""
    say(f"noted for {', '.join(names)}; Brightroom does not run here, `brightroom up` starts it")


def follow(fleet: Fleet, names: Sequence[str], over: Callable[[ServiceStatus], bool], say: Say) -> None:
    """Wait until services are as wanted, and say how each is; raises Unavailable for one that failed or is not."""
    deadline, left = time.monotonic() + WITHIN_S, set(names)
    while left and time.monotonic() < deadline:
        for status in fleet.statuses():
            if status.name in left and over(status):
                left.discard(status.name)
                say(told(status))
        time.sleep(LOOK_S if left else 0)
    states = {status.name: status for status in fleet.statuses()}
    if wrong := [name for name in names if name in left or states[name].state == "failed"]:
        raise Unavailable("; ".join(f"{name} is {states[name].state}: {states[name].reason}" for name in wrong))


def told(status: ServiceStatus) -> str:
    """A service's state in a line."""
    return f"{status.name}: [bold]{status.state}[/]{f'  {escape(status.reason)}' if status.reason else ''}"
