"""What was read and computed, as rows of the library's tables. Pure: asks no table, writes none."""

import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from batch.ingest import GEOCODER, PLACE_COLUMNS, FileRead, FileSeen, Ingested
from batch.stages import DONE, FAILED, PENDING
from batch.variants import SIDECAR, stem
from cluster.store.failures import error_id
from cluster.store.paths import dir_id, display, file_id
from serve_apps.models.protocol import Caption, DetectedFace, Tag, Text

MEDIA_REVISION = "media-1"  # raise it when previews or metadata are made in another way
MOST_TRIES = 100  # that are counted
FACTS = (
    "taken_at", "taken_offset_min", "taken_source", "latitude", "longitude", "altitude", "camera_make", "camera_model",
    "lens", "iso", "f_number", "exposure_s", "focal_mm", "rating", "orientation", "keywords", "title", "duration_s",
)  # fmt: skip
ANALYSES = ("clip", "faces", "tags", "ocr", "caption")
FOUND = ("tags", "tag_scores", "caption", "caption_by", "ocr", "face_count")
NOTHING_FOUND: dict[str, Any] = {
    "tags": [], "tag_scores": [], "caption": "", "caption_by": "", "ocr": "", "face_count": 0,
}  # fmt: skip
Row = dict[str, Any]


def known_row(source: str, read: FileRead, photo_id: str, job_id: str, now: datetime) -> Row:
    """A file's row in `files`, whatever became of it."""
    seen = read.seen
    return {
        "file_id": file_id(source, seen.path), "source": source, "path": seen.path, "name": display(seen.path),
        "dir_id": dir_id(source, os.path.dirname(seen.path)), "stem": display(stem(seen.path)), "kind": seen.kind,
        "size": seen.size, "mtime_ns": seen.mtime_ns, "content_id": read.content_id, "photo_id": photo_id,
        "state": "failed" if read.error else "ok", "error": read.error,
        "tries": min(seen.tries + 1, MOST_TRIES) if read.error else 0,
        "job_id": job_id, "seen_at": now,
    }  # fmt: skip


def unlisted(path: bytes, error: str) -> FileRead:
    """A folder that cannot be listed, as a failed file of its own name."""
    return FileRead(FileSeen(path, "", 0, 0, changed=True), error=error)


def error_row(source: str, read: FileRead, photo_id: str, job_id: str, now: datetime, stage: str = "thumbnails") -> Row:
    """A file's failure in `errors`, for the job that met it."""
    return failure(job_id, file_id(source, read.seen.path), photo_id, display(read.seen.path), stage, read.error, now)


def failure(job_id: str, file: str, photo_id: str, name: str, stage: str, reason: str, now: datetime) -> Row:
    """A row of `errors`."""
    return {
        "error_id": error_id(job_id, file, stage), "job_id": job_id, "file_id": file, "photo_id": photo_id,
        "name": name, "stage": stage, "reason": reason, "at": now,
    }  # fmt: skip


def new_photo_id(content_id: str, path: bytes, taken: Iterable[str]) -> str:
    """The id of a photo first seen now: its content's, unless a photo that was edited since has that one."""
    if content_id not in set(taken):
        return content_id
    return sha256(content_id.encode() + b"\0" + path).hexdigest()[:32]


def media_row(source: str, photo_id: str, ingested: Ingested, place: Row, job_id: str, now: datetime) -> Row:
    """What the files of a photo say of it: the columns that ingest owns. `ingested` has a decoded main file."""
    decoded = ingested.decoded
    assert decoded is not None
    metadata = msgspec.to_builtins(decoded.metadata, builtin_types=(datetime,))
    return {
        "photo_id": photo_id, "main_file_id": file_id(source, ingested.main), "content_id": decoded.content_id,
        "name": display(ingested.main), "kind": decoded.kind, "missing": False, "width": decoded.width,
        "height": decoded.height, "size": decoded.size, "flags": decoded.flags, "regions": metadata["regions"],
        "derived_bytes": sum(decoded.derived.values()), "placeholder": decoded.placeholder,
        "live_id": decoded.metadata.live_id or ingested.live_id, **{name: metadata[name] for name in FACTS},
        **{name: place[name] for name in PLACE_COLUMNS}, "media_rev": MEDIA_REVISION, "media_error": "",
        "place_rev": GEOCODER, "place_error": "", "changed_at": now, "job_id": job_id,
    }  # fmt: skip


def variant_columns(files: Sequence[Row]) -> Row:
    """What a photo's files are together: how many, RAW among them, a moving one beside a still one."""
    present = [file for file in files if file["state"] == "ok"]
    kinds = {file["kind"] for file in present}
    return {"variants": len(present), "has_raw": "raw" in kinds, "has_live": {"image", "video"} <= kinds}


