"""What was fetched from a Nextcloud, is gone there and that nothing in the library is about any more: it goes at last.

While a photo is missing, or in the trash, its file stays here: restoring brings it back whole. Only when neither has
been so for `store.trash_days` is it deleted from our disk; the server's own files are never touched.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from lancedb.expr import col

from batch.rows import Row
from batch.sink import Commits
from cluster.store.database import Library
from cluster.store.files import NEXTCLOUD
from cluster.store.paths import file_id
from cluster.store.remotes import SCHEMA
from cluster.store.schema import changes_of
from cluster.store.writer import Delete, Update

AT_ONCE = 500
COLUMNS = ("remote_id", "is_folder", "local", "unused_since")


def forget_unused(library: Library, writer: Commits, mirror: Path, lasts: timedelta, now: datetime) -> int:
    """Delete what has been unused for so long, and note what is from now on; returns how many files are deleted."""
    gone = library.remotes.rows(col("gone"), COLUMNS).to_pylist()
    return sum(some(library, writer, mirror, gone[at : at + AT_ONCE], now - lasts, now)
               for at in range(0, len(gone), AT_ONCE))  # fmt: skip


def some(library: Library, writer: Commits, mirror: Path, gone: Sequence[Row], before: datetime, now: datetime) -> int:
    """Do so for some rows of what is gone."""
    ids = {row["remote_id"]: file_id(NEXTCLOUD, row["local"]) for row in gone}
    used = set(library.files.by_keys(list(ids.values()), ["file_id"])["file_id"].to_pylist())
    unused = [row for row in gone if row["is_folder"] or ids[row["remote_id"]] not in used]
    old = [row for row in unused if row["is_folder"] or (row["unused_since"] and row["unused_since"] < before)]
    for row in old:
        if not row["is_folder"]:
            delete(mirror, row["local"])
    fresh = [row for row in unused if not row["is_folder"] and not row["unused_since"]]
    again = [row for row in gone if row["unused_since"] and row not in unused]
    if old:
        writer.commit([Delete("remotes", "remote_id", [row["remote_id"] for row in old])])
    if noted := [*(since(row, now) for row in fresh), *(since(row, None) for row in again)]:
        writer.commit([Update("remotes", changes_of(noted, SCHEMA))])
    return sum(not row["is_folder"] for row in old)


def since(row: Row, when: datetime | None) -> Row:
    """A change that says since when a file is unused."""
    return {"remote_id": row["remote_id"], "unused_since": when}


def delete(mirror: Path, local: bytes) -> None:
    """Delete a file of the mirror, and the folders that are empty then."""
    path = mirror / os.fsdecode(local)
    path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or not there
        for folder in path.parents:
            if folder == mirror:
                return
            folder.rmdir()
