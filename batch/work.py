"""The ledger as a list of work: which photos wait for which stage. Asks the tables of photos and files.

Writes nothing but how many bytes derived pictures have that were made again on the way.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col, lit

from batch.ingest import PLACE_COLUMNS
from batch.rows import ANALYSES, FOUND
from cluster.store.database import Library
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.photos import due, viewable
from cluster.store.schema import changes_of
from cluster.store.table import Table
from cluster.store.writer import Update, Write

if TYPE_CHECKING:
    from batch.sink import Commits  # which asks for work itself

AT_ONCE = 2000  # photos looked up or noted together
CONTEXT = (
    "photo_id",
    "content_id",
    "main_file_id",
    "name",
    "title",
    "taken_at",
    "taken_offset_min",
    "taken_source",
    "keywords",
    "regions",
    *PLACE_COLUMNS,
)


class Todo(msgspec.Struct, frozen=True):
    """Photos that wait for some stage, newest first, and how many wait for each."""

    photo_ids: list[str]
    counts: dict[str, int]


def pending(photos: Table, revisions: Mapping[str, str], only: Sequence[str] | None = None) -> Todo:
    """What is to do, in all photos or only in some."""
    if not revisions:
        return Todo([], {})
    ledger = [f"{stage}_rev" for stage in revisions]
    found = photos.rows(due(revisions), ["photo_id", "taken_at", *ledger])
    if only is not None:
        found = found.filter(pc.is_in(found["photo_id"], pa.array(only, pa.string())))
    newest = pc.sort_indices(found, [("taken_at", "descending"), ("photo_id", "ascending")])
    counts = {
        stage: pc.sum(pc.not_equal(found[f"{stage}_rev"], revision)).as_py() or 0
        for stage, revision in revisions.items()
    }
    return Todo(found["photo_id"].take(newest).to_pylist(), counts)


def work_table(photos: Table, photo_ids: Sequence[str], revisions: Mapping[str, str]) -> pa.Table:
    """The photos as the stages want them: <stage>_todo says what to compute, <stage>_was what went wrong before."""
    ledger = [f"{stage}_{column}" for stage in ANALYSES for column in ("rev", "error")]
    table = photos.by_keys(photo_ids, [*CONTEXT, *FOUND, *ledger])
    names = [f"{name[:-6]}_was" if name in ledger and name.endswith("_error") else name for name in table.column_names]
    table = table.rename_columns(names)
    for stage in ANALYSES:
        if stage in revisions:
            todo = pc.not_equal(table[f"{stage}_rev"], revisions[stage])
        else:
            todo = pa.array([False] * len(table))
        table = table.append_column(f"{stage}_todo", todo)
    return table


def with_originals(library: Library, work: pa.Table, source: str) -> pa.Table:
    """The photos with the path of each one's main file, empty where that is not in the source: column original."""
    files = library.files.by_keys(work["main_file_id"].to_pylist(), ["file_id", "path", "state", "source"]).to_pylist()
    there = [file for file in files if file["state"] == "ok" and file["source"] == source]
    paths = {file["file_id"]: file["path"] for file in there}
    found = [paths.get(main, b"") for main in work["main_file_id"].to_pylist()]
    return work.append_column("original", pa.array(found, pa.binary()))


def note_remade(writer: "Commits", batch: pa.Table) -> None:
    """Commit of a batch how many bytes its photos' derived pictures have, where those were made again."""
    made = zip(batch["photo_id"].to_pylist(), batch["remade"].to_pylist(), strict=True)
    if writes := sized([one for one in made if one[1]]):
        writer.commit(writes)


def sized(made: Sequence[tuple[str, int]]) -> list[Write]:
    """The writes that note the bytes of photos' derived pictures: (photo_id, bytes)."""
    changes = [{"photo_id": photo_id, "derived_bytes": size} for photo_id, size in made]
    return [Update("photos", changes_of(changes, PHOTOS))] if changes else []


def embedded(library: Library, model: str) -> Iterator[list[str]]:
    """The photos whose vector of a model is there though the ledger tells of another model's, some at a time."""
    others = (col("clip_rev") != lit(model)) & (col("clip_rev") != lit("")) & (col("clip_error") == lit(""))
    table = library.registry.find(model)
    found = library.photos.rows(others, ["photo_id"])["photo_id"].to_pylist() if table else []
    for start in range(0, len(found), AT_ONCE):
        there = table.by_keys(found[start : start + AT_ONCE], ["id"])["id"].to_pylist() if table else []
        if there:
            yield there


def unembedded(library: Library, model: str) -> list[str]:
    """The photos that can be seen and have no vector of a model yet, newest first."""
    photos = library.photos.rows(viewable() & ~col("missing"), ["photo_id", "taken_at"])
    if table := library.registry.find(model):
        there = table.rows(None, ["id"])["id"].combine_chunks()
        photos = photos.filter(pc.invert(pc.is_in(photos["photo_id"], there)))
    newest = pc.sort_indices(photos, [("taken_at", "descending"), ("photo_id", "ascending")])
    return [str(photo) for photo in photos["photo_id"].take(newest).to_pylist()]
