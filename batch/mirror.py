"""The source that an owner's Nextcloud is: listed, fetched into a folder of ours, and scanned like any other folder.

What is there is told by the table of remotes (`remotes.py`), not by the folder: that holds what was fetched
(`fetching.py`), and where originals are not kept, only what is being read.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from lancedb.expr import col, lit

from batch.discover import Entry, Folder, matches
from batch.fetching import GB, PORTION, Fetching
from batch.guard import NEVER, OURS, Guard
from batch.ingest import Group
from batch.mirrored import Account
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.names import local_name
from batch.nextcloud.partial import tidy
from batch.progress import Progress
from batch.remotes import Listing
from batch.rows import Row
from batch.sink import Commits
from batch.sources import Fetched
from cluster.settings import Settings
from cluster.store.database import META, Library
from cluster.store.files import NEXTCLOUD
from cluster.store.paths import file_id
from cluster.store.remotes import SCHEMA
from cluster.store.schema import changes_of, rows_of
from cluster.store.sources import Source as Connection
from cluster.store.users import id_of
from cluster.store.writer import Update
from serve_apps.media.kinds import kind_of

KEPT_PARTS_S = 7 * 24 * 3600  # of files that were not fetched whole, for when somebody goes on
FIRST = "nextcloud_account"  # key of the table `meta`: whose files lie in the mirror itself; others' have a folder each


def mirror_of(settings: Settings, user_name: str) -> Path:
    """The folder that a user's files from their Nextcloud are kept in."""
    name = user_name.replace("/", f"~{id_of(user_name)}") if "/" in user_name else user_name  # nobody else's
    return settings.root / "nextcloud_media" / os.fsdecode(local_name(name))


class RemoteGuard(Guard):
    """The guard of a Nextcloud: who answers with the owner's password is who they say; what remains is the breaker."""

    def marker(self) -> str:
        """Ours, unless nothing was fetched yet."""
        return OURS if self.library.remotes.count(col("fetched") != lit("")) else NEVER

    def missing(self) -> int:
        """How many of the files that should be there are not, by the last listing."""
        lost, ours = lost_files(self.library), (col("source") == lit(self.source)) & (col("state") != lit("missing"))
        batches = self.library.files.batches(ours, ["path"])
        return sum(path in lost for batch in batches for path in batch["path"].to_pylist())

    def away(self) -> str:
        """Nothing speaks against what the last listing said."""
        return ""

    def sign(self) -> None:
        """A server needs no marker."""

    def name_library(self) -> str:
        """A server needs no marker."""
        return ""


