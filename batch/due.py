"""What makes files and photos of a source work again: a full rescan, a retry, an older Brightroom that read them.

Nothing is taken back: everything stays visible until it is done anew.
"""

from lancedb.expr import Expr, col, lit

from batch import rows
from batch.changes import NEVER
from batch.ingest import GEOCODER
from cluster.settings import SERVICE_OF
from cluster.store.database import Library


def forget(library: Library, source: str) -> None:
    """Make every file and photo work again: a full rescan."""
    library.files.change(of(source) & (col("state") != lit("missing")), {"mtime_ns": NEVER})
    library.photos.redo(list(SERVICE_OF))


def forgive(library: Library, source: str) -> None:
    """Make what failed work again."""
    library.files.change(of(source) & (col("state") == lit("failed")), {"mtime_ns": NEVER})
    for stage in SERVICE_OF:
        library.photos.retry(stage)


def renew(library: Library, source: str) -> None:
    """Make the files of photos work again that were read by an older Brightroom, or placed by an older table."""
    older = (col("media_rev") != lit(rows.MEDIA_REVISION)) | (col("place_rev") != lit(GEOCODER))
    for batch in library.photos.batches(older & ~col("missing"), ["photo_id"]):
        photos = batch["photo_id"].to_pylist()
        library.files.change(of(source) & col("photo_id").isin(photos), {"mtime_ns": NEVER})


def of(source: str) -> Expr:
    """Lets the files of a source through."""
    return col("source") == lit(source)
