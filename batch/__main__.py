"""`python -m batch run JOB`: what a Ray job runs, on whichever node. Reads the settings once and hands them on."""

import argparse
import logging
import signal
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import ray

from batch.jobs import ANALYSE, SCAN, JobControl, running
from batch.pipeline import log_actors
from batch.progress import Reporter
from batch.scan import Scan
from batch.sink import Sink
from batch.vectors import NewVectors
from cluster.logs import configure
from cluster.runtime import connect
from cluster.settings import SERVICE_OF, SERVICES, Settings, load_settings
from cluster.store.choices import chosen, in_use
from cluster.store.database import Library, System, open_library, open_system
from cluster.store.jobs import PREPARED, Job
from cluster.writer import RemoteWriter


@dataclass(frozen=True)
class Tools:
    """All that an action works with."""

    settings: Settings
    system: System
    job: Job
    reporter: Reporter
    library: Library
    sink: Sink

    def scan(self) -> Scan:
        """A scan of the job's library, with the models that are in use."""
        root = Path(self.system.users.get(self.job.owner).scan_directory)
        settings = in_use(self.settings, self.system.choices.all())
        services = partial(states, self.settings, self.system)
        return Scan(settings, self.job.owner, self.library, self.sink, root, self.reporter, services)


def main() -> None:
    """Run one job, and let its row say how it ended."""
    parser = argparse.ArgumentParser(prog="python -m batch", description="Run a job of Brightroom.")
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("job", help="the job's id")
    parser.add_argument("--attempt", type=int, required=True, help="which start of the job this is")
    asked = parser.parse_args()
    settings = load_settings()
    configure(settings, "jobs", asked.job)
    connect(settings)
    quiet()
    log_actors(settings.root, asked.job)
    system = open_system(settings)
    job = system.jobs.get(asked.job)
    if (job.attempt, job.state) != (asked.attempt, "running"):
        return  # another attempt took over before this one began, or is about to
    with running(settings, system, job) as reporter:
        # Ray installs a handler of its own in `connect`; ours comes after it, so that a stop ends at a batch's edge.
        signal.signal(signal.SIGTERM, lambda *_: reporter.stop())
        ACTIONS[job.action](tools_of(settings, system, job, reporter))


def tools_of(settings: Settings, system: System, job: Job, reporter: Reporter) -> Tools:
    """What a job works with. The sink decides by what is committed: its reads must see every commit."""
    exact = settings.model_copy(update={"store": settings.store.model_copy(update={"fresh_s": 0.0})})
    library = open_library(exact, job.owner)
    return Tools(settings, system, job, reporter, library, Sink(library, RemoteWriter(settings, job.owner), job.job_id))


def quiet() -> None:
    """Keep Ray Data's bars out of the job's log."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module="ray")


def scan(tools: Tools) -> None:
    """The action `scan`."""
    one, arguments = tools.scan(), tools.job.arguments
    if paths := arguments.get("paths"):
        one.paths(paths)
        return
    prepare(one, tools.job, tools.reporter)
    one.everything()


def analyse(tools: Tools) -> None:
    """The action `analyse`: what a change of model makes due, or the vectors that it needs before it can be."""
    choices = tools.system.choices.all()
    waits = JobControl(tools.settings, tools.system).scan_waits
    if tools.job.arguments.get("part") != "vectors":
        if tools.job.arguments.get("retry"):
            tools.scan().forgive()
        one = tools.scan()
        one.others_wait = waits
        one.analyse()
    elif choices[SERVICE_OF["clip"]].changed_at.isoformat() == tools.job.arguments["since"]:  # else: changed again
        settings = chosen(tools.settings, choices)
        NewVectors(settings, tools.job.owner, tools.library, tools.sink, tools.reporter, waits).all()


ACTIONS: dict[str, Callable[[Tools], None]] = {SCAN: scan, ANALYSE: analyse}


def prepare(one: Scan, job: Job, reporter: Reporter) -> None:
    """What a full scan, or a retry, makes work again: once in a job's life, whatever number of attempts it takes."""
    if reporter.progress.prepared:
        return
    if job.arguments.get("retry"):  # first: to do all again is more than to do again what failed
        one.forgive()
    elif job.arguments.get("full"):
        one.forget()
    reporter.progress.fact(PREPARED, 1)
    reporter.beat()


def states(settings: Settings, system: System) -> dict[str, str]:
    """The state of each service; where a scan loads models of its own, what counts is whether somebody stopped it."""
    if settings.scan.inference == "actors":
        stopped = {name for name, wish in system.services.wishes().items() if wish.wanted == "stopped"}
        return {name: "stopped" if name in stopped else "healthy" for name in SERVICES}
    from serve_apps.fleet import Fleet  # with Ray Serve, a second: needed once there is something to analyse

    return {status.name: status.state for status in Fleet(settings, system).statuses()}


if __name__ == "__main__":
    main()
