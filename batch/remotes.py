"""What is on an owner's Nextcloud, listed folder by folder into the table of remotes: only what changed is asked for.

A server gives a folder another etag when anything below it changes. A folder's etag is noted once everything below it
is listed and committed, so a listing that is cut off goes on where it was, and one of nothing new asks once for each
chosen folder. What could not be listed counts as it was: gone is only what its folder's own listing has no word of.
Moves are told by the server's own ids. Nothing is fetched here.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol
from urllib.parse import unquote

from lancedb.expr import col, lit

from batch.discover import MAX_DEPTH, matches
from batch.mirrored import Account, version, version_ns
from batch.nextcloud.faults import Changed, Forbidden, Gone, Hostile, Locked, Unreachable, Withheld
from batch.nextcloud.listing import LONGEST_HREF, Item
from batch.nextcloud.names import folded
from batch.rows import Row
from batch.sink import Commits
from cluster.errors import ServiceError
from cluster.store.database import Library
from cluster.store.remotes import SCHEMA, of, remote_id
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Update, Upsert
from serve_apps.media.kinds import kind_of

AT_ONCE = 2000  # entries looked up and committed together
LONGEST_S = 2.0  # that entries wait for others to be committed with
AWAY = (Unreachable, Forbidden)  # faults of a server, or of one folder only, as of a disk that the server cannot reach
PASSING_OVER = (Gone, Hostile, Locked, Changed, Withheld, *AWAY)  # faults that leave other folders to be listed
MOST_TOLD = 20  # entries of a folder that are told of one by one when they are left out
KNOWN = ("remote_id", "path", "etag", "local", "fetched", "is_folder", "gone")  # what a listing is compared with
NO_FOLDER = "this is no folder; choose the folder that it lies in"

Refusals = Callable[[str, str], None]  # told what is left out, and why


class Cloud(Protocol):
    """Whoever lists folders of a server: `batch.nextcloud.client.Nextcloud`."""

    def about(self, path: str) -> Item:
        """One file or folder as it is now."""
        ...

    def list(self, path: str, refused: Refusals) -> Iterator[Item]:
        """What a folder holds, the folder itself first."""
        ...


class Listing:
    """One listing of the folders that an owner has chosen."""

    def __init__(
        self, library: Library, writer: Commits, account: Account, cloud: Cloud, excludes: Sequence[str],
        stopped: Callable[[], bool], taken_along: Callable[[bytes, bytes], None],
        listed: Callable[[int], None] = lambda entries: None,
    ) -> None:  # fmt: skip
        """What is excluded is not asked about, and stays as it is known.

        `taken_along` moves what was fetched from one place in the mirror to another; `listed` is told how many entries
        came.
        """
        self.library, self.writer, self.account, self.cloud = library, writer, account, cloud
        self.excludes, self.stopped, self.taken_along, self.listed = excludes, stopped, taken_along, listed
        self.terms = hashlib.sha256("\0".join(excludes).encode(errors="surrogatepass")).hexdigest()[:8]
        self.skipped: Counter[str] = Counter()
        self.failed: list[tuple[str, str]] = []  # folders and entries that could not be listed, and why
        self.waiting: list[Row] = []  # rows that are committed together, in their order
        self.committed = time.monotonic()

    def run(self, folders: Iterable[str]) -> None:
        """List all below some folders; raises the faults that are about the whole server."""
        try:
            for path in outermost(folders):
                self.chosen(path)
        finally:
            self.commit()
        self.follow_moves()

    def chosen(self, path: str) -> None:
        """List all below a folder that the owner chose; one that is gone is said to be, and what was in it stays."""
        try:
            item = self.cloud.about(path)
            if not item.is_folder:
                self.failed.append((path, NO_FOLDER))
                return
            known = self.library.remotes.get(self.folder_id(path))
            self.write(self.new_folder(item, known))
            self.folder(item, known, path.count("/"))
        except PASSING_OVER as fault:
            self.pass_over(path, fault)

    def folder(self, item: Item, known: Row | None, depth: int) -> bool:
        """List all below a folder that is known so; False when something could not be."""
        if known and not known["gone"] and item.etag and known["etag"] == self.noted(item):
            return True
        if self.stopped() or depth >= MAX_DEPTH:
            return False
        try:
            here, below, whole = self.entries(item.path, known)
        except PASSING_OVER as fault:
            self.pass_over(item.path, fault)
            return False
        for one, before in below:
            whole = self.folder(one, before, depth + 1) and whole
        self.write([self.row(here, self.folder_id(here.path), self.noted(here, whole))])
        return whole

    def write(self, rows: Sequence[Row]) -> None:
        """Have rows committed, soon or now; what comes later never is without what came before."""
        self.waiting += rows
        if len(self.waiting) >= AT_ONCE or time.monotonic() > self.committed + LONGEST_S:
            self.commit()

    def commit(self) -> None:
        """Commit what waits."""
        rows, self.waiting = self.waiting, []
        if rows:
            self.writer.commit([Upsert("remotes", rows_of(rows, SCHEMA))])
        self.committed = time.monotonic()

    def pass_over(self, path: str, fault: ServiceError) -> None:
        """Note that a folder could not be listed; raises when it is not the folder, but the server."""
        if isinstance(fault, AWAY):
            if path == "":
                raise fault
            self.cloud.about("")
        self.failed.append((path or "/", str(fault)))

    def noted(self, item: Item, whole: bool = True) -> str:
        """What is noted as a folder's etag: it counts for these excludes only, and if all below it is listed."""
        return f"{item.etag} {self.terms}" if whole and item.etag else ""

    def entries(self, path: str, known: Row | None) -> tuple[Item, list[tuple[Item, Row | None]], bool]:
        """List one folder, and have what is new in it committed.

        Returns it, the folders in it as they are and were, and whether nothing was left out.
        """
        left_out, row_id = LeftOut(), self.folder_id(path)
        found = self.cloud.list(path, left_out.note)
        here, seen, inside = next(found), set[str](), list[tuple[Item, Row | None]]()
        before = self.library.remotes.below(row_id, KNOWN).to_pylist()  # also of a folder that is not known itself
        rows = {row["remote_id"]: row for row in before}
        taken = {folded(row["local"].rpartition(b"/")[2]) for row in before}
        while some := list(islice(found, AT_ONCE)):
            self.listed(len(some))
            keys = [self.folder_id(item.path) if item.is_folder else self.file_id(item.path) for item in some]
            seen.update(keys)
            below = [(item, rows.get(key)) for item, key in zip(some, keys, strict=True) if self.wanted(item)]
            inside += below
            self.write([row for item, known in below for row in self.new_folder(item, known)])
            self.write([row for item in some if (row := self.file(item, row_id, rows, taken))])
        self.lost([row for key, row in rows.items() if key not in seen and not row["gone"] and row not in left_out])
        self.failed += left_out.told
        self.skipped["cannot be meant"] += left_out.count - len(left_out.told)
        return here, inside, not left_out.count

    def wanted(self, item: Item) -> bool:
        """Whether an entry is a folder that is to be listed."""
        return item.is_folder and not self.excluded(item)

    def new_folder(self, item: Item, known: Row | None) -> list[Row]:
        """The row of a folder that is not known yet, without an etag, as nothing in it is listed; else none."""
        if known and not known["gone"]:
            return []
        return [self.row(item, self.folder_id(item.path), "")]

    def file(self, item: Item, parent_id: str, known: dict[str, Row], taken: set[bytes]) -> Row | None:
        """The row of a file that is new, or another than is known; None for what is no photo's, or as it was."""
        if item.is_folder or self.excluded(item):
            self.skipped["matches an exclude pattern"] += self.excluded(item)
            return None
        if not kind_of(item.path.rpartition("/")[2]):
            self.skipped["not a photo or video"] += 1
            return None
        key = self.file_id(item.path)
        before = known.get(key, {})
        if before and not before["gone"] and before["etag"] == version(item):
            return None
        local = before.get("local") or self.account.local(item.path, taken)
        taken.add(folded(local.rpartition(b"/")[2]))
        kept = {"fetched": before["fetched"]} if before else {}
        return {**kept, **self.row(item, key, version(item)), "parent_id": parent_id, "local": local}

    def row(self, item: Item, key: str, etag: str) -> Row:
        """A row of the table as the server tells of a file or folder."""
        parent = item.path.rpartition("/")[0]
        return {
            "remote_id": key, "account": self.account.mark, "path": item.path, "file_id": item.file_id, "etag": etag,
            "checksum": item.checksum, "is_folder": item.is_folder, "size": item.size, "mtime": item.mtime,
            "parent_id": self.folder_id(parent) if item.path else "", "mtime_ns": version_ns(item),
            "gone": False,
        }  # fmt: skip

    def folder_id(self, path: str) -> str:
        """The id of a folder: another than that of a file which had its name before it."""
        return remote_id(self.account.mark, f"{path}/")

    def file_id(self, path: str) -> str:
        """The id of a file."""
        return remote_id(self.account.mark, path)

    def excluded(self, item: Item) -> bool:
        """Whether the owner leaves a file or folder out."""
        return matches(item.path.rpartition("/")[2], item.path, self.excludes)

    def lost(self, rows: Sequence[Row]) -> None:
        """Commit that entries are gone, folders with all below them; the deepest first.

        A folder that is said to be gone is not looked into again: one that is killed must not leave files in it.
        """
        self.commit()
        levels: list[Sequence[Row]] = []
        while rows:
            levels.append(rows)
            inside = [
                self.library.remotes.below(row["remote_id"], KNOWN).to_pylist() for row in rows if row["is_folder"]
            ]
            rows = [row for some in inside for row in some if not row["gone"]]
        for some in reversed(levels):
            self.mark_gone([row for row in some if row["is_folder"]], {"gone": True, "etag": ""})
            self.mark_gone([row for row in some if not row["is_folder"]], {"gone": True})

    def mark_gone(self, rows: Sequence[Row], said: Row) -> None:
        """Commit the same of some rows."""
        if rows:
            changed = [{"remote_id": row["remote_id"], **said} for row in rows]
            self.writer.commit([Update("remotes", changes_of(changed, SCHEMA))])

    def follow_moves(self) -> None:
        """Note of files that are new where they are that their bytes were fetched from where they were."""
        new = ~col("gone") & ~col("is_folder") & (col("fetched") == lit("")) & (col("file_id") != lit(""))
        for batch in self.library.remotes.batches(of(self.account.mark) & new):
            rows = batch.to_pylist()
            found = self.library.remotes.moved_away(self.account.mark, [row["file_id"] for row in rows])
            before = {row["file_id"]: row for row in found}
            changed = [one for row in rows for one in self.moved(row, before.pop(row["file_id"], None))]
            if changed:
                self.writer.commit([Update("remotes", changes_of(changed, SCHEMA))])

    def moved(self, row: Row, before: Row | None) -> list[Row]:
        """Take along a moved file's bytes, if they are still the same; what changes in the rows."""
        if before is None or before["fetched"] != row["etag"] or before["size"] != row["size"]:
            return []
        self.taken_along(before["local"], row["local"])
        same = {"remote_id": row["remote_id"], "fetched": before["fetched"]}
        return [same, {"remote_id": before["remote_id"], "fetched": ""}]


class LeftOut:
    """Entries of one folder's listing that cannot be meant, and so are left out. They may be there all the same."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.count = 0
        self.names = set[str]()

    def note(self, href: str, reason: str) -> None:
        """Note one; of very many not each is told."""
        self.count += 1
        self.names.add(unquote(href.rstrip("/").rpartition("/")[2]) if len(href) < LONGEST_HREF else "")
        if self.count <= MOST_TOLD:
            self.told.append((href, f"this entry is left out: {reason}"))

    def __contains__(self, row: Row) -> bool:
        """Whether a known file or folder may be one of them: anything may where one has no name that can be read."""
        return "" in self.names or row["path"].rpartition("/")[2] in self.names


def outermost(folders: Iterable[str]) -> list[str]:
    """Folders without those that lie in another of them."""
    chosen: list[str] = []
    for path in sorted(set(folders)):
        if not any(one == "" or path.startswith(f"{one}/") for one in chosen):
            chosen.append(path)
    return chosen
