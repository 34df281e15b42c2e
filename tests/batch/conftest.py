"""Photos for scans - the sample library and small folders of a few of its files - and job control without a cluster."""

import shutil
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from api.up import Brightroom
from batch.jobs import JobControl
from batch.turns import SCAN
from cluster.settings import Settings
from cluster.store.database import System, open_system
from cluster.store.jobs import Job
from tests.api.standins import Clock, TakingCluster
from tests.batch.adorned import trashed
from tests.conftest import Household
from tests.sample_library import SampleLibrary, write_sample_library


@pytest.fixture
def clock() -> Clock:
    """A clock that tests turn."""
    return Clock()


@pytest.fixture
def system(tmp_path: Path, clock: Clock) -> System:
    """An empty system database."""
    return open_system(Settings(root=tmp_path), clock)


@pytest.fixture
def cluster() -> TakingCluster:
    """A cluster that takes jobs and runs none."""
    return TakingCluster()


@pytest.fixture
def control(tmp_path: Path, system: System, cluster: TakingCluster, clock: Clock) -> JobControl:
    """Job control of a cluster that takes jobs."""
    return JobControl(Settings(root=tmp_path), system, cluster, clock)


@pytest.fixture
def owner(system: System, tmp_path: Path) -> str:
    """A user with a folder."""
    return system.users.create("somebody", "hash", scan_directory=str(tmp_path)).user_id


@pytest.fixture
def waiting(system: System, clock: Clock) -> Callable[..., Job]:
    """Makes a queued job; a second passes."""

    def made(owner: str, action: str = SCAN, by: str = "somebody") -> Job:
        job = system.jobs.create(owner, action, {}, by)
        clock.advance(seconds=1)
        return job

    return made


@pytest.fixture(scope="session")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve photos with faces, four of them in the trash."""
    return trashed(tmp_path_factory.mktemp("twelve") / "home")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleLibrary:
    """The sample library on disk."""
    return write_sample_library(tmp_path_factory.mktemp("sample") / "photos")


@pytest.fixture(scope="session")
def home(brightroom: Brightroom, sample: SampleLibrary) -> Household:
    """A user whose folder is the sample library itself."""
    user = brightroom.system.users.create("sample", "no password", scan_directory=str(sample.folder))
    return Household(brightroom, user.user_id, sample.folder)


@pytest.fixture(scope="session")
def originals(sample: SampleLibrary) -> str:
    """A fingerprint of every original's bytes and times before anything was scanned."""
    return fingerprint(sample.folder)


@pytest.fixture(scope="session")
def job(home: Household, originals: str) -> Job:
    """The first scan of it."""
    return home.scan()


@pytest.fixture
def few(sample: SampleLibrary, household: Callable[[], Household]) -> Callable[..., Household]:
    """Makes a user whose folder holds the files of a few photos of the sample library."""
    return lambda *mains: filled(household(), sample, mains)


def filled(home: Household, sample: SampleLibrary, mains: Iterable[str]) -> Household:
    """The household with the files of some photos of the sample library in its folder."""
    for main in mains:
        for name in sample.photo(main).files:
            target = home.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(sample.folder / name, target)
    return home


def copied(sample: SampleLibrary, name: str, folder: Path) -> Path:
    """A copy of a file of the sample library at another place."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy2(sample.folder / name, folder))


def driver_of(job_id: str) -> psutil.Process | None:
    """The process that runs a job. Ray gives it a session of its own: all of the machine's are looked at."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = process.cmdline()
            if command[1:5] == ["-m", "batch", "run", job_id]:
                return process
    return None


def fingerprint(folder: Path) -> str:
    """Names, sizes, times and hashes of all regular files but the marker, which scans may write."""
    files = "find . -type f -not -path ./.brightroom"
    command = f"{files} -printf '%p %s %T@ %m\\n' | sort; {files} -print0 | sort -z | xargs -0 sha256sum"
    return subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=True).stdout.decode(
        errors="surrogateescape"
    )