class Mirror:
    """One user's Nextcloud as the source of a scan."""

    name = NEXTCLOUD

    def __init__(
        self, settings: Settings, connection: Connection, folder: Path, library: Library, writer: Commits,
        cloud: Nextcloud, progress: Progress, stopped: Callable[[], bool],
    ) -> None:  # fmt: skip
        """`folder` is the user's mirror. What is fetched is counted in `progress`."""
        self.settings, self.connection, self.folder = settings, connection, folder
        self.library, self.writer, self.cloud = library, writer, cloud
        self.progress, self.stopped = progress, stopped
        self.root = os.fsencode(folder)
        account = account_of(library, connection)
        library.meta.insert_new(rows_of([{"key": FIRST, "value": account.mark}], META))
        self.account = account_of(library, connection)  # another may have been first just now
        self.keeps = keeps_originals(settings, connection)
        partial, own = settings.root / "nextcloud_partial" / connection.user_id, settings.nextcloud
        self.fetching = Fetching(cloud, folder, partial, own.least_free_gb * GB, own.downloads, progress)
        self.unlisted: list[tuple[str, str]] = []
        self.gone: set[bytes] | None = None

    def look(self) -> None:
        """Make sure that the server answers, list what is new there, and that there is room for it."""
        self.cloud.check()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stage = self.progress.stage("listing")
        stage.begin(0)
        listing = Listing(
            self.library, self.writer, self.account, self.cloud, left_out(self.settings, self.connection), self.stopped,
            self.taken_along, self.listed,
        )  # fmt: skip
        tidy(self.fetching.partial, KEPT_PARTS_S)
        listing.run(self.connection.folders)
        self.unlisted = listing.failed
        self.progress.listed += listing.skipped.total()
        self.progress.skip(dict(+listing.skipped))
        stage.state = "pending" if self.stopped() else "done"
        if self.keeps:
            due = unfetched(self.settings, self.library, self.account, self.connection)
            self.fetching.make_sure_of_room(sum(max(row["size"], 0) for row in due))
        else:
            self.let_go()

    def listed(self, entries: int) -> None:
        """Count what the server listed."""
        stage = self.progress.stage("listing")
        stage.total += entries
        stage.advance(entries, 0)

    def walk(self, skip: Sequence[str]) -> Iterator[Folder]:
        """Every folder with the files that are on the server; of folders not chosen any more what was fetched.

        What could not be listed comes first.
        """
        for path, why in self.unlisted:
            yield Folder(os.fsencode(path), [], {}, why)
        columns = ["path", "local", "size", "mtime_ns", "fetched"]
        rows = self.library.remotes.files(self.account.mark, columns).to_pylist()
        shown = [row for row in rows if row["fetched"] or is_wanted(row["path"], self.settings, self.connection)]
        shown.sort(key=lambda row: (os.path.dirname(row["local"]), row["local"]))
        for folder, files in groupby(shown, key=lambda row: os.path.dirname(row["local"])):
            yield Folder(folder, [entry(row) for row in files], {})

    def is_gone(self, path: bytes) -> bool:
        """Whether the last listing said that a file is gone."""
        if self.gone is None:
            self.gone = lost_files(self.library)
        return path in self.gone

    def guard(self, library: Library, share: float, job_id: str) -> Guard:
        """The guard of the server."""
        return RemoteGuard(library, self.root, share, job_id, NEXTCLOUD)

    def fetch(self, groups: Sequence[Group], stopped: Callable[[], bool]) -> Iterator[Fetched]:
        """The groups in portions, each once its files are in the mirror, which is noted then."""
        rows = self.rows_of({file.path for group in groups for file in group.files})
        stage = self.progress.stage("downloads")
        self.fetching.expect(groups, rows)
        for fetched in self.fetching.portions(groups, rows, lambda: stopped() or self.stopped()):
            self.note([rows[file.path] for group in fetched.groups for file in group.files if file.path in rows])
            yield fetched
        stage.state = "pending" if stopped() else "done"

    def rows_of(self, paths: set[bytes]) -> dict[bytes, Row]:
        """The rows of files, by their places in the mirror."""
        return {row["local"]: row for row in self.library.remotes.placed(self.account.mark, sorted(paths))}

    def note(self, rows: Sequence[Row]) -> None:
        """Commit of files that are in the mirror that their version is."""
        here = [row for row in rows if row["fetched"] != row["etag"] and self.fetching.is_here(row)]
        names = ("remote_id", "etag", "size", "mtime", "mtime_ns")
        changed = [{**{name: row[name] for name in names}, "fetched": row["etag"]} for row in here]
        if changed:
            self.writer.commit([Update("remotes", changes_of(changed, SCHEMA))])

    def taken_along(self, old: bytes, new: bytes) -> None:
        """Put a file where the server has it by now."""
        target = os.path.join(self.root, new)
        with suppress(FileNotFoundError):  # where originals are not kept it is not here, and is fetched again
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(os.path.join(self.root, old), target)

    def release(self, fetched: Fetched) -> None:
        """Where originals are not kept, those that have been read go."""
        for group in () if self.keeps else fetched.groups:
            for file in group.files:
                Path(os.fsdecode(os.path.join(self.root, file.path))).unlink(missing_ok=True)

    def let_go(self) -> None:
        """Delete what was read and is not to be kept: a scan may have ended before it did; only what is still there."""
        found = [os.path.join(folder, name) for folder, _, names in os.walk(self.root) for name in names]
        for start in range(0, len(found), PORTION):
            paths = {file_id(NEXTCLOUD, os.path.relpath(one, self.root)): one for one in found[start : start + PORTION]}
            known = self.library.files.by_keys(list(paths), ["file_id", "path", "state", "mtime_ns"]).to_pylist()
            read = {row["path"]: row for row in known if row["state"] == "ok"}
            for path in self.rows_of(set(read)):  # others are gone from the server: nobody could bring them back
                file = Path(os.fsdecode(paths[read[path]["file_id"]]))
                if file.lstat().st_mtime_ns == read[path]["mtime_ns"]:
                    file.unlink()


def account_of(library: Library, connection: Connection) -> Account:
    """The account that a library's remotes are listed for; the first one's files lie in the mirror itself."""
    account, first = Account(connection.server, connection.login, first=True), library.meta.get(FIRST)
    if first is None or first["value"] == account.mark:
        return account
    return Account(connection.server, connection.login, first=False)


def left_out(settings: Settings, connection: Connection) -> list[str]:
    """The patterns of what is not scanned: everybody's, and the user's own."""
    return [*settings.scan.skip, *connection.excludes]


def keeps_originals(settings: Settings, connection: Connection) -> bool:
    """Whether a user's originals stay on our disk once they are read."""
    own = connection.keep_originals
    return settings.nextcloud.keep_originals if own is None else own


def entry(row: Row) -> Entry:
    """A file as the walk of a folder would list it."""
    return Entry(row["local"], kind_of(row["path"].rpartition("/")[2]) or "", row["size"], row["mtime_ns"])


def unfetched(settings: Settings, library: Library, account: Account, connection: Connection) -> Iterator[Row]:
    """Files on the server whose present version is wanted and was not fetched yet."""
    columns = ["remote_id", "path", "size", "etag", "fetched"]  # of 200,000 files all of them are 300 MB
    for row in library.remotes.files(account.mark, columns).to_pylist():
        if row["fetched"] != row["etag"] and is_wanted(row["path"], settings, connection):
            yield row


def is_wanted(path: str, settings: Settings, connection: Connection) -> bool:
    """Whether a file lies in a folder that the owner chose, and neither it nor a folder on the way is left out."""
    if not any(one == "" or path.startswith(f"{one}/") for one in connection.folders):
        return False
    patterns, parts = left_out(settings, connection), path.split("/")
    on_the_way = ["/".join(parts[:at]) for at in range(1, len(parts) + 1)]
    return not any(matches(one.rpartition("/")[2], one, patterns) for one in on_the_way)


def lost_files(library: Library) -> set[bytes]:
    """The paths in the mirror of files that are gone from their server.

    One that was moved there is not lost before it was read at its new place: that may have to be fetched first.
    """
    moves = library.remotes.moves()
    ids = {file_id(NEXTCLOUD, new): old for old, new in moves.items()}
    read = {ids[one] for one in library.files.by_keys(list(ids), ["file_id"])["file_id"].to_pylist()}
    return library.remotes.lost() - (moves.keys() - read)
