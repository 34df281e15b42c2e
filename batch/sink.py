"""Commit what a scan read and computed, so that what says that work is done comes last.

Which photo a file belongs to is `identity.py`'s to say, what becomes of files that are gone `missing.py`'s. Everything
written is keyed, so committing a batch twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from batch import rows
from batch.changes import NEVER, Known
from batch.faces import Found, found, table_for
from batch.identity import photo_ids
from batch.ingest import INGESTED, PLACE_COLUMNS, FileRead, Ingested
from batch.missing import Gone, files_of, restated, updates, writes_of
from batch.rows import Row
from batch.stages import DONE, FAILED
from batch.trash import revive
from batch.variants import SIDECAR
from batch.work import work_table
from cluster.store.database import Library
from cluster.store.files import FOLDER
from cluster.store.files import SCHEMA as FILES
from cluster.store.paths import display, file_id
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Delete, Replace, Update, Upsert, Write


class Commits(Protocol):
    """Whoever writes the library."""

    def commit(self, writes: Sequence[Write]) -> None:
        """Commit writes durably."""
        ...


class Committed(msgspec.Struct):
    """What one commit did, in files and photos."""

    committed: int = 0
    failed: int = 0
    alone: int = 0  # sidecars without a photo
    added: int = 0
    changed: int = 0
    photos: list[str] = []


class Sink:
    """Turns what the stages made of a batch into rows, and commits them."""

    def __init__(self, library: Library, writer: Commits, job_id: str, source: str = FOLDER) -> None:
        """`source` is the name of what files are read of."""
        self.library, self.writer, self.job_id, self.source = library, writer, job_id, source

    def ingested(self, batch: pa.Table) -> Committed:
        """Commit groups that were read: the photos they are, their files, the failures."""
        now = rows.now_utc()
        read = [INGESTED.decode(one) for one in batch["ingested"].to_pylist()]
        places = batch.select(PLACE_COLUMNS).to_pylist()
        revive(self.library, self.writer, [one.decoded.content_id for one in read if one.decoded])
        ids = photo_ids(self.library, read, self.source)
        files = [
            rows.known_row(self.source, file, ids[i], self.job_id, now)
            for i, one in enumerate(read)
            for file in one.files
        ]
        decoded = sorted((i for i, one in enumerate(read) if one.decoded), key=lambda i: read[i].main, reverse=True)
        media = {ids[i]: rows.media_row(self.source, ids[i], read[i], places[i], self.job_id, now) for i in decoded}
        forced = {ids[i] for i in decoded if read[i].force}
        failures = [
            rows.error_row(self.source, file, ids[i], self.job_id, now)
            for i, one in enumerate(read)
            for file in one.files
            if file.error
        ]
        left = {file.seen.photo_id for one in read for file in one.files} | set(ids)
        left -= {"", *media}  # photos that files went away from, or whose files cannot be read any more
        together = files_of(self.library, [*media, *left], files)
        added, photos = self.photo_writes(media, forced, together, now)
        self.writer.commit([*photos, *restated(self.library, left, together), *self.upserts(files, failures)])
        return counted(read, added, len(media) - added, list(media))

    def upserts(self, files: list[Row], failures: list[Row]) -> list[Write]:
        """The files' rows and the failures."""
        return [Upsert("files", rows_of(files, FILES)), *self.errors(failures)]

    def errors(self, failures: list[Row]) -> list[Write]:
        """The failures' rows, if there are any."""
        return [Upsert("errors", rows_of(failures, self.library.errors.schema))] if failures else []

    def photo_writes(
        self, media: dict[str, Row], forced: set[str], files: dict[str, list[Row]], now: datetime
    ) -> tuple[int, list[Write]]:
        """How many photos are new, and the writes that write them. A known photo keeps what it is not told anew."""
        before = {row["photo_id"]: row for row in self.library.photos.by_keys(list(media)).to_pylist()}
        new, changed = [], []
        for photo_id, row in media.items():
            old, together = before.get(photo_id), rows.variant_columns(files[photo_id])
            redo = rows.due_again() if photo_id in forced else {}
            if old is None:
                fresh = {**rows.fresh_ledger(), **row, **together, "added_at": now}
                new.append({**fresh, "search_text": rows.search_text(fresh)})
            elif old["content_id"] == row["content_id"] and not stands_for(row["main_file_id"], row, files[photo_id]):
                changed.append({"photo_id": photo_id, "missing": False, **together, **redo})
            else:
                changed.append(rows.media_again(old, {**row, **together, **redo}))
        edited = [key for key, old in before.items() if old["content_id"] != media[key]["content_id"]]
        return len(new), [Upsert("photos", rows_of(new, PHOTOS)), *updates("photos", changed), *self.forgotten(edited)]

    def forgotten(self, photo_ids: Sequence[str]) -> list[Write]:
        """Delete what was found in photos: their faces and all their vectors, which are of another picture."""
        if not photo_ids:
            return []
        models = [self.library.registry.find(model) for model in self.library.models()]
        tables = ["faces", *[table.name for table in models if table]]
        return [Delete(table, "photo_id", photo_ids) for table in tables]

    def failed_again(self, files: Sequence[Known]) -> None:
        """Commit, for this job, that some files still cannot be read; they were not tried again."""
        now = rows.now_utc()
        failures = [
            rows.failure(self.job_id, file.file_id, file.photo_id, display(file.path), "thumbnails", file.error, now)
            for file in files
        ]
        self.writer.commit(self.errors(failures))

    def unfetched(self, files: Sequence[FileRead]) -> None:
        """Commit, for this job, that some files of the source could not be had; the next scan tries again."""
        now = rows.now_utc()
        failures = [rows.error_row(self.source, file, "", self.job_id, now, "download") for file in files]
        self.writer.commit(self.errors(failures))

    def failed_folder(self, path: bytes, error: str) -> None:
        """Commit that a folder could not be listed."""
        read = rows.unlisted(path, error)
        failures = [rows.error_row(self.source, read, "", self.job_id, rows.now_utc(), "listing")]
        self.writer.commit(self.errors(failures))

    def gone(self, lost: Gone, bereft: Sequence[bytes] = ()) -> None:
        """Commit what became of files that are not where they were, and that the `bereft` beside them are to be read.

        In one commit: a scan that is killed before it reads them leaves that to the next one.
        """
        self.writer.commit([*writes_of(self.library, lost), *to_be_read(file_id(self.source, one) for one in bereft)])

    def analysed(self, batch: pa.Table, revisions: dict[str, str]) -> dict[str, tuple[int, int]]:
        """Commit what the models found; returns (done, failed) by stage."""
        now = rows.now_utc()
        work = self.as_they_are(batch.to_pylist())
        seen = [row for row in work if row.get("faces_state") in (DONE, FAILED)]
        faces = found(self.library, seen, revisions["faces"], now) if seen else Found([], {})
        photos = [rows.analysed_row(row, revisions, now, faces.counts.get(row["photo_id"])) for row in work]
        writes = [
            *faces.writes,
            *self.clip_writes(work, revisions),
            *self.analysis_errors(work, now),
            Update("photos", changes_of(photos, PHOTOS)),
            *to_be_read(row["main_file_id"] for row in work if row["read_error"]),  # it makes their previews anew
        ]
        self.writer.commit(writes)
        return {stage: outcomes(work, stage) for stage in rows.ANALYSES}

    def as_they_are(self, work: list[Row]) -> list[Row]:
        """A batch's rows with what the photos say now: a caption may have been asked for since they were read."""
        table = work_table(self.library.photos, [row["photo_id"] for row in work], {})
        now = {row["photo_id"]: {n: v for n, v in row.items() if not n.endswith("_todo")} for row in table.to_pylist()}
        return [{**row, **now.get(row["photo_id"], {})} for row in work]

    def adopted(self, photo_ids: Sequence[str], model: str) -> None:
        """Commit that photos have the vector of a model, which was made beside another's."""
        changed = [{"photo_id": photo, "clip_rev": model, "clip_error": ""} for photo in photo_ids]
        self.writer.commit([Update("photos", changes_of(changed, PHOTOS))])

    def embedded(self, batch: pa.Table, model: str) -> tuple[int, int]:
        """Commit the vectors of a model that is not in use yet: the photos' rows tell of the other. (done, failed)."""
        work = batch.to_pylist()
        now = rows.now_utc()
        self.writer.commit([*self.clip_writes(work, {"clip": model}), *self.analysis_errors(work, now)])
        return outcomes(work, "clip")

    def clip_writes(self, work: list[Row], revisions: dict[str, str]) -> list[Write]:
        """A photo's vector replaces the one it had; a photo that failed has none."""
        ran = [row["photo_id"] for row in work if row.get("clip_state") in (DONE, FAILED)]
        vectors = [
            {"id": row["photo_id"], "photo_id": row["photo_id"], "vector": msgspec.msgpack.decode(row["clip_output"])}
            for row in work if row.get("clip_output")
        ]  # fmt: skip
        table = table_for(self.library, revisions["clip"], vectors) if ran else None
        return [Replace(table.name, rows_of(vectors, table.schema), "photo_id", ran)] if table else []

    def analysis_errors(self, work: list[Row], now: Any) -> list[Write]:
        """What failed in which stage, for the job that met it."""
        failed = [(row, stage) for row in work for stage in rows.ANALYSES if row.get(f"{stage}_state") == FAILED]
        failures = [
            rows.failure(
                self.job_id, row["main_file_id"], row["photo_id"], row["name"], stage, row[f"{stage}_error"], now
            )
            for row, stage in failed
        ]
        return self.errors(failures)


