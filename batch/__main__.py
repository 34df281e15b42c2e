"""`python -m batch run JOB`: what a Ray job runs, on whichever node. Reads the settings once and hands them on.

What each action does is in `actions.py`.
"""

import argparse
import logging
import signal
import warnings

import ray

from batch.actions import DO, Tools
from batch.attempts import running
from batch.pipeline import log_actors
from batch.progress import Reporter
from batch.sink import Sink
from cluster.logs import configure
from cluster.runtime import connect
from cluster.settings import Settings, load_settings
from cluster.store.database import System, open_library, open_system
from cluster.store.jobs import Job
from cluster.writer import RemoteWriter


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
        DO[job.action](tools_of(settings, system, job, reporter))


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


if __name__ == "__main__":
    main()
