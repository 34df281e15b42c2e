"""What a power loss leaves behind: newest versions in empty, cut or lost files, set aside for the one before.

Only versions nobody was told of can be torn, because every commit is flushed before it is acknowledged. Nothing is
deleted: a torn manifest gets another name. Damage to older files is not repaired here; backups are for that.
"""

import logging
import re
import struct
import uuid
from collections.abc import Iterator
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

from cluster.errors import StoreError

MAGIC = b"LANC"  # the last bytes of every whole manifest, data file and index file
FOOTER = 16
FIRST = f"{2**64 - 1 - 1}.manifest"  # version 1; names count down from 2^64 - 1
AT_ONCE_S = 120  # a kernel writes everything back sooner; a file older than the newest manifest by more was on disk
UNFLUSHED = 10  # newest versions that a power loss can take files from: each flush covers fewer commits of a table
DELETIONS = re.compile(r"\d+-\d+-(\d+)\.(arrow|bin)")  # fragment, version, id
ARROW = b"ARROW1"  # the first and the last bytes of every whole Arrow file
BITMAP = 12346  # the first number of a Roaring bitmap in its portable format
FEW = 4096  # so many numbers in a part of a Roaring bitmap stand one after the other; more are a bit each, in 8 KiB
FRAGMENT = 2  # the field of a manifest that holds a fragment
DATA, DELETION = 2, 3  # the fields of a fragment that hold a data file and the deletion file

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
    """The newest manifests of a table's folder that are cut or name a cut or lost file, up to one that is well."""
    newest_first = manifests(table)
    if not newest_first:
        return []
    since = newest_first[0].stat().st_mtime - AT_ONCE_S
    files = list(contents(table))
    marks = [marking(file) for file in files if recent(file, since) and not whole(file)]
    there = {f"{file.parent.name}/{file.name}" for file in files}

    def well(manifest: Path) -> bool:
        return whole(manifest) and not names_any(manifest, marks) and named(manifest) <= there

    if well(newest_first[0]):
        return []
    # What an older version lacks as well was not lost with the power: giving up the newer ones would not bring it back.
    latest = newest_first[: UNFLUSHED + 1]
    there |= named(next((old for old in latest if not recent(old, since)), latest[-1]))
    return list(takewhile(lambda manifest: not well(manifest), newest_first))


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
        if DELETIONS.fullmatch(file.name):
            return whole_deletion(file.read_bytes(), file.suffix)
        return last_bytes(file).endswith(MAGIC)
    except FileNotFoundError:  # cleaned up just now
        return True


def last_bytes(file: Path) -> bytes:
    """The end of a file."""
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - FOOTER))
        return opened.read()


def whole_deletion(content: bytes, ending: str) -> bool:
    """Whether the numbers of a fragment's deleted rows are all there: an Arrow file, or a bitmap when they are many."""
    if ending == ".bin":
        return whole_bitmap(content)
    return len(content) > 2 * len(ARROW) and content.startswith(ARROW) and content.endswith(ARROW)


def whole_bitmap(content: bytes) -> bool:
    """Whether a Roaring bitmap in its portable format ends where it says, with as many numbers as it says."""
    if len(content) < 8:
        return False
    kind: int
    parts: int
    kind, parts = struct.unpack_from("<II", content)
    if kind != BITMAP:
        return kind & 0xFFFF == BITMAP + 1  # with runs, which Lance does not write: not judged
    at = 8 + 8 * parts
    for part in range(parts if len(content) >= at else 0):
        count = struct.unpack_from("<H", content, 8 + 4 * part + 2)[0] + 1
        size = 2 * count if count <= FEW else 2 * FEW
        if not holds(content[at : at + size], size, count):
            return False
        at += size
    return at == len(content)


def holds(part: bytes, size: int, count: int) -> bool:
    """Whether a part of a Roaring bitmap has its size and holds so many numbers: one after the other, or as bits."""
    if len(part) < size:
        return False
    if count > FEW:
        return int.from_bytes(part, "little").bit_count() == count
    return all(one < next_one for one, next_one in pairwise(struct.unpack(f"<{count}H", part)))


def names_any(manifest: Path, marks: list[bytes]) -> bool:
    """Whether a manifest names one of the marked files."""
    text = content(manifest) if marks else b""
    return any(mark in text for mark in marks)


def content(manifest: Path) -> bytes:
    """The bytes of a manifest; none for one that another process cleans up just now."""
    try:
        return manifest.read_bytes()
    except FileNotFoundError:
        return b""


def named(manifest: Path) -> set[str]:
    """The data and deletion files that a manifest names, as they lie in the table's folder; none if it is not whole.

    Reads Lance's table format: 20 ms for 3000 fragments (measured). What it cannot read it says nothing of.
    """
    try:
        fragments = [value for number, value in fields(message(content(manifest))) if number == FRAGMENT]
        return {file for fragment in fragments for file in files_of(fragment)}
    except (IndexError, KeyError, TypeError, ValueError, struct.error):
        return set()


def message(manifest: bytes) -> bytes:
    """The protocol buffer in a manifest: where it begins stands at the end, and its length where it begins."""
    (start,) = struct.unpack_from("<Q", manifest, len(manifest) - FOOTER)
    (length,) = struct.unpack_from("<I", manifest, start)
    return manifest[start + 4 : start + 4 + length]


def files_of(fragment: bytes) -> Iterator[str]:
    """The files of one fragment; numbers that are 0 are not written."""
    parts = list(fields(fragment))
    for number, part in parts:
        if number == DATA:
            yield f"data/{dict(fields(part))[1].decode()}"
        elif number == DELETION:
            deletion = dict(fields(part))
            ending = "bin" if deletion.get(1) else "arrow"
            yield f"_deletions/{dict(parts).get(1, 0)}-{deletion.get(2, 0)}-{deletion.get(3, 0)}.{ending}"


def fields(text: bytes) -> Iterator[tuple[int, Any]]:
    """The numbers and values of the fields of a protocol buffer: an int, or bytes that are not looked into."""
    at = 0
    while at < len(text):
        tag, at = read_varint(text, at)
        if (kind := tag & 7) == 0:
            value, at = read_varint(text, at)
            yield tag >> 3, value
            continue
        size, at = read_varint(text, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        yield tag >> 3, text[at : at + size]
        at += size


def read_varint(text: bytes, at: int) -> tuple[int, int]:
    """A number as protocol buffers write it, and where it ends."""
    number = shift = 0
    while text[at] > 0x7F:
        number |= (text[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return number | text[at] << shift, at + 1


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
