"""A user whose folder is scanned when nobody asks for it, and the jobs that come of it."""

from pathlib import Path

from batch.jobs import JobControl
from cluster.settings import ScanSettings, Settings
from cluster.store.database import System, open_system
from cluster.store.jobs import Job, State
from tests.api.standins import TakingCluster


class Home:
    """A user with a folder, in a store whose jobs a test ends."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(root=root / "data", scan=ScanSettings(watch="auto"))
        self.folder = root / "photos"
        self.folder.mkdir()
        self.system: System = open_system(self.settings)
        self.owner = self.system.users.create("ann", "hash", scan_directory=str(self.folder)).user_id
        self.jobs = JobControl(self.settings, self.system, TakingCluster())

    def photo(self, name: str = "a.jpg") -> None:
        """A file comes."""
        (self.folder / name).write_bytes(b"a picture")

    def scans(self) -> list[Job]:
        """The scans there were, newest first."""
        return self.system.jobs.list(self.owner, action="scan")

    def end(self, state: State = "done") -> None:
        """End the scans that run."""
        for job in self.system.jobs.list(states=["running"]):
            self.system.jobs.finish(job.job_id, job.attempt, state)
