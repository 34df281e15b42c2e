"""What is kept of an act: all that its writes change, as it was before, and what the act is called.

Committed with those writes, and before any of them, so that what a kill cut off can be taken back too. Taking back is
`undoing.py`'s business, what is said `naming.py`'s. How many faces a photo has is not kept: it follows from the faces.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import uuid4

import msgspec
import pyarrow as pa

from batch.packing import Rows, fitted, opened, packed
from batch.sink import Commits
from cluster.store.acts import SCHEMA, Act
from cluster.store.database import Library
from cluster.store.schema import rows_of
from cluster.store.writer import Delete, Upsert, Write

LABEL, CONFIRM, REJECT, UNLABEL, DELETE, ADD = "label", "confirm", "reject", "unlabel", "delete", "add"
RENAME, MERGE, SPLIT, HIDE, SHOW, COVER = "rename", "merge", "split", "hide", "show", "cover"
TIMES = ("made_at", "created_at", "changed_at")  # another one alone changes nothing
DERIVED = "photos"  # the table of which nothing is kept
MADE, SHOWN = "made", "shown"  # beside the rows by table: the keys that were not there, and what the photos showed
KEYS = pa.schema([pa.field("table", pa.string()), pa.field("key", pa.string())])
PICTURES = ("photo_id", "content_id")
SOMEBODY = "somebody without a name"


class Said(msgspec.Struct, frozen=True):
    """Of whom something is said, by whom and when."""

    kind: str
    names: Sequence[str]  # "" for somebody without a name
    by: str  # user_id
    at: datetime


class Kept(msgspec.Struct, frozen=True):
    """What an act changed, as it was before."""

    rows: Rows  # by table, all of them of today
    made: dict[str, set[str]]  # by table, the keys of rows that were not there
    shown: dict[str, str]  # the content that each photo had


def recorded(library: Library, said: Said, writes: Sequence[Write]) -> list[Write]:
    """The write that keeps an act; none where what was said is so already."""
    kept = [write for write in writes if write.table != DERIVED]
    before = present(library, kept)
    if not any(different(write, before[write.table], library.table(write.table).key) for write in kept):
        return []
    touched = sorted({*about(kept, before), *(f"people/{key}" for key in keys_of(library, kept).get("people", ()))})
    act = {
        "act_id": uuid4().hex, "number": library.acts.following(), "kind": said.kind, "names": list(said.names),
        "faces": sum(one.startswith("faces/") for one in touched), "made_by": said.by, "made_at": said.at,
        "touched": touched, "meant": sorted(meant(kept)),
        "rows": packed({**before, MADE: made(library, kept, before), SHOWN: shown(library, kept, before)}),
    }  # fmt: skip
    return [Upsert("acts", rows_of([act], SCHEMA))]


def kept_of(library: Library, record: bytes) -> Kept:
    """What was kept, in the shape of today's tables; rows of a table that is no more are left out."""
    parts = opened(record)
    made: dict[str, set[str]] = {name: set() for name in tables_of(library)}
    for row in parts[MADE].to_pylist():
        made.setdefault(row["table"], set()).add(row["key"])
    rows = {
        name: fitted(parts[name], library.table(name).schema)
        if name in parts
        else rows_of([], library.table(name).schema)
        for name in tables_of(library)
    }
    return Kept(rows, made, {row["photo_id"]: row["content_id"] for row in parts[SHOWN].to_pylist()})


def tables_of(library: Library) -> list[str]:
    """The tables that acts change."""
    vectors = [library.registry.find(model) for model in library.models()]
    return ["people", "facts", *[table.name for table in vectors if table], "faces"]


def keys_of(library: Library, writes: Iterable[Write]) -> dict[str, list[str]]:
    """The keys of the rows that writes are about, by table; raises ValueError for a deletion by no key."""
    found: dict[str, list[str]] = {}
    for write in writes:
        key = library.table(write.table).key
        if isinstance(write, Delete) and write.column != key:
            raise ValueError(f"what is deleted from {write.table} by {write.column} could not be put back")
        keys = list(write.values) if isinstance(write, Delete) else write.rows[key].to_pylist()
        found.setdefault(write.table, []).extend(keys)
    return found


