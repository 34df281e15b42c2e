"""The trash: photos are taken out of a library with all their rows, and put back, or purged when their time is over.

One record holds a photo whole: its row, its files', faces', facts' and vectors'. It is written before any of them is
deleted, and goes after all of them are back, each in a commit of its own; so whatever is interrupted is done by doing
it again. Where a record and the library both have rows of a photo - half of it was deleted, half of it put back, or a
scan found it anew - they are put together, and what is lost is nothing. People and events are not deleted. Originals
are never touched. Which photos are to go is `missing.py`'s to say.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col, lit

from batch.faces import NOBODY, Roster
from batch.packing import Rows, opened, packed, together
from batch.rows import Row
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.faces import LABELED
from cluster.store.facts import LABEL
from cluster.store.schema import rows_of
from cluster.store.table import Table
from cluster.store.trash import SCHEMA
from cluster.store.writer import Delete, Upsert, Write
from serve_apps.media.addresses import EXTENSIONS, derived_path

if TYPE_CHECKING:
    from batch.sink import Commits  # which takes photos out of the trash itself

AT_ONCE = 500  # photos put back, or purged, in one commit
NOUNS = ("faces", "facts", "photos", "files")  # that rows of a photo are in, beside tables of vectors


class Taken(msgspec.Struct, frozen=True):
    """Who takes photos out, and when: what their records say of it."""

    action_id: str  # a job
    by: str  # user_id
    at: datetime


# Taking out


def take_out(library: Library, writer: "Commits", photos: Sequence[Row], files: Sequence[Row], taken: Taken) -> None:
    """Move photos into the trash. `photos` and `files` are full rows as they are to come back."""
    if not photos:
        return
    given = {"photos": rows_of(photos, library.photos.schema), "files": rows_of(files, library.files.schema)}
    photo_ids = [photo["photo_id"] for photo in photos]
    records = joined(library, unpacked(library, photo_ids), {**present(library, photo_ids), **given})
    parts = {name: by_photo(rows) for name, rows in records.items()}
    found = {photo_id: {name: part.get(photo_id) for name, part in parts.items()} for photo_id in photo_ids}
    made = rows_of([record(photo, found[photo["photo_id"]], taken) for photo in photos], SCHEMA)
    deletions = {name: Delete(name, "photo_id", photo_ids) for name in parts}
    last = deletions.pop("photos")  # by its row a photo that is half deleted is found; without files it is missing
    writer.commit([Upsert("trash", made), *deletions.values()])
    writer.commit([last])


def record(photo: Row, parts: Mapping[str, pa.Table | None], taken: Taken) -> Row:
    """A photo's row in the trash."""
    return {
        "photo_id": photo["photo_id"], "record_id": uuid4().hex, "action_id": taken.action_id, "name": photo["name"],
        "content_id": photo["content_id"], "bytes": photo["derived_bytes"] or 0, "deleted_at": taken.at,
        "deleted_by": taken.by, "rows": packed({name: rows for name, rows in parts.items() if rows is not None}),
    }  # fmt: skip


def present(library: Library, photo_ids: Sequence[str]) -> Rows:
    """What the library's tables have of some photos; a table for each, if empty."""
    mine = col("photo_id").isin(list(photo_ids))
    return {name: library.table(name).rows(mine) for name in tables_of(library)}


def tables_of(library: Library) -> list[str]:
    """The tables that rows of a photo are in."""
    vectors = [library.registry.find(model) for model in library.models()]
    return [*[table.name for table in vectors if table], *NOUNS]


def by_photo(rows: pa.Table) -> Rows:
    """The rows of each photo."""
    places: dict[str, list[int]] = {}
    for place, photo_id in enumerate(rows["photo_id"].to_pylist()):
        places.setdefault(photo_id, []).append(place)
    return {photo_id: rows.take(pa.array(found)) for photo_id, found in places.items()}


def unpacked(library: Library, photo_ids: Sequence[str]) -> Rows:
    """What the trash has of some photos, as rows of today's tables; those of a table that is no more are left out."""
    packs = library.trash.by_keys(photo_ids, ["rows"])["rows"].to_pylist()
    records = [opened(one) for one in packs]
    return {
        name: together([one[name] for one in found], library.table(name).schema)
        for name in tables_of(library)
        if (found := [one for one in records if name in one])
    }


def joined(library: Library, kept: Rows, now: Rows) -> Rows:
    """Rows of the trash and of the library as one: of the same key the library's counts."""
    return {name: union(library.table(name), kept.get(name), rows) for name, rows in now.items()}


def union(table: Table, kept: pa.Table | None, now: pa.Table) -> pa.Table:
    """The rows of now, and those kept whose key is not among them."""
    if kept is None:
        return now
    return pa.concat_tables([now, kept.filter(pc.invert(pc.is_in(kept[table.key], now[table.key])))])


# Putting back


