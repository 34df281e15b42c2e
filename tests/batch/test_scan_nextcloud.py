"""The job that scans a Nextcloud, when the server is being maintained or the disk is full: real rows, a real server."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batch.actions import Tools, scan_nextcloud
from batch.attempts import close
from batch.connections import Connections
from batch.nextcloud.faults import NoRoom
from batch.progress import Reporter
from batch.sink import Sink
from cluster.sealing import sealer
from cluster.settings import NextcloudSettings, ScanSettings, Settings, StoreSettings
from cluster.store.database import open_library, open_system
from cluster.store.writer import Writer
from tests.nextcloud.server import StandIn


class Home:
    """A user who is connected and has chosen everything."""

    def __init__(self, root: Path, cloud: StandIn, least_free_gb: float = 0) -> None:
        own = NextcloudSettings(allowed_networks=["127.0.0.1"], plain_http=True, least_free_gb=least_free_gb)
        scan = ScanSettings(inference="actors")  # no service is asked how it is
        self.settings = Settings(root=root, store=StoreSettings(fresh_s=0), nextcloud=own, scan=scan)
        self.system = open_system(self.settings)
        self.user_id = self.system.users.create("ann", "no password").user_id
        password = cloud.app_password()
        self.system.sources.connect(self.user_id, cloud.url, cloud.user, password, sealer(self.settings))
        self.system.sources.choose(self.user_id, [""], [], None)
        self.job_id = self.system.jobs.create(self.user_id, "scan-nextcloud", {}).job_id

    def attempt(self) -> Any:
        """Work on the job as its process does, to the end of the attempt; how the job is then."""
        job = self.system.jobs.start(self.job_id)
        nowhere: Any = SimpleNamespace()
        reporter = Reporter(nowhere, self.system.jobs, job)
        library = open_library(self.settings, self.user_id)
        sink = Sink(library, Writer(library, self.settings.store), job.job_id)
        scan_nextcloud(Tools(self.settings, self.system, job, reporter, library, sink))
        close(self.system, job, reporter.heeded, reporter.why)
        return self.system.jobs.get(self.job_id)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[StandIn]:
    """A server with nothing in it to read."""
    with StandIn(tmp_path / "cloud", tls=False) as made:
        made.put("notes.txt", b"no photo")
        yield made


def test_while_the_server_is_maintained_the_job_rests_and_says_so(tmp_path: Path, cloud: StandIn):
    """It does not begin again by itself, and ends once it is resumed after that."""
    home = Home(tmp_path / "data", cloud)
    cloud.maintain()

    job = home.attempt()

    assert (job.state, job.wanted) == ("paused", "pause")
    assert "maintenance" in job.error
    assert job.error.endswith("Then resume this job.")
    assert home.system.sources.get(home.user_id).state == "maintenance"

    cloud.maintain(False)
    with closing(Connections(home.settings, home.system)) as connections:
        connections.check(home.user_id)
    home.system.jobs.want(home.job_id, "run")
    home.system.jobs.requeue(home.job_id)
    again = home.attempt()

    assert (again.state, again.error) == ("done", "")


def test_a_disk_without_room_ends_the_scan_before_anything_is_fetched(tmp_path: Path, cloud: StandIn):
    """The sentence says what to do."""
    home = Home(tmp_path / "data", cloud, least_free_gb=10_000_000)
    cloud.put("a.jpg", b"\xff\xd8" + bytes(1000))

    with pytest.raises(NoRoom, match="Make room"):
        home.attempt()

    assert not cloud.seen("GET", "a.jpg")
