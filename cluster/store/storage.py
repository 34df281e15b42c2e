"""How much of the disk a library takes: its originals, its derived pictures, its database.

Sizes of files are summed from rows that know them; only the few files of a database are looked at. Sizes are those of
the files' contents, which `df` rounds up to blocks.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from cluster.settings import Settings
from cluster.store.connection import Connection
from cluster.store.database import Library

COLUMNS = ["kind", "missing", "media_rev", "media_error", "derived_bytes"]


class Storage(msgspec.Struct, frozen=True):
    """What a library takes, in bytes, and of how many photos."""

    photos: int = 0  # videos too, missing ones not
    videos: int = 0
    originals: int = 0  # files that are there, sidecars too
    derived: int = 0  # previews and thumbnails, of missing photos too
    uncounted: int = 0  # photos whose derived pictures nobody counted; a full scan does
    database: int | None = 0  # None when it is not on a disk of ours


def storage(library: Library) -> Storage:
    """What a library takes now; reads narrow columns of all its photos and files."""
    parts = [sums(pa.Table.from_batches([batch])) for batch in library.photos.batches(columns=COLUMNS)]
    photos, videos, derived, uncounted = (sum(column) for column in zip(*parts, strict=True)) if parts else [0] * 4
    originals = library.files.bytes_stored()
    return Storage(photos, videos, originals, derived, uncounted, size_of(library.database))


def sums(rows: pa.Table) -> tuple[int, int, int, int]:
    """Photos, videos, bytes of derived pictures, and photos that have some which nobody counted."""
    there = pc.invert(rows["missing"])
    videos = pc.and_(there, pc.equal(rows["kind"], "video"))
    viewable = pc.and_(pc.not_equal(rows["media_rev"], ""), pc.equal(rows["media_error"], ""))
    uncounted = pc.and_(viewable, pc.is_null(rows["derived_bytes"]))
    counted = [int(pc.sum(which).as_py() or 0) for which in (there, videos, rows["derived_bytes"], uncounted)]
    return counted[0], counted[1], counted[2], counted[3]


def begun(settings: Settings, user_id: str) -> bool:
    """Whether a user has a library: to open one is to make it."""
    return "://" in settings.store_uri or Path(settings.store_uri, "libraries", user_id).is_dir()


def size_of(database: Connection) -> int | None:
    """The bytes of a database's files; None for one in an object store, which is not asked."""
    return None if database.folder is None else sum(sizes(database.folder))


def sizes(folder: Path) -> Iterator[int]:
    """The sizes of the files below a folder; what is cleaned up meanwhile has none."""
    for above, _, names in os.walk(folder):
        for name in names:
            try:
                about = os.lstat(os.path.join(above, name))
            except OSError:
                continue
            if stat.S_ISREG(about.st_mode):
                yield about.st_size
