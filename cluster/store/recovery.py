"""What a power loss leaves behind: newest versions as empty or cut files, set aside so that the one before serves.

Only versions nobody was told of can be torn, because every commit is flushed before it is acknowledged. Nothing is
deleted: a torn manifest gets another name. Damage to older files is not repaired here; backups are for that.
"""

import logging
import re
import uuid
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from cluster.errors import StoreError

MAGIC = b"LANC"  # the last bytes of every whole manifest, data file and index file
FOOTER = 16
FIRST = f"{2**64 - 1 - 1}.manifest"  # version 1; names count down from 2^64 - 1
AT_ONCE_S = 120  # a kernel writes everything back sooner; a file older than the newest manifest by more was on disk
DELETIONS = re.compile(r"\d+-\d+-(\d+)\.(arrow|bin)")  # fragment, version, id

log = logging.getLogger(__name__)


def manifests(table: Path) -> list[Path]:
    """The manifests of a table's folder, newest version first."""
    return sorted((table / "_versions").glob("*.manifest"))


def set_torn_aside(table: Path) -> int:
    """Rename the torn newest manifests of a table's folder and return how many; only for who holds the table's lock.

    Raises StoreError when that would leave nothing of a table that once had more than its first version.
    """
    damaged = torn(table)
    if damaged and len(damaged) == len(manifests(table)) and damaged[-1].name != FIRST:
        raise StoreError(f"{table}: no version of this table is readable; restore the store from a backup.")
    for manifest in damaged:
        log.warning("%s is torn, as after a power loss: set aside, the version before it serves", manifest)
        manifest.rename(manifest.with_suffix(".manifest.torn"))
    return len(damaged)


def torn(table: Path) -> list[Path]:
    """The newest manifests of a table's folder that are cut or name a cut file, up to the first that is well."""
    newest_first = manifests(table)
    if not newest_first:
        return []
    since = newest_first[0].stat().st_mtime - AT_ONCE_S
    marks = [marking(file) for file in contents(table) if recent(file, since) and not whole(file)]
    return list(takewhile(lambda manifest: not whole(manifest) or names_any(manifest, marks), newest_first))


def contents(table: Path) -> Iterator[Path]:
    """The files that manifests of a table's folder name: data, deletions, indexes."""
    yield from (table / "data").glob("*.lance")
    yield from (table / "_deletions").glob("*")
    yield from (table / "_indices").glob("*/*")


def recent(file: Path, since: float) -> bool:
    """Whether a file is there and was written after a moment, in seconds since 1970."""
    try:
        return file.stat().st_mtime >= since
    except FileNotFoundError:  # an old version, which another process cleans up just now
        return False


def whole(file: Path) -> bool:
    """Whether a file was written to its end."""
    try:
        end, size = last_bytes(file)
    except FileNotFoundError:  # cleaned up just now
        return True
    if DELETIONS.fullmatch(file.name):  # these end in no mark
        return size > 0
    return end.endswith(MAGIC)


def last_bytes(file: Path) -> tuple[bytes, int]:
    """The end of a file, and its size."""
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - FOOTER))
        return opened.read(), size


def names_any(manifest: Path, marks: list[bytes]) -> bool:
    """Whether a manifest names one of the marked files."""
    text = manifest.read_bytes() if marks else b""
    return any(mark in text for mark in marks)


def marking(file: Path) -> bytes:
    """The bytes that stand in a manifest for a file: an index's id, a deletion's number, a data file's name."""
    if file.parent.parent.name == "_indices":
        return uuid.UUID(file.parent.name).bytes
    if deletion := DELETIONS.fullmatch(file.name):
        return varint(int(deletion[1]))
    return file.name.encode()


def varint(number: int) -> bytes:
    """A number as protocol buffers write it."""
    text = bytearray()
    while number > 0x7F:
        text.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*text, number])
