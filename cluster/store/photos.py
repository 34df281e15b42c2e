"""Photos: one row for each capture, with the ledger of what was done to it. Pages of them are `timeline.py`'s.

The ledger: for each stage, which revision of its model was last tried ("" for none), and what went wrong ("" for
nothing). Work to do is a query, resuming is asking it again, and a new model is a new revision.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from lancedb.expr import Expr, col, lit

from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, maybe, texts
from cluster.store.table import Table

STAGES = ("media", "place", "clip", "faces", "tags", "ocr", "caption")

REGION = pa.struct(
    [column("name", pa.string()), *[column(side, pa.float32()) for side in ("left", "top", "right", "bottom")]]
)

SCHEMA = pa.schema(
    [
        key("photo_id"),
        *texts("main_file_id", "content_id", "name", "kind"),  # kind: image, raw, video; content of the main file
        column("variants", pa.int32()),  # files, sidecars too
        column("has_raw", pa.bool_()),
        column("has_live", pa.bool_()),
        column("missing", pa.bool_()),
        column("width", pa.int32()),  # upright
        column("height", pa.int32()),
        maybe("duration_s", pa.float64()),
        column("size", pa.int64()),  # bytes of the main file
        maybe("taken_at", TIME),
        maybe("taken_offset_min", pa.int32()),
        *texts("taken_source"),  # exif, quicktime, xmp, name, mtime
        *[maybe(name, pa.float64()) for name in ("latitude", "longitude", "altitude")],  # degrees, metres
        *texts("place", "county", "state", "country", "country_code"),
        *texts("camera_make", "camera_model", "lens"),
        maybe("iso", pa.int32()),
        *[maybe(name, pa.float64()) for name in ("f_number", "exposure_s", "focal_mm")],
        maybe("rating", pa.int8()),
        column("orientation", pa.int8()),
        column("keywords", pa.list_(pa.string())),
        *texts("live_id"),
        column("regions", pa.list_(REGION)),
        *texts("title"),
        column("flags", pa.list_(pa.string())),  # such as "truncated"
        column("tags", pa.list_(pa.string())),
        column("tag_scores", pa.list_(pa.float32())),
        *texts("caption", "caption_by", "ocr"),
        column("face_count", pa.int32()),
        *texts("search_text"),  # what full-text search looks into
        *texts("tag_keys", "keyword_keys"),  # follow from tags and keywords; see `words`
        column("added_at", TIME),
        column("changed_at", TIME),
        *texts("job_id"),
        *texts(*[f"{stage}_{what}" for stage in STAGES for what in ("rev", "error")]),
        *texts("event_id"),  # "": in none
        maybe("derived_bytes", pa.int64()),  # of its previews and thumbnails; null: made when nobody counted
        *texts("placeholder"),  # the photo as 4 x 4 pixels, as base64; "": read when nobody made any
    ]
)
WORDS = {"tag_keys": "tags", "keyword_keys": "keywords"}


def word(text: str) -> str:
    """A tag as it is compared: without case and without line ends."""
    return " ".join(text.casefold().split())


def words(tags: Sequence[str] | None) -> str:
    """Tags as one text, each between line ends: expressions can look into text, not into lists."""
    return "\n" + "".join(f"{word(tag)}\n" for tag in tags or ())


def tagged(tag: str) -> Expr:
    """Lets photos through that have a tag or a keyword, whatever its case."""
    between = lit(f"\n{word(tag)}\n")
    return col("tag_keys").contains(between) | col("keyword_keys").contains(between)


def due(revisions: Mapping[str, str]) -> Expr:
    """Lets photos through that some stage has yet to see at its revision.

    Not missing ones, and for the stages after media only those that have a preview.
    """
    behind = lit(False)
    for stage, revision in revisions.items():
        step = col(f"{stage}_rev") != lit(revision)
        behind = behind | (step if stage == "media" else step & viewable())
    return behind & ~col("missing")


def viewable() -> Expr:
    """Lets photos through that have a preview."""
    return (col("media_rev") != lit("")) & (col("media_error") == lit(""))


class Photos(Table):
    """The photos of a library."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "photos", SCHEMA, "photo_id", text_column="search_text")

    def completed(self, rows: pa.Table) -> pa.Table:
        """Rows with the searchable text of their tags and keywords."""
        for derived, given in WORDS.items():
            if given in rows.column_names:
                values = pa.array([words(tags) for tags in rows[given].to_pylist()], pa.string())
                rows = rows.drop_columns([derived]) if derived in rows.column_names else rows
                rows = rows.append_column(column(derived, pa.string()), values)
        return rows

    def matching(self, text: str, limit: int, where: Expr | None = None) -> list[tuple[str, float]]:
        """The photos whose search text fits a text best, best first: (photo_id, BM25 score), under a filter."""
        if limit < 1:  # to LanceDB 0 is no limit
            return []
        query = self.lance.search(text, query_type="fts", fts_columns="search_text")
        query = query.where(where, prefilter=True) if where is not None else query
        found = query.select(["photo_id", "_score"]).limit(limit).to_arrow().to_pylist()
        return [(row["photo_id"], row["_score"]) for row in found]

    def pending(
        self, revisions: Mapping[str, str], limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Photos that some of the stages has yet to see at its revision, newest first.

        A photo that failed at a revision is not asked for again; see `retry`.
        """
        order = self.rows(due(revisions), ["photo_id"], limit, "taken_at", descending=True)
        return self.by_keys(order["photo_id"].to_pylist(), columns)

    def pending_counts(self, revisions: Mapping[str, str]) -> dict[str, int]:
        """How many photos each stage has yet to see at its revision."""
        return {stage: self.count(due({stage: revision})) for stage, revision in revisions.items()}

    def retry(self, stage: str) -> int:
        """Make the photos that failed at a stage pending again, and return how many."""
        return self.change(col(f"{stage}_error") != lit(""), {f"{stage}_rev": "", f"{stage}_error": ""})

    def redo(self, stages: Sequence[str], photo_ids: Sequence[str] | None = None) -> int:
        """Make all photos, or some, pending at some stages, and return how many."""
        values: dict[str, Any] = {f"{stage}_{what}": "" for stage in stages for what in ("rev", "error")}
        where = lit(True) if photo_ids is None else col("photo_id").isin(list(photo_ids))
        return self.change(where, values)
