"""What one has just said is there when one looks: a writer after whose commits this process reads them at once."""

from collections.abc import Sequence

from batch.sink import Commits
from cluster.store.database import Library
from cluster.store.writer import Write


class Visible:
    """A writer with a library whose tables are read anew after each commit; else they would be a second late."""

    def __init__(self, library: Library, writer: Commits) -> None:
        self.library, self.writer = library, writer

    def commit(self, writes: Sequence[Write]) -> None:
        """Commit writes durably, and see them."""
        self.writer.commit(writes)
        for name in sorted({write.table for write in writes}):
            self.library.table(name).lance.checkout_latest()
