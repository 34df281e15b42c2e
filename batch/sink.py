"""Commit what a scan read and computed: faces and vectors before photos, whose ledger is last to say that work is done.

Decides which photo a file belongs to. Everything it writes is keyed, so committing a batch twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgspec
import pyarrow as pa
from lancedb.expr import col, lit

from batch import rows
from batch.ingest import INGESTED, PLACE_COLUMNS, FileRead, Ingested
from batch.rows import Row
from batch.stages import DONE, FAILED
from batch.variants import SIDECAR
from cluster.store.database import Library
from cluster.store.files import SCHEMA as FILES
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

    def __init__(self, library: Library, writer: Commits, job_id: str, force: bool = False) -> None:
        self.library, self.writer, self.job_id = library, writer, job_id
        self.force = force  # what is computed from a photo is computed again though its content is the same

    def ingested(self, batch: pa.Table) -> Committed:
        """Commit groups that were read: their files, the photos they are, the failures."""
        now = rows.now_utc()
        read = [INGESTED.decode(one) for one in batch["ingested"].to_pylist()]
        places = batch.select(PLACE_COLUMNS).to_pylist()
        ids = self.photo_ids(read)
        files = [rows.known_row(file, ids[i], self.job_id, now) for i, one in enumerate(read) for file in one.files]
        decoded = sorted((i for i, one in enumerate(read) if one.decoded), key=lambda i: read[i].main, reverse=True)
        media = {ids[i]: rows.media_row(ids[i], read[i], places[i], self.job_id, now) for i in decoded}
        failures = [
            rows.error_row(file, ids[i], self.job_id, now)
            for i, one in enumerate(read)
            for file in one.files
            if file.error
        ]
        added, photos = self.photo_writes(media, self.together(files, list(media)), now)
        self.writer.commit([*self.upserts(files, failures), *photos])
        return counted(read, added, len(media) - added, list(media))

    def upserts(self, files: list[Row], failures: list[Row]) -> list[Write]:
        """The files' rows and the failures."""
        writes: list[Write] = [Upsert("files", rows_of(files, FILES))]
        if failures:
            writes.append(Upsert("errors", rows_of(failures, self.library.errors.schema)))
        return writes

    def photo_ids(self, read: Sequence[Ingested]) -> list[str]:
        """The photo of each group: the one its files belonged to, else the one with this content, else a new one."""
        contents = [one.decoded.content_id for one in read if one.decoded]
        same = (
            self.library.photos.rows(col("content_id").isin(contents), ["photo_id", "content_id"]) if contents else None
        )
        by_content = (
            dict(zip(same["content_id"].to_pylist(), same["photo_id"].to_pylist(), strict=True)) if same else {}
        )
        taken = self.library.photos.by_keys(contents, ["photo_id"])["photo_id"].to_pylist()
        ids = []
        for one in read:
            known = [file.seen.photo_id for file in sorted(one.files, key=lambda file: file.seen.path != one.main)]
            found = next((photo_id for photo_id in known if photo_id), "")
            if not found and one.decoded:
                content = one.decoded.content_id
                found = by_content.get(content) or rows.new_photo_id(content, one.main, taken)
                by_content[content] = found
            ids.append(found)
        return ids

    def by_content(self, contents: Sequence[str]) -> dict[str, str]:
        """The photos that have some contents: content id -> photo id."""
        if not contents:
            return {}
        same = self.library.photos.rows(col("content_id").isin(contents), ["photo_id", "content_id"]).to_pylist()
        return {row["content_id"]: row["photo_id"] for row in same}

    def together(self, files: list[Row], photo_ids: list[str]) -> dict[str, list[Row]]:
        """All files of some photos: those in the store, with this batch's in their place."""
        known = self.library.files.rows(col("photo_id").isin(photo_ids)).to_pylist() if photo_ids else []
        latest = {file["file_id"]: file for file in [*known, *files]}
        by_photo: dict[str, list[Row]] = defaultdict(list)
        for file in latest.values():
            by_photo[file["photo_id"]].append(file)
        return by_photo

    def photo_writes(self, media: dict[str, Row], files: dict[str, list[Row]], now: Any) -> tuple[int, list[Write]]:
        """How many photos are new, and the writes that write them. A known photo keeps what it is not told anew."""
        before = {row["photo_id"]: row for row in self.library.photos.by_keys(list(media)).to_pylist()}
        new, changed = [], []
        for photo_id, row in media.items():
            old, together = before.get(photo_id), rows.variant_columns(files[photo_id])
            if old is None:
                fresh = {**rows.fresh_ledger(), **row, **together, "added_at": now}
                new.append({**fresh, "search_text": rows.search_text(fresh)})
            elif old["content_id"] == row["content_id"] and not stands_for(row["main_file_id"], row, files[photo_id]):
                changed.append({"photo_id": photo_id, "missing": False, **together})
            else:
                changed.append(self.restated(old, {**row, **together}))
        return len(new), [Upsert("photos", rows_of(new, PHOTOS)), *updates("photos", changed)]

    def restated(self, old: Row, row: Row) -> Row:
        """A known photo read again: with new content, or by force, everything is to be computed again."""
        afresh = self.force or old["content_id"] != row["content_id"]
        row = {**row, **(rows.fresh_ledger() if afresh else {})}
        return {**row, "search_text": rows.search_text({**old, **row})}

    def failed_folder(self, path: bytes, error: str) -> None:
        """Commit that a folder could not be listed."""
        read = rows.unlisted(path, error)
        failures = [rows.error_row(read, "", self.job_id, rows.now_utc(), "listing")]
        self.writer.commit([Upsert("errors", rows_of(failures, self.library.errors.schema))])

    def analysed(self, batch: pa.Table, revisions: dict[str, str]) -> dict[str, tuple[int, int]]:
        """Commit what the models found; returns (done, failed) by stage."""
        now = rows.now_utc()
        work = batch.to_pylist()
        photos = [rows.analysed_row(row, revisions, now) for row in work]
        writes = [
            *self.face_writes(work, revisions),
            *self.clip_writes(work, revisions),
            *self.analysis_errors(work, now),
            Update("photos", changes_of(photos, PHOTOS)),
        ]
        self.writer.commit(writes)
        return {stage: outcomes(work, stage) for stage in rows.ANALYSES}

    def face_writes(self, work: list[Row], revisions: dict[str, str]) -> list[Write]:
        """A photo's faces replace those it had."""
        ran = [row for row in work if row.get("faces_state") in (DONE, FAILED)]
        if not ran:
            return []
        found = [
            rows.face_rows(row["photo_id"], row["faces_output"], revisions["faces"])
            for row in ran
            if row["faces_output"]
        ]
        faces = [face for some, _ in found for face in some]
        vectors = [vector for _, some in found for vector in some]
        photo_ids = [row["photo_id"] for row in ran]
        writes: list[Write] = [Replace("faces", rows_of(faces, self.library.faces.schema), "photo_id", photo_ids)]
        if vectors:
            table = self.library.embeddings(revisions["faces"], len(vectors[0]["vector"]))
            writes.insert(0, Replace(table.name, rows_of(vectors, table.schema), "photo_id", photo_ids))
        return writes

    def clip_writes(self, work: list[Row], revisions: dict[str, str]) -> list[Write]:
        """A photo's vector replaces the one it had."""
        found = [
            {"id": row["photo_id"], "photo_id": row["photo_id"], "vector": msgspec.msgpack.decode(row["clip_output"])}
            for row in work if row.get("clip_output")
        ]  # fmt: skip
        if not found:
            return []
        table = self.library.embeddings(revisions["clip"], len(found[0]["vector"]))
        return [Upsert(table.name, rows_of(found, table.schema))]

    def analysis_errors(self, work: list[Row], now: Any) -> list[Write]:
        """What failed in which stage, for the job that met it."""
        failed = [(row, stage) for row in work for stage in rows.ANALYSES if row.get(f"{stage}_state") == FAILED]
        failures = [
            rows.failure(
                self.job_id, row["main_file_id"], row["photo_id"], row["name"], stage, row[f"{stage}_error"], now
            )
            for row, stage in failed
        ]
        return [Upsert("errors", rows_of(failures, self.library.errors.schema))] if failures else []

    def gone(self, file_ids: Sequence[str]) -> dict[str, int]:
        """Commit that files are not where they were: `moved` when the same bytes lie elsewhere, else `missing`.

        A photo is missing when all its files are; otherwise the best file left stands for it.
        """
        vanished = self.library.files.by_keys(file_ids).to_pylist()
        contents = [file["content_id"] for file in vanished if file["content_id"]]
        there = (col("state") == lit("ok")) & col("content_id").isin(contents)
        elsewhere = {
            row["content_id"] for row in self.library.files.rows(there, ["file_id", "content_id"]).to_pylist()
            if row["file_id"] not in set(file_ids)
        }  # fmt: skip
        moved = [file for file in vanished if file["content_id"] in elsewhere or file["state"] == "failed"]
        missing = [file for file in vanished if file not in moved]
        writes: list[Write] = [Upsert("files", rows_of([{**file, "state": "missing"} for file in missing], FILES))]
        writes.append(Delete("files", "file_id", [file["file_id"] for file in moved]))
        self.writer.commit(writes)
        self.restate({file["photo_id"] for file in vanished if file["photo_id"]})
        return {"moved": sum(file["kind"] != SIDECAR for file in moved), "missing_files": len(missing)}

    def restate(self, photo_ids: Iterable[str]) -> None:
        """Say anew of photos which files they have, and whether any is left."""
        files = self.together([], sorted(photo_ids))
        changed = []
        for photo in self.library.photos.by_keys(sorted(photo_ids)).to_pylist():
            present = [file for file in files[photo["photo_id"]] if file["state"] == "ok" and file["kind"] != SIDECAR]
            same = [file for file in present if file["content_id"] == photo["content_id"]]
            main = min(same, key=lambda file: file["path"], default=None)
            row = {
                "photo_id": photo["photo_id"],
                "missing": not present,
                **rows.variant_columns(files[photo["photo_id"]]),
            }
            main_file = {"main_file_id": main["file_id"], "name": main["name"]} if main else {}
            kept = {name: photo[name] for name in ("main_file_id", "name")}
            changed.append({**row, **kept, **main_file, "changed_at": rows.now_utc()})
        self.writer.commit(updates("photos", changed))


def stands_for(file: str, row: Row, files: Sequence[Row]) -> bool:
    """Whether a file is the one that speaks for its photo: of those with its bytes the first by path.

    So the same files make the same photo, in whatever order they are read.
    """
    same = [one for one in files if one["state"] == "ok" and one["content_id"] == row["content_id"]]
    return bool(min(same, key=lambda one: one["path"])["file_id"] == file)


def updates(table: str, changed: Sequence[Row]) -> list[Write]:
    """Updates of rows that do not all say the same columns: one for each set of columns."""
    alike: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in changed:
        alike[tuple(sorted(row))].append(row)
    return [Update(table, changes_of(some, PHOTOS)) for some in alike.values()]


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
