"""Where files come from: a source has a name, which its files' rows carry, and a folder that their paths begin in.

A scan is a scan of one source. Here is the owner's own folder; what is in their Nextcloud is `mirror.py`'s.
"""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col, lit

from batch.changes import COLUMNS, Known, known_of
from batch.discover import Folder, is_gone, walk
from batch.guard import Guard
from batch.ingest import FileRead, Group
from cluster.errors import Invalid
from cluster.store.database import Library
from cluster.store.files import FOLDER
from cluster.store.paths import display


class Fetched(msgspec.Struct, frozen=True):
    """Groups whose files are there now, and the files that could not be had."""

    groups: Sequence[Group]
    failed: Sequence[FileRead] = ()


class Source(Protocol):
    """Where the files of a scan come from."""

    name: str
    root: bytes  # the folder, which may not have all of them

    def look(self) -> None:
        """Make sure that it is there, and learn what is in it; raises ServiceError."""
        ...

    def walk(self, skip: Sequence[str]) -> Iterator[Folder]:
        """Every folder of it with its files."""
        ...

    def is_gone(self, path: bytes) -> bool:
        """Whether a file is surely not in it any more."""
        ...

    def guard(self, library: Library, share: float, job_id: str) -> Guard:
        """What says whether it is really there."""
        ...

    def fetch(self, groups: Sequence[Group], stopped: Callable[[], bool]) -> Iterator[Fetched]:
        """The groups, some at a time, with their files in the folder, to be read at once."""
        ...

    def release(self, fetched: Fetched) -> None:
        """These groups have been read, and what they are is committed."""
        ...


class OwnFolder:
    """A folder of the owner's, on a disk of this machine or mounted: its files lie where they are read."""

    name = FOLDER

    def __init__(self, root: bytes) -> None:
        self.root = root

    def look(self) -> None:
        """Make sure that it is there; raises Invalid."""
        if not os.path.isdir(self.root):
            raise Invalid(f"the folder {display(self.root)} is not there; mount it, or set another scan directory")

    def walk(self, skip: Sequence[str]) -> Iterator[Folder]:
        """Every folder below it, as it is now."""
        return walk(self.root, skip)

    def is_gone(self, path: bytes) -> bool:
        """Whether a file is surely not there."""
        return is_gone(self.root, path)

    def guard(self, library: Library, share: float, job_id: str) -> Guard:
        """The guard of the folder."""
        return Guard(library, self.root, share, job_id)

    def fetch(self, groups: Sequence[Group], stopped: Callable[[], bool]) -> Iterator[Fetched]:
        """All groups at once."""
        yield Fetched(groups)

    def release(self, fetched: Fetched) -> None:
        """Nothing is to be done: originals stay as they are."""


def unvisited(library: Library, source: str, visited: Collection[str]) -> Iterator[Known]:
    """Known files of a source in folders other than some, by the ids of these."""
    there = (col("source") == lit(source)) & (col("state") != lit("missing"))
    seen = pa.array(sorted(visited), pa.string())
    for batch in library.files.batches(there, [*COLUMNS, "dir_id"]):
        for row in batch.filter(pc.invert(pc.is_in(batch["dir_id"], seen))).to_pylist():
            yield known_of(row)