def present(library: Library, writes: Iterable[Write]) -> Rows:
    """The rows that writes are about, as they are now."""
    return {name: library.table(name).by_keys(keys) for name, keys in keys_of(library, writes).items()}


def different(write: Write, before: pa.Table, key: str) -> bool:
    """Whether a write changes more than a time."""
    if isinstance(write, Delete):
        return not set(write.values).isdisjoint(before[key].to_pylist())
    names = [name for name in write.rows.column_names if name not in TIMES]
    now = {row[key]: row for row in before.select(names).to_pylist()}
    return any(now.get(row[key]) != row for row in write.rows.select(names).to_pylist())


def made(library: Library, writes: Sequence[Write], before: Rows) -> pa.Table:
    """The keys that are not there."""
    absent = [
        {"table": name, "key": key}
        for name, keys in keys_of(library, writes).items()
        for key in sorted(set(keys) - set(before[name][library.table(name).key].to_pylist()))
    ]
    return pa.Table.from_pylist(absent, KEYS)


def shown(library: Library, writes: Sequence[Write], before: Rows) -> pa.Table:
    """What the photos show that writes are about."""
    photos = {*values(written(writes), "photo_id"), *values(before.values(), "photo_id")}
    return library.photos.by_keys(sorted(photos), PICTURES)


def about(writes: Sequence[Write], before: Rows) -> set[str]:
    """The faces that writes are about: what is said of one counts as well as its row."""
    keys = [value for write in writes if isinstance(write, Delete) and write.table == "faces" for value in write.values]
    said = [*written(writes), *(rows for name, rows in before.items() if name in ("faces", "facts"))]
    return {f"faces/{key}" for key in {*keys, *values(said, "face_id")}}


def meant(writes: Sequence[Write]) -> set[str]:
    """The people whose the faces are by these writes, or whom others are merged into."""
    whose = [write.rows for write in writes if not isinstance(write, Delete) and write.table in ("faces", "facts")]
    return {*values(whose, "person_id"), *values(written(writes), "merged_into")} - {""}


def written(writes: Sequence[Write]) -> list[pa.Table]:
    """The rows that are written."""
    return [write.rows for write in writes if not isinstance(write, Delete)]


def values(tables: Iterable[pa.Table], column: str) -> set[str]:
    """All that stands in a column, where there is one."""
    return {one for rows in tables if column in rows.column_names for one in rows[column].to_pylist()}


# Telling

TOLD: Mapping[str, str] = {
    LABEL: "{faces} labeled {who}", CONFIRM: "{faces} confirmed as {who}", REJECT: "{faces} said not to be {who}",
    UNLABEL: "the label of {faces} taken back", DELETE: "{faces} deleted", ADD: "a face added",
    RENAME: "{first} renamed {last}", MERGE: "{who} merged", SPLIT: "{faces} of {first} split off as {last}",
    HIDE: "{who} hidden", SHOW: "{who} shown again", COVER: "{who} given another cover",
}  # fmt: skip


def told(act: Act) -> str:
    """An act in a few words: `Kim and Tim merged`."""
    names = [name or SOMEBODY for name in act.names]
    who = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    faces = "a face" if act.faces == 1 else f"{act.faces:,} faces"
    ends = {"first": names[0], "last": names[-1]} if names else {}
    return TOLD.get(act.kind, act.kind).format(faces=faces, who=who, **ends)


def purge(library: Library, writer: Commits, before: datetime) -> int:
    """Forget the acts that are older than a moment; returns how many. They cannot be undone any more."""
    old = library.acts.outlived(before)
    if old:
        writer.commit([Delete("acts", "act_id", old)])
    return len(old)
