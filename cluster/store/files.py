"""Files: one row for each path in a source, as it was last seen. Reading and grouping them is `batch`'s business."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col, lit

from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, texts
from cluster.store.table import Table

FOLDER, NEXTCLOUD = "folder", "nextcloud"  # sources: the owner's scan directory, and what is in their Nextcloud
SCHEMA = pa.schema(
    [
        key("file_id"),
        *texts("source", "dir_id"),
        column("path", pa.binary()),  # raw bytes relative to the source
        *texts("name", "stem", "kind"),  # kind: image, raw, video, xmp
        column("size", pa.int64()),
        column("mtime_ns", pa.int64()),
        *texts("content_id", "photo_id", "state", "error"),  # state: ok, failed, missing
        column("tries", pa.int8()),
        *texts("job_id"),
        column("seen_at", TIME),
    ]
)


class Files(Table):
    """The files of a library."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "files", SCHEMA, "file_id")

    def in_folders(self, dir_ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """The files of some folders, missing ones too."""
        return self.rows(col("dir_id").isin(list(dir_ids)), columns)

    def of_photos(self, photo_ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """The files of some photos: main files, variants and sidecars."""
        return self.rows(col("photo_id").isin(list(photo_ids)), columns)

    def of_contents(self, content_ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """The files with the same bytes as some contents, missing ones too: how a moved file is recognised."""
        return self.rows(col("content_id").isin(list(content_ids)), columns)

    def of_source(self, source: str, columns: Sequence[str] | None = None) -> pa.Table:
        """All files of a source; ask for few columns."""
        return self.rows(col("source") == lit(source), columns)

    def bytes_stored(self) -> int:
        """The sum of the sizes of the files that are there."""
        present = self.batches(col("state") != lit("missing"), ["size"])
        return sum(pc.sum(batch["size"]).as_py() or 0 for batch in present)
