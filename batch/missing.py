"""Files that are no longer where they were: moved, one copy less, or missing; and the photos they leave behind.

Decides from what the library has; whether a whole source may just be away is for `scan.py` to ask first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from lancedb.expr import col, lit

from batch import rows
from batch.rows import Row
from batch.variants import SIDECAR
from cluster.store.database import Library
from cluster.store.files import SCHEMA as FILES
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Delete, Update, Upsert, Write


class Gone(msgspec.Struct, frozen=True):
    """Rows of files that are gone, by what became of them. All are of the table `files`."""

    moved: list[Row]  # this job found the same bytes at another place
    copies: list[Row]  # the same bytes lie where they lay before
    useless: list[Row]  # they could not be read
    missing: list[Row]

    def files(self) -> list[Row]:
        """All of them."""
        return [*self.moved, *self.copies, *self.useless, *self.missing]

    def counts(self) -> dict[str, int]:
        """What a job tells of them."""
        pictures = {
            "moved": self.moved, "copies_gone": self.copies, "unreadable_gone": self.useless,
            "missing_files": self.missing,
        }  # fmt: skip
        return {name: sum(file["kind"] != SIDECAR for file in files) for name, files in pictures.items() if files}


def gone(library: Library, file_ids: Sequence[str], job_id: str) -> Gone:
    """What became of some files that are not where they were."""
    vanished = library.files.by_keys(file_ids).to_pylist()
    contents = [file["content_id"] for file in vanished if file["content_id"]]
    there = (col("state") == lit("ok")) & col("content_id").isin(contents)
    found = library.files.rows(there, ["file_id", "content_id", "job_id"]).to_pylist() if contents else []
    others = [file for file in found if file["file_id"] not in set(file_ids)]
    places = {name: {file["content_id"] for file in others if (file["job_id"] == job_id) == name} for name in (0, 1)}
    sorted_out: dict[str, list[Row]] = defaultdict(list)
    for file in vanished:
        sorted_out[fate(file, places[1], places[0])].append(file)
    return Gone(*(sorted_out[name] for name in Gone.__struct_fields__))


def fate(file: Row, new: set[str], old: set[str]) -> str:
    """What became of one file, given the contents that this job and former ones found elsewhere."""
    if file["state"] == "failed":
        return "useless"
    if file["content_id"] in new:
        return "moved"
    return "copies" if file["content_id"] in old else "missing"


def writes_of(library: Library, found: Gone) -> list[Write]:
    """The writes that say so: photos as they are without the files, and the files marked or taken out."""
    out = [*found.moved, *found.copies, *found.useless]  # a file that never was a photo leaves nothing to remember
    marked = [{**file, "state": "missing"} for file in found.missing]
    touched = {file["photo_id"] for file in [*out, *marked] if file["photo_id"]}
    together = files_of(library, sorted(touched), marked, {file["file_id"] for file in out})
    joined = swallowed(library, touched, together)
    return [
        *[write for table in tables_of(library) for write in [Delete(table, "photo_id", joined)] if joined],
        *restated(library, touched - set(joined), together),
        Upsert("files", rows_of(marked, FILES)),
        Delete("files", "file_id", [file["file_id"] for file in out]),
    ]


def swallowed(library: Library, photo_ids: Iterable[str], files: Mapping[str, list[Row]]) -> list[str]:
    """Photos without files whose picture is a variant of another photo by now: a RAW that was moved to its JPEG."""
    empty = [photo_id for photo_id in photo_ids if not files[photo_id]]
    contents = {row["content_id"]: row["photo_id"] for row in library.photos.by_keys(empty).to_pylist()}
    if not contents:
        return []
    variants = library.files.rows(col("content_id").isin(list(contents)) & (col("state") == lit("ok"))).to_pylist()
    return sorted({contents[file["content_id"]] for file in variants if file["photo_id"] not in empty})


def tables_of(library: Library) -> list[str]:
    """The tables with rows of photos, vectors first."""
    found = [library.registry.find(model) for model in library.models()]
    return [*[table.name for table in found if table], "faces", "photos"]


def files_of(
    library: Library, photo_ids: Sequence[str], files: Sequence[Row], without: Iterable[str] = ()
) -> dict[str, list[Row]]:
    """All files of some photos as they will be: those in the store, with newer rows in their place, without some."""
    known = library.files.of_photos(photo_ids).to_pylist() if photo_ids else []
    latest = {file["file_id"]: file for file in [*known, *files]}
    for file_id in without:
        latest.pop(file_id, None)
    by_photo: dict[str, list[Row]] = defaultdict(list)
    for file in latest.values():
        by_photo[file["photo_id"]].append(file)
    return by_photo


def restated(library: Library, photo_ids: Iterable[str], files: Mapping[str, list[Row]]) -> list[Write]:
    """The writes that say anew of photos which files they have, and whether any is left."""
    photos = library.photos.by_keys(sorted(photo_ids)).to_pylist()
    return updates("photos", [rows.standing_row(photo, files.get(photo["photo_id"], [])) for photo in photos])


def updates(table: str, changed: Sequence[Row]) -> list[Write]:
    """Updates of rows that do not all say the same columns: one for each set of columns."""
    alike: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in changed:
        alike[tuple(sorted(row))].append(row)
    return [Update(table, changes_of(some, PHOTOS)) for some in alike.values()]
