"""A library of photos from the stand-in Nextcloud: the real listing, downloads, stages and writer, no cluster."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from batch.mirror import Mirror
from batch.nextcloud.addresses import Addresses
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport
from batch.progress import Progress
from batch.scan import Scan
from batch.sink import Sink
from cluster.settings import NextcloudSettings, Settings
from cluster.store.files import NEXTCLOUD
from cluster.store.sources import Source as Connection
from tests.batch.bench_of_one import OWNER, Bench, Mortal, all_well
from tests.nextcloud.server import StandIn

QUICK = Patience(
    connect_s=2, read_s=1, window_s=1, answer_s=20, tries=4, first_wait_s=0.01, longest_wait_s=2, maintenance_s=0
)


@dataclass
class Clouded(Bench):
    """A user, their Nextcloud, and what is here of it. Close it."""

    cloud: StandIn = field(kw_only=True)
    folders: list[str] = field(default_factory=lambda: [""])
    excludes: list[str] = field(default_factory=list)
    keeps: bool | None = None
    patience: Patience = QUICK
    stop_after: int | None = None  # questions whether to stop that are answered with no
    clients: list[Nextcloud] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """Those of a bench, for which loopback is a network like any other."""
        own = NextcloudSettings(allowed_networks=["127.0.0.0/8"], least_free_gb=0)
        return super().settings.model_copy(update={"nextcloud": own})

    @property
    def connection(self) -> Connection:
        """As the user made it and chose."""
        now = datetime.now(UTC)
        return Connection(
            user_id=OWNER, server=self.cloud.url, login=self.cloud.user, folders=self.folders, excludes=self.excludes,
            keep_originals=self.keeps, app_password=True, granted=False, state="connected", told="", version="",
            used=-1, free=-1, connected_at=now, checked_at=now,
        )  # fmt: skip

    @property
    def mirror(self) -> Path:
        """What was fetched."""
        return self.root / "data" / "nextcloud_media" / OWNER

    def made(self, dies_before: int | None) -> Scan:
        """A scan of what is on the server."""
        library, progress = self.library, Progress()
        reporter: Any = SimpleNamespace(progress=progress, wanted="run")
        sink = Sink(library, Mortal(library, self.settings.store, dies_before), f"job{self.scans}", NEXTCLOUD)
        transport = Transport(Addresses(["127.0.0.0/8"]), self.patience, self.cloud.trust())
        client = Nextcloud(self.cloud.url, self.cloud.user, self.cloud.account().password, transport)
        self.clients.append(client)
        source = Mirror(
            self.settings, self.connection, self.mirror, library, sink.writer, client, progress, self.stopped
        )
        return Scan(self.settings, OWNER, library, sink, source, reporter, all_well, self.here)

    def scan(self, dies_before: int | None = None, prepare: Any = None) -> dict[str, Any]:
        """List, fetch and read everything that is new; what it counted."""
        self.scans += 1
        scan = self.made(dies_before)
        if prepare:
            prepare(scan)
        scan.everything()
        return dict(scan.progress.told()["counts"])

    def stopped(self) -> bool:
        """Whether the user wants it to stop by now."""
        if self.stop_after is not None:
            self.stop_after -= 1
        return self.stop_after is not None and self.stop_after < 0

    def fetched(self) -> dict[str, bytes]:
        """The bytes in the mirror by path."""
        files = [path for path in self.mirror.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.mirror)): path.read_bytes() for path in files}

    def close(self) -> None:
        """End the decode child and the connections."""
        super().close()
        for client in self.clients:
            client.close()
