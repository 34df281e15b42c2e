"""What several test folders share: composed weights, one running Brightroom for the whole session, households in it."""

import hashlib
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdist.scheduler.loadfile import LoadFileScheduling

from api.up import Brightroom, running
from cluster.settings import Settings, load_settings
from cluster.store.database import Library, open_library
from cluster.store.jobs import Job
from serve_apps.models.embedded import compose

REPOSITORY = Path(__file__).resolve().parents[1]
RESTING = ("done", "failed", "cancelled", "paused", "interrupted")
SHARING = {  # files with tests in the Brightroom of the session
    *(f"tests/api/test_{name}.py" for name in ("curl", "nextcloud_whole", "on_demand", "scrape")),
    *(f"tests/batch/test_{name}.py" for name in ("replicas_killed", "scan", "scan_changes", "scan_faults")),
    *(f"tests/batch/test_{name}.py" for name in ("scan_people", "service_killed", "turns_real")),
    *(f"tests/browser/test_{name}.py" for name in ("library", "looks")),
    *(f"tests/cluster/test_{name}.py" for name in ("stats", "writer")),
    *(f"tests/serve_apps/test_{name}.py" for name in ("fleet", "watched")),
}


class Sharing(LoadFileScheduling):
    """Gives each file to one of several workers, and those of SHARING all to the same, so that one Brightroom runs."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "sharing" if file in SHARING else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """Takes files in their order; otherwise those with few tests came last, which are the longest."""
    config.option.loadscopereorder = False
    return Sharing(config, log)


@pytest.fixture(scope="session")
def weights() -> Path:
    """The embedded checkpoints, composed once and kept between sessions."""
    folder = REPOSITORY / ".weights-test"
    folder.mkdir(exist_ok=True)
    compose(folder)
    return folder


@pytest.fixture(scope="session")
def settings(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The embedded settings with a root of their own; readers see every commit at once."""
    given = load_settings(REPOSITORY / "configs" / "embedded.yaml")
    fresh = given.store.model_copy(update={"fresh_s": 0.0})
    return given.model_copy(update={"root": tmp_path_factory.mktemp("root"), "weights": weights, "store": fresh})


@pytest.fixture(scope="session")
def brightroom(settings: Settings) -> Iterator[Brightroom]:
    """Brightroom with all its services, on a real local Ray, started once."""
    said: list[str] = []
    with running(settings, said.append) as whole:
        whole.await_services()
        yield whole


@dataclass(frozen=True)
class Household:
    """A user with a folder of photos in a running Brightroom."""

    brightroom: Brightroom
    user_id: str
    folder: Path

    @property
    def library(self) -> Library:
        """Their library, opened anew."""
        return open_library(self.brightroom.settings, self.user_id)

    def start(self, **arguments: Any) -> Job:
        """Ask for a scan."""
        return self.brightroom.jobs.start(self.user_id, "scan", arguments)

    def scan(self, **arguments: Any) -> Job:
        """A scan to its end."""
        return self.rest(self.start(**arguments))

    def rest(self, job: Job, timeout_s: float = 240) -> Job:
        """The job once it rests."""
        return self.until(job, lambda now: now.state in RESTING, timeout_s)

    def until(self, job: Job, reached: Callable[[Job], bool], timeout_s: float = 60) -> Job:
        """The job once it is as wanted; fails the test when that takes too long."""
        deadline = time.monotonic() + timeout_s
        while not reached(now := self.brightroom.system.jobs.get(job.job_id)):
            assert time.monotonic() < deadline, f"the job is still {now.state}: {now.counts} {now.stages}"
            time.sleep(0.1)
        return now


def new_household(brightroom: Brightroom, folder: Path) -> Household:
    """A user whose photos are in a folder, which is made."""
    folder.mkdir(parents=True)
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:20]
    user = brightroom.system.users.create(name, "no password", scan_directory=str(folder))
    return Household(brightroom, user.user_id, folder)


@pytest.fixture
def household(brightroom: Brightroom, tmp_path: Path) -> Callable[[], Household]:
    """Makes users with an empty folder each."""
    numbers = itertools.count()
    return lambda: new_household(brightroom, tmp_path / f"home{next(numbers)}")


def rows_of(library: Library) -> dict[str, Any]:
    """All that a scan decides, comparable between libraries: no times of the scan itself, no job."""
    drop = ("added_at", "changed_at", "job_id", "seen_at")
    return {
        table.name: [
            {name: value for name, value in row.items() if name not in drop}
            for row in table.rows(order_by=table.key).to_pylist()
        ]
        for table in (library.files, library.photos, library.faces)
    }


def vectors_of(library: Library) -> dict[str, dict[str, np.ndarray]]:
    """The vectors of each model by id."""
    found = {}
    for model in library.models():
        table = library.registry.find(model)
        assert table is not None
        rows = table.rows(None, ["id", "vector"]).to_pylist()
        assert len(rows) == len({row["id"] for row in rows}), "a vector is there twice"
        found[model] = {row["id"]: np.array(row["vector"]) for row in rows}
    return found


def same_library(one: Library, other: Library) -> None:
    """Assert that two libraries are the same, row for row; numbers to the precision of a batch's other members."""
    for table, rows in rows_of(one).items():
        assert_alike(rows, rows_of(other)[table], table)
    first, second = vectors_of(one), vectors_of(other)
    assert {model: set(found) for model, found in first.items()} == {m: set(found) for m, found in second.items()}
    for model, found in first.items():
        for key, vector in found.items():
            assert float(vector @ second[model][key]) == pytest.approx(1, abs=1e-4)


def assert_alike(one: Any, other: Any, where: str) -> None:
    """Assert that two values are the same, floats nearly; says where they differ."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for name in one:
            assert_alike(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for place, pair in enumerate(zip(one, other, strict=True)):
            assert_alike(*pair, f"{where}[{place}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, abs=1e-3), where
    else:
        assert one == other, where