def restore(library: Library, writer: "Commits", photo_ids: Iterable[str]) -> list[str]:
    """Put photos back that are in the trash, whole; returns which.

    `library` must see every commit (`store.fresh_s` 0). Files that are there again are seen by the next scan.
    """
    wanted, done = list(photo_ids), []
    for start in range(0, len(wanted), AT_ONCE):
        found = library.trash.by_keys(wanted[start : start + AT_ONCE], ["photo_id", "record_id"])
        if len(found):
            writer.commit(back(library, found["photo_id"].to_pylist()))
            # In a commit of its own: the trash is written first, and must not be empty before the rest is there.
            writer.commit([Delete("trash", "record_id", found["record_id"].to_pylist())])
            done += found["photo_id"].to_pylist()
    return done


def back(library: Library, photo_ids: Sequence[str]) -> list[Write]:
    """The writes that put photos back. What people said counts more than what was found meanwhile."""
    kept, now, roster = unpacked(library, photo_ids), present(library, photo_ids), Roster(library)
    for name in {"faces", "facts"} & kept.keys():
        kept[name] = of_people(kept[name], roster)
    if "faces" in kept:
        kept["faces"], now["faces"] = with_labels(kept["faces"], now["faces"])
    if "files" in kept:
        kept["files"] = free(library, kept["files"])
    whole = joined(library, kept, now)
    return [Upsert(name, of_these(rows, whole["faces"])) for name, rows in whole.items() if len(rows)]


def of_people(rows: pa.Table, roster: Roster) -> pa.Table:
    """Faces of whom they are today, nobody's where that one is gone; facts as said, but no labels of those."""
    found, faces = [], "standing" in rows.column_names
    for row in rows.to_pylist():
        person = roster.who(row["person_id"])
        if faces:
            found.append({**row, "person_id": person} if person in roster.merged else {**row, **NOBODY})
        elif person in roster.merged or row["kind"] != LABEL:
            found.append(row)
    return pa.Table.from_pylist(found, rows.schema)


def of_these(rows: pa.Table, faces: pa.Table) -> pa.Table:
    """Rows of any table; vectors only those of photos, and of these faces."""
    if "vector" not in rows.column_names:
        return rows
    return rows.filter(pc.or_(pc.equal(rows["id"], rows["photo_id"]), pc.is_in(rows["id"], faces["face_id"])))


def with_labels(kept: pa.Table, now: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Faces of the trash and of now: where a photo's were found anew, only labeled ones are put back, over those."""
    anew = pc.is_in(kept["photo_id"], now["photo_id"])
    labeled = pc.equal(kept["standing"], LABELED)
    kept = kept.filter(pc.or_(pc.invert(anew), labeled))
    said = pc.equal(now["standing"], LABELED)
    over = kept.filter(pc.equal(kept["standing"], LABELED))["face_id"]
    return kept, now.filter(pc.or_(said, pc.invert(pc.is_in(now["face_id"], over))))


def free(library: Library, files: pa.Table) -> pa.Table:
    """Files whose path is not another photo's by now."""
    now = library.files.by_keys(files["file_id"].to_pylist(), ["file_id", "photo_id"])
    owners = dict(zip(now["file_id"].to_pylist(), now["photo_id"].to_pylist(), strict=True))
    pairs = zip(files["file_id"].to_pylist(), files["photo_id"].to_pylist(), strict=True)
    return files.filter(pa.array([owners.get(file, photo) == photo for file, photo in pairs], pa.bool_()))


def revive(library: Library, writer: "Commits", content_ids: Iterable[str]) -> list[str]:
    """Put the photos back that show contents which a scan has just read: their files have come back."""
    found = library.trash.of_contents(sorted(set(content_ids) - {""}))
    return restore(library, writer, found) if found else []


# Purging


def purge(
    settings: Settings, owner: str, library: Library, writer: "Commits", now: datetime,
    stopped: Callable[[], bool] = lambda: False,
) -> int:  # fmt: skip
    """Forget what has been in the trash for `store.trash_days`, with the derived pictures that nothing shows any more.

    Returns how many photos. The pictures go first: what is interrupted is found and done the next time.
    """
    before = now - timedelta(days=settings.store.trash_days)
    old = library.trash.older(before, ["record_id", "content_id"])
    for start in range(0, len(old), AT_ONCE):
        if stopped():
            return start
        some = old.slice(start, AT_ONCE)
        forget_pictures(settings.derived / owner, unshown(library, set(some["content_id"].to_pylist()), before))
        writer.commit([Delete("trash", "record_id", some["record_id"].to_pylist())])
    return len(old)


def unshown(library: Library, content_ids: set[str], before: datetime) -> set[str]:
    """Contents that no photo of the library has, and none in the trash that stays there."""
    same = col("content_id").isin(sorted(content_ids))
    shown = library.photos.rows(same, ["content_id"])["content_id"].to_pylist()
    staying = library.trash.rows(same & (col("deleted_at") >= lit(before)), ["content_id"])["content_id"].to_pylist()
    return content_ids - {"", *shown, *staying}


def forget_pictures(folder: Path, content_ids: Iterable[str]) -> None:
    """Delete the derived pictures of some contents."""
    for content_id in content_ids:
        for size in EXTENSIONS:
            derived_path(folder, content_id, size).unlink(missing_ok=True)
