"""Vectors of a model that is to be in use, made beside those of the one in use, on which search stays meanwhile.

The photos' rows are not touched: they tell of the model in use. What is still to do is who has no vector yet.
"""

from collections.abc import Callable

from batch.pipeline import Run, run
from batch.progress import Reporter
from batch.scan import analyse_stages
from batch.sink import Sink
from batch.work import note_remade, unembedded, with_originals, work_table
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.files import FOLDER


class NewVectors:
    """The vectors of one library by the CLIP model of the settings given."""

    def __init__(
        self,
        settings: Settings,
        owner: str,
        library: Library,
        sink: Sink,
        reporter: Reporter,
        others_wait: Callable[[], bool],
        run: Run = run,
        root: bytes = b"",
    ) -> None:
        """`settings` are those with the models that are to be in use; `others_wait` says whether a scan waits.

        `root` is the owner's folder, from which previews that are gone are made again.
        """
        self.settings, self.library, self.sink, self.reporter = settings, library, sink, reporter
        self.others_wait, self.run, self.root = others_wait, run, root
        self.derived = settings.derived / owner
        self.model = settings.revisions["clip"]
        self.stage = reporter.progress.stage("clip")

    def all(self) -> None:
        """Embed every photo that has no vector of the model, newest first; a scan that waits goes before."""
        photo_ids = unembedded(self.library, self.model)
        self.stage.begin(len(photo_ids))
        size = self.settings.scan.chunk_photos
        for start in range(0, len(photo_ids), size):
            self.some(photo_ids[start : start + size])
            if self.reporter.wanted != "run":
                return
        left = self.stage.total - self.stage.done - self.stage.failed
        self.stage.state = "pending" if left else "done"
        self.stage.note = "its service went away meanwhile" if left else ""

    def some(self, photo_ids: list[str]) -> None:
        """Embed some photos, batch by batch."""
        stages = analyse_stages(self.settings, self.derived, {"clip"}, self.root)
        work = with_originals(self.library, work_table(self.library.photos, photo_ids, {"clip": self.model}), FOLDER)
        for batch in self.run(work, stages, self.settings.scan.batch_size):
            note_remade(self.sink.writer, batch)
            self.stage.advance(*self.sink.embedded(batch, self.model))
            if self.others_wait():
                self.reporter.give_way()
            if self.reporter.wanted != "run":
                return