def to_be_read(file_ids: Iterable[str]) -> list[Write]:
    """The write that makes the next scan read some files, though they did not change."""
    forgotten = [{"file_id": file, "mtime_ns": NEVER} for file in file_ids]
    return [Update("files", changes_of(forgotten, FILES))] if forgotten else []


def stands_for(file: str, row: Row, files: Sequence[Row]) -> bool:
    """Whether a file is the one that speaks for its photo: of those with its bytes the first by path.

    So the same files make the same photo, in whatever order they are read.
    """
    same = [one for one in files if one["state"] == "ok" and one["content_id"] == row["content_id"]]
    return bool(min(same, key=lambda one: one["path"])["file_id"] == file)


def outcomes(work: Sequence[Row], stage: str) -> tuple[int, int]:
    """How many photos of a batch a stage did, and how many failed in it."""
    states = [row.get(f"{stage}_state") for row in work]
    return states.count(DONE), states.count(FAILED)


def counted(read: Sequence[Ingested], added: int, changed: int, photos: list[str]) -> Committed:
    """The changed files of a batch by what became of them."""
    outcome = Committed(added=added, changed=changed, photos=photos)
    for one in read:
        for file in one.files:
            if file.seen.changed:
                count_file(outcome, file, one)
    return outcome


def count_file(outcome: Committed, file: FileRead, group: Ingested) -> None:
    """Count one file."""
    if file.error:
        outcome.failed += 1
    elif file.seen.kind == SIDECAR and group.decoded is None:
        outcome.alone += 1
    else:
        outcome.committed += 1