def due_again() -> Row:
    """Everything is to be computed again; what was found stays until then."""
    return {f"{stage}_{column}": "" for stage in ANALYSES for column in ("rev", "error")}


def fresh_ledger() -> Row:
    """Nothing is computed yet, or not with this content."""
    return {**due_again(), **NOTHING_FOUND}


def media_again(old: Row, row: Row) -> Row:
    """A known photo read again: with new content everything is to be computed anew."""
    if old["content_id"] != row["content_id"]:
        row = {**row, **fresh_ledger()}
    elif row["has_live"] and not row["live_id"]:  # the video did not change and was not opened
        row = {**row, "live_id": old["live_id"]}
    return {**row, "search_text": search_text({**old, **row})}


def standing_row(photo: Row, files: Sequence[Row]) -> Row:
    """What files a photo has, and the one that speaks for it: missing when none of them is there, read or not."""
    there = [file for file in files if file["state"] != "missing" and file["kind"] != SIDECAR]
    same = [file for file in there if file["state"] == "ok" and file["content_id"] == photo["content_id"]]
    main = min(same, key=lambda file: file["path"], default=None)
    main_file = {"main_file_id": main["file_id"], "name": main["name"]} if main else {}
    kept = {name: photo[name] for name in ("photo_id", "main_file_id", "name")}
    return {**kept, **main_file, **variant_columns(files), "missing": not there, "changed_at": now_utc()}


def search_text(row: Row, names: Sequence[str] = ()) -> str:
    """What full-text search looks into: caption, tags, keywords, text in the picture, people, places, file names."""
    people = [region["name"] for region in row["regions"] or []]
    places = [row[name] for name in PLACE_COLUMNS[:-1]]
    words = [row["title"], row["caption"], *row["tags"], *(row["keywords"] or []), row["ocr"], *people, *places]
    return "\n".join(word for word in [*words, file_words(row["name"]), *names] if word)


def file_words(name: str) -> str:
    """A file's path as words: separators become spaces, the extension stays a word of its own."""
    return re.sub("[/_.-]+", " ", name)


def analysed_row(work: Row, revisions: dict[str, str], now: datetime, faces: int | None = None) -> Row:
    """The columns that analysis owns, after a batch: what was found, and the ledger of the stages that ran.

    `faces`: how many the photo has now, where that stage ran; people's word counts there beside the detector's.
    """
    row: Row = {name: work[name] for name in ("photo_id", *FOUND)}
    for stage in ANALYSES:
        state = work.get(f"{stage}_state", PENDING)
        row[f"{stage}_rev"] = work[f"{stage}_rev"] if state == PENDING else revisions[stage]
        row[f"{stage}_error"] = work[f"{stage}_was"] if state == PENDING else work[f"{stage}_error"] or ""
        if state == DONE:
            row.update(FINDINGS[stage](work[f"{stage}_output"]) if stage in FINDINGS else {})
        elif state == FAILED:
            row.update({name: NOTHING_FOUND[name] for name in OWNED.get(stage, ())})
    if faces is not None:
        row["face_count"] = faces
    return {**row, "search_text": search_text({**work, **row}), "changed_at": now}


def tags_found(output: bytes) -> Row:
    """Columns of tags."""
    tags = msgspec.msgpack.decode(output, type=list[Tag])
    return {"tags": [tag.label for tag in tags], "tag_scores": [tag.score for tag in tags]}


def text_found(output: bytes) -> Row:
    """The column of text read in the picture."""
    return {"ocr": msgspec.msgpack.decode(output, type=Text).text}


def caption_found(output: bytes) -> Row:
    """Columns of the caption and who made it."""
    caption = msgspec.msgpack.decode(output, type=Caption)
    return {"caption": caption.text, "caption_by": caption.made_by}


FINDINGS = {"tags": tags_found, "ocr": text_found, "caption": caption_found}
OWNED = {
    "tags": ("tags", "tag_scores"), "ocr": ("ocr",), "caption": ("caption", "caption_by"),
}  # fmt: skip


def face_rows(output: bytes, model: str) -> list[Row]:
    """What a face model found in a photo, in the detector's order: rows of `faces` without ids, with their vectors."""
    faces = []
    for face in msgspec.msgpack.decode(output, type=list[DetectedFace]):
        edges = dict(zip(("left", "top", "right", "bottom"), face.box, strict=True))
        points = [axis for point in face.landmarks for axis in point]
        faces.append({**edges, "score": face.score, "landmarks": points, "model": model, "vector": face.embedding})
    return faces


def now_utc() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)
