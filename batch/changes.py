"""What a walk found against what the store remembers: groups to read, files gone, files left as they are. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from batch.discover import Entry, Folder
from batch.ingest import FileSeen, Group
from batch.variants import SIDECAR, stem


class Known(msgspec.Struct, frozen=True):
    """A file as the store remembers it."""

    file_id: str
    path: bytes
    kind: str
    size: int
    mtime_ns: int
    content_id: str
    photo_id: str
    state: str  # ok, failed or missing


class Changes(msgspec.Struct):
    """What is to be done about some folders. Every file of theirs is counted once."""

    groups: list[Group] = []
    reading: int = 0  # files in the groups that count as changed
    unchanged: int = 0
    failing: int = 0  # unchanged files that could not be read when they were tried
    vanished: list[Known] = []


COLUMNS = list(Known.__struct_fields__)


def known_of(row: Mapping[str, Any]) -> Known:
    """A row of the table `files`."""
    return Known(**{name: row[name] for name in COLUMNS})


def changes(folders: Iterable[Folder], known: Mapping[bytes, Known], force: frozenset[bytes] = frozenset()) -> Changes:
    """Compare folders with the files known in them; `force` are paths to read again though nothing changed."""
    found = Changes()
    here = {file.path: file for folder in folders for file in folder.files}
    found.vanished = [file for path, file in known.items() if path not in here and file.state != "missing"]
    gone = {stem(file.path) for file in found.vanished if file.kind != SIDECAR}
    groups: dict[bytes, list[FileSeen]] = defaultdict(list)
    for path, entry in here.items():
        groups[stem(path)].append(seen(entry, known.get(path), path in force))
    for key, files in groups.items():
        sort(found, files, known, main_gone=key in gone)
    return found


def sort(found: Changes, files: list[FileSeen], known: Mapping[bytes, Known], main_gone: bool) -> None:
    """Put a group among those to be read, or count its files as left alone."""
    changed = [file for file in files if file.changed]
    if changed or main_gone:
        found.groups.append(Group(files))
        found.reading += len(changed)
    for file in files:
        if not file.changed:
            failing = known[file.path].state == "failed"
            found.failing += failing
            found.unchanged += not failing


def seen(entry: Entry, known: Known | None, forced: bool) -> FileSeen:
    """A listed file with what the store remembers of it."""
    if known is None:
        return FileSeen(entry.path, entry.kind, entry.size, entry.mtime_ns, changed=True)
    same = (known.size, known.mtime_ns) == (entry.size, entry.mtime_ns) and known.state != "missing"
    return FileSeen(
        entry.path, entry.kind, entry.size, entry.mtime_ns, forced or not same, known.content_id, known.photo_id
    )
