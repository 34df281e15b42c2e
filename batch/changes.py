"""What a walk found against what the store remembers: groups to read, files gone, files left as they are. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from batch.discover import Entry, Folder
from batch.ingest import FileSeen, Group
from batch.variants import SIDECAR, photos_of, stem

NEVER = -1  # a modification time that no file has: what is remembered with it is made anew


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
    error: str = ""
    tries: int = 0  # that failed


class Changes(msgspec.Struct):
    """What is to be done about some folders. Every file of theirs is counted once."""

    groups: list[Group] = []
    bereft: list[Group] = []  # nothing in them changed, but a file beside them is gone: read once it is known whereto
    reading: int = 0  # files in the groups that count as changed
    unchanged: int = 0
    failing: list[Known] = []  # unchanged files that could not be read when they were tried
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
    mains = {stem(file.path) for file in found.vanished if file.kind != SIDECAR}
    sidecars = {stem(file.path) for file in found.vanished if file.kind == SIDECAR}
    alike: dict[bytes, list[FileSeen]] = defaultdict(list)
    for path, entry in here.items():
        alike[stem(path)].append(seen(entry, known.get(path), path in force))
    for key, files in alike.items():
        for photo in photos_of(files):
            sort(found, photo, known, key in mains, key in sidecars)
    return found


def sort(
    found: Changes, files: list[FileSeen], known: Mapping[bytes, Known], main_gone: bool, sidecar_gone: bool
) -> None:
    """Put a group among those to be read, or count its files as left alone."""
    changed = [file for file in files if file.changed]
    left = [known[file.path] for file in files if not file.changed]
    if changed or sidecar_gone:
        remembered = [known[file.path] for file in changed if file.path in known]
        forced = any(file.mtime_ns == NEVER for file in remembered) or any(file.force for file in changed)
        found.groups.append(Group(files, forced))
    elif main_gone:
        found.bereft.append(Group(files))
    found.reading += len(changed)
    failing = [file for file in left if file.state == "failed"]
    found.failing += failing
    found.unchanged += len(left) - len(failing)


def seen(entry: Entry, known: Known | None, forced: bool) -> FileSeen:
    """A listed file with what the store remembers of it."""
    listed = (entry.path, entry.kind, entry.size, entry.mtime_ns)
    if known is None:
        return FileSeen(*listed, changed=True)
    same = (known.size, known.mtime_ns) == (entry.size, entry.mtime_ns) and known.state != "missing"
    return FileSeen(*listed, forced or not same, known.content_id, known.photo_id, known.tries, forced)
