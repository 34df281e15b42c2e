"""Photos for scans: the sample library, scanned once, and small folders of a few of its files."""

import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.conftest import Household
from tests.sample_library import SampleLibrary, write_sample_library


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleLibrary:
    """The sample library on disk."""
    return write_sample_library(tmp_path_factory.mktemp("sample") / "photos")


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
