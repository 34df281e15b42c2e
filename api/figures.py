"""All sources of figures of /metrics: a table of contents. How they are read is `readings.py`'s."""

from api.deps import Deps
from api.job_figures import JobFigures
from api.library_figures import LibraryFigures
from api.node_figures import Measured
from api.readings import Reading, in_thread
from api.service_figures import CallFigures, ServiceFigures
from api.storage import Storages
from api.store_figures import CommitFigures, StoreFigures

KEEP_S = 30.0  # what takes a look at every library


def sources(deps: Deps, cluster: Measured, storages: Storages) -> list[Reading]:
    """Everything that is read at a scrape."""
    libraries = LibraryFigures(deps.settings, deps.system, deps.library, storages)
    store = StoreFigures(deps.settings, deps.system, deps.library)
    return [
        Reading("jobs", in_thread(JobFigures(deps.system.jobs, deps.jobs).families)),
        Reading("services", ServiceFigures(deps.models).families),
        Reading("calls", in_thread(CallFigures(deps.board).families)),
        Reading("libraries", in_thread(libraries.families), KEEP_S),
        Reading("store", in_thread(store.families), KEEP_S),
        Reading("commits", in_thread(CommitFigures(deps.board).families)),
        Reading("cluster", in_thread(cluster.families)),
    ]
