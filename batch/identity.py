"""Which photo a group of files is: the one that has its content, else the one its files were, else a new one.

Asks the library, writes nothing. The same files give the same photos in whatever order they are read, as far as what
was there before allows.
"""

from collections.abc import Iterable, Mapping, Sequence

from lancedb.expr import col

from batch import rows
from batch.ingest import Ingested
from cluster.store.database import Library
from cluster.store.paths import file_id


def photo_ids(library: Library, read: Sequence[Ingested], source: str) -> list[str]:
    """The photo of each group of a source's files, in order; empty for files of which no photo can be made."""
    contents = [one.decoded.content_id for one in read if one.decoded]
    known = sorted({photo_id for one in read for photo_id in known_ids(one)})
    taken = set(library.photos.by_keys(contents, ["photo_id"])["photo_id"].to_pylist())
    by_content = photos_with(library, contents)
    edited = Edited(library, known, [file_id(source, file.seen.path) for one in read for file in one.files])
    ids = [by_content.get(one.decoded.content_id, "") if one.decoded else "" for one in read]
    claimed = set(ids)
    for i, one in enumerate(read):
        if one.decoded is None:
            ids[i] = next(iter(known_ids(one)), "")
        elif not ids[i]:
            content = one.decoded.content_id
            own = (photo_id for photo_id in known_ids(one) if photo_id not in claimed and edited.is_free(photo_id))
            ids[i] = by_content.get(content) or next(own, "") or rows.new_photo_id(content, one.main, taken)
            by_content[content] = ids[i]
            claimed.add(ids[i])
    return ids


def known_ids(one: Ingested) -> list[str]:
    """The photos that a group's files were, the main file's first."""
    ordered = sorted(one.files, key=lambda file: file.seen.path != one.main)
    return [file.seen.photo_id for file in ordered if file.seen.photo_id]


def photos_with(library: Library, contents: Sequence[str]) -> dict[str, str]:
    """The photos that have some contents: content id -> photo id."""
    if not contents:
        return {}
    found = library.photos.rows(col("content_id").isin(contents), ["photo_id", "content_id"]).to_pylist()
    return {row["content_id"]: row["photo_id"] for row in sorted(found, key=lambda row: row["photo_id"], reverse=True)}


class Edited:
    """Photos whose main file may have been edited: such a photo keeps its id, unless a copy still shows what it was."""

    def __init__(self, library: Library, photo_ids: Sequence[str], reading: Iterable[str]) -> None:
        """`reading` are the ids of the files that are read now: what they were is past."""
        photos = library.photos.by_keys(photo_ids, ["photo_id", "content_id"]).to_pylist()
        self.contents: Mapping[str, str] = {row["photo_id"]: row["content_id"] for row in photos}
        columns = ["file_id", "photo_id", "content_id", "state"]
        files = library.files.of_photos(photo_ids, columns).to_pylist() if photo_ids else []
        here = set(reading)
        self.shown = {
            (file["photo_id"], file["content_id"])
            for file in files
            if file["state"] == "ok" and file["file_id"] not in here
        }

    def is_free(self, photo_id: str) -> bool:
        """Whether the photo is there and no file that is not being read has its content."""
        content = self.contents.get(photo_id)
        return content is not None and (photo_id, content) not in self.shown
