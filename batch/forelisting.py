"""What a scan of an owner's Nextcloud would fetch, told from a listing; nothing is fetched, and nothing written."""

from collections.abc import Iterable, Sequence
from contextlib import closing

from batch.connections import Connections, reaching
from batch.jobs import CHOOSE, CONNECT
from batch.mirror import account_of, left_out, unfetched
from batch.plan import MOST_NAMES, Plan
from batch.remotes import Listing
from batch.rows import Row
from batch.turns import SCAN_NEXTCLOUD
from cluster.errors import ServiceError
from cluster.settings import Settings
from cluster.store.database import Library, System
from cluster.store.writer import Update, Upsert, Write


class Foreseen:
    """Takes the writes of a listing, commits none of them, and counts the files they are about."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.counts = dict.fromkeys(("new", "changed", "gone"), 0)
        self.names: list[str] = []
        self.bytes = 0
        self.told = set[str]()  # remote_ids

    def commit(self, writes: Sequence[Write]) -> None:
        """Count files; those of folders that are gone are counted with them."""
        for write in writes:
            if isinstance(write, Upsert | Update):
                self.told.update(write.rows["remote_id"].to_pylist())
            if isinstance(write, Upsert):
                for row in write.rows.to_pylist():
                    if not row["is_folder"]:
                        self.note("changed" if row["fetched"] else "new", row["path"], max(row["size"], 0))
            elif isinstance(write, Update):
                for row in self.library.remotes.by_keys(write.rows["remote_id"].to_pylist()).to_pylist():
                    if not row["is_folder"]:
                        self.note("gone", row["path"], 0)

    def unfetched(self, rows: Iterable[Row]) -> None:
        """Count files that a former listing found and that were not fetched since."""
        for row in rows:
            if row["remote_id"] not in self.told:
                self.note("changed" if row["fetched"] else "new", row["path"], max(row["size"], 0))

    def note(self, what: str, path: str, size: int) -> None:
        """Count a file."""
        self.counts[what] += 1
        self.bytes += size
        if len(self.names) < MOST_NAMES:
            self.names.append(path)


def forelist(settings: Settings, system: System, library: Library, user_id: str) -> Plan:
    """The plan of a scan of a user's Nextcloud; a moved file counts as new and gone. `bytes` would be downloaded."""
    connection = system.sources.find(user_id)
    if connection is None or not connection.folders:
        return Plan(action=SCAN_NEXTCLOUD, refused=CHOOSE if connection else CONNECT)
    found = Foreseen(library)
    try:
        with closing(Connections(settings, system, reaching(settings.nextcloud))) as connections:
            cloud = connections.account(connection)
            with connections.noting(connection):
                listing = Listing(
                    library, found, account_of(library, connection), cloud, left_out(settings, connection),
                    lambda: False, lambda old, new: None,
                )  # fmt: skip
                listing.run(connection.folders)
                found.unfetched(unfetched(settings, library, account_of(library, connection), connection))
    except ServiceError as fault:
        return Plan(action=SCAN_NEXTCLOUD, refused=str(fault))
    counts = {**found.counts, "not_listed": len(listing.failed)}
    return Plan(action=SCAN_NEXTCLOUD, counts=counts, names=found.names, bytes=found.bytes)
