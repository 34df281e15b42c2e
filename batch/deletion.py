"""Delete missing photos, those none of whose files is there any more: what it would do, and doing it. Can be undone.

A photo goes when none of its pictures and videos is in the folder at that moment, whether a scan has marked it as
missing or not - a scan marks none when too many vanish at once. What no scan has marked goes only for who says how many
photos go. The guard is asked before each batch, after looking for its files: a disk that goes away meanwhile deletes
nothing. Photos go to the trash (`trash.py`); their files, originals and sidecars, are never touched.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from lancedb.expr import col, lit

from batch import rows
from batch.guard import Disk, Guard
from batch.mirror import lost_files
from batch.plan import MOST_NAMES, Plan
from batch.rows import Row
from batch.sink import Commits
from batch.trash import Taken, take_out, unpacked
from batch.turns import DELETE_MISSING
from batch.variants import SIDECAR
from cluster.errors import Conflict
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.files import NEXTCLOUD
from cluster.store.table import Table

AT_ONCE = 500  # photos moved into the trash in one commit


class Lost(msgspec.Struct, frozen=True):
    """The photos none of whose files is there now, by name."""

    photo_ids: list[str]
    names: list[str]
    unmarked: int  # of them, that no scan has marked as missing
    bytes: int  # of their derived pictures


class Deletion:
    """Deletes the missing photos of one library."""

    def __init__(self, settings: Settings, library: Library, root: Path) -> None:
        """`root` is the owner's folder; `library` must see every commit where photos are deleted."""
        self.library, self.root = library, os.fsencode(root)
        self.guard = Guard(library, self.root, settings.scan.vanish_share)
        self.elsewhere = lost_files(library)  # on a Nextcloud, by its last listing: nobody looks there again

    def lost(self) -> Lost:
        """Look for every file that the library knows."""
        disk, pictures = Disk(self.root), col("kind") != lit(SIDECAR)
        batches = self.library.files.batches(pictures, ["photo_id", "path", "source"])
        found = [(file["photo_id"], self.is_gone(file, disk)) for some in batches for file in some.to_pylist()]
        there, known = {photo_id for photo_id, gone in found if not gone}, {photo_id for photo_id, _ in found}
        columns = ["photo_id", "name", "missing", "derived_bytes"]
        photos = [photo for batch in self.library.photos.batches(None, columns) for photo in batch.to_pylist()]
        half = self.half_deleted([one["photo_id"] for one in photos if one["photo_id"] not in known])
        there |= {file["photo_id"] for file in half if file["kind"] != SIDECAR and not self.is_gone(file, disk)}
        gone = [one for one in photos if one["photo_id"] not in there]
        gone.sort(key=lambda one: (one["name"], one["photo_id"]))
        return Lost(
            [one["photo_id"] for one in gone], [one["name"] for one in gone],
            sum(not one["missing"] for one in gone), sum(one["derived_bytes"] or 0 for one in gone),
        )  # fmt: skip

    def is_gone(self, file: Row, disk: Disk) -> bool:
        """Whether a file is surely not where it was."""
        return file["path"] in self.elsewhere if file["source"] == NEXTCLOUD else disk.is_gone(file["path"])

    def refused(self, lost: Lost, confirm: int | None, done: int = 0) -> str:
        """Why these photos are not deleted, and what to do; "" when they are. `done` have been by this very job."""
        if away := self.away():
            return away
        photos = len(lost.photo_ids) + done
        if confirm is None and lost.unmarked:
            return (
                f"Of {photos:,} photos whose files are gone, no scan has marked {lost.unmarked:,} as missing: none has "
                f"looked since, or so many vanished at once that the disk may be at fault. Scan first, so that files "
                f"which were only moved are found. If they were deleted, confirm with the number {photos}."
            )
        # Of a job that goes on, some photos may have come back meanwhile.
        if confirm is not None and not (confirm == photos or (done and confirm > photos)):
            return f"{photos:,} photos are missing now, not {confirm:,}. Look again at which, and confirm that number."
        return ""

    def away(self) -> str:
        """Why the owner's folder is not believed to be there; "" where none of its files is known, or it is."""
        all_theirs = self.library.files.count() and not self.library.files.count(col("source") != lit(NEXTCLOUD))
        return "" if all_theirs else self.guard.away()

    def plan(self) -> Plan:
        """What deleting would do."""
        lost = self.lost()
        counts = {
            "photos": len(lost.photo_ids), "unmarked": lost.unmarked,
            "files": self.having(self.library.files, lost.photo_ids),
            "faces": self.having(self.library.faces, lost.photo_ids),
        }  # fmt: skip
        return Plan(
            action=DELETE_MISSING, counts=counts, names=lost.names[:MOST_NAMES], bytes=lost.bytes,
            refused=self.refused(lost, None), confirm=len(lost.photo_ids) if lost.unmarked and not self.away() else 0,
        )  # fmt: skip

    def having(self, table: Table, photo_ids: Sequence[str]) -> int:
        """How many rows of a table are of some photos."""
        pieces = [photo_ids[start : start + AT_ONCE] for start in range(0, len(photo_ids), AT_ONCE)]
        return sum(table.count(col("photo_id").isin(list(piece))) for piece in pieces)

    def run(
        self, writer: Commits, job_id: str, by: str, confirm: int | None,
        stopped: Callable[[], bool], advance: Callable[[int, int], None],
    ) -> dict[str, int]:  # fmt: skip
        """Delete, batch by batch, until done or stopped; returns what a job tells. Raises Conflict when refused."""
        lost, taken = self.lost(), Taken(job_id, by, rows.now_utc())
        if why := self.refused(lost, confirm, self.done_before(job_id, lost)):
            raise Conflict(why)
        deleted = back = 0
        for start in range(0, len(lost.photo_ids), AT_ONCE):
            if stopped():
                break
            some = lost.photo_ids[start : start + AT_ONCE]
            photos, files = self.still_lost(some)
            if away := self.away():
                raise Conflict(away)
            take_out(self.library, writer, photos, files, taken)
            deleted, back = deleted + len(photos), back + len(some) - len(photos)
            advance(len(some), 0)
        return {"photos_deleted": deleted, **({"photos_back": back} if back else {})}

    def done_before(self, job_id: str, lost: Lost) -> int:
        """How many photos an attempt of this job has deleted already, whole."""
        gone = self.library.trash.of_action(job_id, ["photo_id"])["photo_id"]
        return len(set(gone.to_pylist()) - set(lost.photo_ids))

    def half_deleted(self, photo_ids: Sequence[str]) -> list[Row]:
        """The files of photos that have none: an attempt that came to no end has put their rows into the trash."""
        kept = unpacked(self.library, photo_ids)
        return kept["files"].to_pylist() if "files" in kept else []

    def still_lost(self, photo_ids: Sequence[str]) -> tuple[list[Row], list[Row]]:
        """The photos of some that are there no more, now, and their files, as rows that say so."""
        disk, files = Disk(self.root), self.library.files.of_photos(photo_ids).to_pylist()
        files += self.half_deleted(sorted({*photo_ids} - {file["photo_id"] for file in files}))
        gone = {file["file_id"] for file in files if self.is_gone(file, disk)}
        there = {file["photo_id"] for file in files if file["kind"] != SIDECAR and file["file_id"] not in gone}
        files = [{**file, "state": "missing"} if file["file_id"] in gone else file for file in files]
        own: dict[str, list[Row]] = {photo_id: [] for photo_id in photo_ids if photo_id not in there}
        for file in files:
            if file["photo_id"] in own:
                own[file["photo_id"]].append(file)
        photos = self.library.photos.by_keys(list(own)).to_pylist()
        marked = [
            photo if photo["missing"] else {**photo, **rows.standing_row(photo, own[photo["photo_id"]])}
            for photo in photos
        ]
        return marked, [file for photo in marked for file in own[photo["photo_id"]]]


def foresee(settings: Settings, library: Library, root: Path) -> Plan:
    """What `delete-missing` would do now: counts of photos, files, faces and photos that no scan has marked.

    Where `refused` says that a number is to be confirmed, it is that of the photos.
    """
    return Deletion(settings, library, root).plan()


def delete_missing(
    settings: Settings, library: Library, writer: Commits, root: Path, job_id: str, by: str, confirm: int | None = None,
    stopped: Callable[[], bool] = lambda: False, advance: Callable[[int, int], None] = lambda done, failed: None,
) -> dict[str, int]:  # fmt: skip
    """Move the missing photos of a library into the trash; may be stopped between batches, and run again.

    `by` is a user_id, `advance` is told (done, failed) photos. Returns counts. Raises Conflict when refused.
    """
    return Deletion(settings, library, root).run(writer, job_id, by, confirm, stopped, advance)
