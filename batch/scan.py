"""A scan: what lies in an owner's folder becomes a searchable library. Read this file to know the product.

Two passes, each a list of stages that Ray Data runs over chunks. Pass one, `ingest`, makes photos of files: thumbnails
first, so that people see them while the rest is computed. Pass two, `analyse`, computes what the ledger says is still
to do, newest photos first. A chunk is committed batch by batch; between batches a scan can be paused, cancelled or
killed, and the next one goes on from the rows. Nothing here counts what is done: the rows do.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
from lancedb.expr import col

from batch.changes import COLUMNS, Changes, Known, changes, known_of
from batch.discover import Folder, chunked, inside, list_folder, only
from batch.due import renew
from batch.ingest import FileRead, Geocode, Group, Ingest
from batch.missing import gone
from batch.pipeline import MIN_SHARE, Pool, Run, Stage, cpus, own_share, run
from batch.progress import Reporter
from batch.sink import Committed, Sink
from batch.sources import Source, unvisited
from batch.stages import Forget, Local, Predict, ReadPreview, Served, caption_request, picture
from batch.variants import stem
from batch.waiting import COMING, READERS, READING, why_waiting
from batch.work import embedded, note_remade, pending, with_originals, work_table
from cluster.settings import SERVICE_OF, Settings
from cluster.store.database import Library
from cluster.store.paths import dir_id
from serve_apps.applications import application

CPUS_OF_A_WORKER = 0.5  # that a decode child counts for: half of the CPUs are never spoken for
MOST_IN_FLIGHT = 8  # batches, if the settings do not say: their pictures are in memory
ROUNDS = 3  # over what is pending: a service that was away may be back


def ingest_stages(settings: Settings, root: bytes, derived: Path) -> list[Stage]:
    """Pass one, in order: groups of files in, photos with pictures, metadata and places out."""
    workers = settings.scan.ingest_workers or cpus()
    pool = Pool.of_threads("ingest", workers, CPUS_OF_A_WORKER)
    media = settings.media.model_dump_json()
    return [Stage("thumbnails", pool, Ingest, (media, root, str(derived))), Stage("places", pool, Geocode)]


def analyse_stages(settings: Settings, derived: Path, possible: set[str], root: bytes = b"") -> list[Stage]:
    """Pass two, in order: photos in, what the models say of them out. A stage whose service is stopped is left out."""
    workers = settings.scan.analyse_workers or min(cpus(), MOST_IN_FLIGHT)
    pool = Pool.of_threads("analyse", workers, MIN_SHARE)
    models = [model_stage(settings, name, service, pool) for name, service in SERVICE_OF.items() if name in possible]
    media = settings.media.model_dump_json()
    return [
        Stage("read", pool, ReadPreview, (str(derived), settings.scan.analysis_px, media, root)),
        *models,
        Stage("forget", pool, Forget, (("rgb", "rgb_height", "rgb_width"),)),
    ]


def model_stage(settings: Settings, name: str, service: str, pool: Pool) -> Stage:
    """One model's stage: in the service's replicas, or in actors of the scan's own, as the settings say."""
    spec = settings.services[service]
    assert spec is not None
    request = caption_request if name == "caption" else picture
    if settings.scan.inference == "serve":
        app = application(settings, service, spec).name
        return Stage(name, pool, Predict, (name, Served(app, settings.scan.call_timeout_s), request))
    local = Local(spec.model_dump_json(), str(settings.weights_dir))
    own = Pool(name, spec.max_replicas, cpus=min(max(spec.cpus, MIN_SHARE), own_share(len(SERVICE_OF))), gpus=spec.gpus)
    return Stage(name, own, Predict, (name, local, request))


class Scan:
    """One scan of one library."""

    def __init__(
        self,
        settings: Settings,
        owner: str,
        library: Library,
        sink: Sink,
        source: Source,
        reporter: Reporter,
        services: Callable[[], Mapping[str, str]],
        run: Run = run,
    ) -> None:
        """`source` has the files; `services` tells the state of each; `run` takes rows through stages."""
        self.settings, self.library, self.sink, self.reporter = settings, library, sink, reporter
        self.source, self.services, self.run = source, services, run
        self.others_wait: Callable[[], bool] = lambda: False  # whether its turn is over
        self.given_up: Callable[[], bool] = lambda: self.stopped  # asked by threads that fetch, as often as they like
        self.progress = reporter.progress
        self.root = source.root
        self.derived = settings.derived / owner
        self.guard = source.guard(library, settings.scan.vanish_share, sink.job_id)
        self.vanished: list[Known] = []
        self.bereft: list[Group] = []
        self.visited: set[str] = set()  # ids of folders

    def everything(self) -> str:
        """Scan the whole source; returns what was wanted when it stopped: `run` if it came to its end."""
        self.source.look()
        if self.stopped:  # perhaps before it had seen everything
            return self.reporter.wanted
        self.guard.check()
        renew(self.library, self.source.name)
        for folders in chunked(self.source.walk(self.settings.scan.skip), self.settings.scan.chunk_files):
            self.ingest(folders)
            if self.stopped:
                return self.reporter.wanted
        self.settle()
        return self.analyse()

    def paths(self, paths: Sequence[str]) -> str:
        """Scan some files again, whether they changed or not; returns like `everything`."""
        wanted = {inside(self.root, path) for path in paths}
        folders = sorted({os.path.dirname(path) for path in wanted})
        found = [only(list_folder(self.root, folder, self.settings.scan.skip)[0], wanted) for folder in folders]
        photos = self.ingest(found, force=frozenset(wanted))
        if self.stopped:
            return self.reporter.wanted
        self.close(["thumbnails"])
        return self.analyse(photos)

    def take_turns(self) -> None:
        """Rest after this batch when the scan's turn is over."""
        if self.others_wait():
            self.reporter.give_way()

    @property
    def stopped(self) -> bool:
        """Whether somebody wants the scan to pause or end; once so, it stays so."""
        return self.reporter.wanted != "run"

    def ingest(self, folders: Sequence[Folder], force: frozenset[bytes] = frozenset()) -> list[str]:
        """Pass one over some folders; returns the photos that were read."""
        found = changes(folders, self.known(folders), force)
        self.account(folders, found)
        self.progress.stage("thumbnails").begin(found.reading)
        if self.readable():
            return self.read(found.groups)
        self.progress.skip({"for want of a service": found.reading} if found.reading else {})
        return []

    def read(self, groups: Sequence[Group]) -> list[str]:
        """Make photos of groups of files, once the source has fetched them; returns the photos."""
        photos = []
        for fetched in self.source.fetch(groups, self.given_up) if groups else ():
            self.unfetched(fetched.failed)
            photos += self.made(fetched.groups)
            if self.stopped:
                break
            self.source.release(fetched)
        return photos

    def made(self, groups: Sequence[Group]) -> list[str]:
        """Make photos of groups of files that lie in the folder; returns the photos."""
        stages = ingest_stages(self.settings, self.root, self.derived)
        table = pa.table({"group": pa.array([msgspec.msgpack.encode(group) for group in groups], pa.binary())})
        photos = []
        for batch in self.run(table, stages, self.settings.scan.batch_size) if groups else ():
            photos += self.committed(self.sink.ingested(batch))
            self.take_turns()
            if self.stopped:
                break
        return photos

    def unfetched(self, failed: Sequence[FileRead]) -> None:
        """Account for files that the source could not fetch; those that did not change are accounted for already."""
        if failed:
            self.sink.unfetched(failed)
            self.progress.failed += sum(file.seen.changed for file in failed)

    def known(self, folders: Sequence[Folder]) -> dict[bytes, Known]:
        """What the store remembers of some folders."""
        ids = [dir_id(self.source.name, folder.path) for folder in folders if not folder.error]
        found = self.library.files.rows(col("dir_id").isin(ids), COLUMNS).to_pylist()
        return {row["path"]: known_of(row) for row in found}

    def account(self, folders: Sequence[Folder], found: Changes) -> None:
        """Count every entry of the folders once: listed = committed + failed + skipped."""
        for folder in folders:
            self.visited.add(dir_id(self.source.name, folder.path))
            self.progress.listed += len(folder.files) + sum(folder.skipped.values()) + bool(folder.error)
            self.progress.skip(folder.skipped)
            if folder.error:
                self.progress.failed += 1
                self.sink.failed_folder(folder.path, folder.error)
        if found.failing:
            self.sink.failed_again(found.failing)
            self.progress.failed += len(found.failing)
        self.progress.skip({"unchanged": found.unchanged} if found.unchanged else {})
        self.vanished += found.vanished
        self.bereft += found.bereft

    def committed(self, outcome: Committed) -> list[str]:
        """Count what a commit did; returns its photos."""
        self.progress.committed += outcome.committed
        self.progress.failed += outcome.failed
        self.progress.skip({"a sidecar without a photo": outcome.alone} if outcome.alone else {})
        self.progress.stage("thumbnails").advance(outcome.committed + outcome.alone, outcome.failed)
        self.progress.fact("photos_added", outcome.added)
        self.progress.fact("photos_changed", outcome.changed)
        return outcome.photos

    def settle(self) -> None:
        """Say which known files are gone, unless the guard doubts that the folder is really there.

        Those whose bytes lie elsewhere now are not lost and need no such question.
        """
        elsewhere = unvisited(self.library, self.source.name, self.visited)  # whole folders that the walk did not meet
        lost = [file.file_id for file in [*self.vanished, *elsewhere] if self.source.is_gone(file.path)]
        found = gone(self.library, lost, self.sink.job_id)
        doubt = self.guard.doubt(len(found.missing), bool(lost), self.progress.listed > 0)
        if doubt and found.missing:
            self.progress.fact("gone_unmarked", len(found.missing))
            self.progress.fact(doubt, 1)
        if doubt:
            found = msgspec.structs.replace(found, missing=[], useless=[])
        stems = {stem(file["path"]) for file in found.files()}
        bereft = [group for group in self.bereft if stem(group.files[0].path) in stems]
        if lost:
            self.sink.gone(found, [file.path for group in bereft for file in group.files])
        for name, count in found.counts().items():
            self.progress.fact(name, count)
        if self.readable():
            self.read(bereft)  # otherwise the next scan reads them
        self.guard.sign() if self.guard.sure else self.guard.name_library()
        self.close(["thumbnails"])

    def analyse(self, only_photos: Sequence[str] | None = None) -> str:
        """Pass two: what the ledger says is to do, newest first; returns like `everything`."""
        wanted = self.settings.revisions
        self.adopt(wanted)
        todo = pending(self.library.photos, wanted, only_photos)
        for stage in wanted:
            self.progress.stage(stage).begin(todo.counts[stage])
        for _ in range(ROUNDS):
            self.analyse_all(todo.photo_ids, wanted)
            todo = pending(self.library.photos, wanted, only_photos)
            if self.stopped or not any(todo.counts[stage] for stage in self.possible()):
                break
        if self.stopped:
            return self.reporter.wanted
        self.close(wanted)
        return "run"  # a wish that comes now comes too late

    def adopt(self, wanted: dict[str, str]) -> None:
        """Note of photos that have the vector of the model in use that they have it: it was made while another was."""
        for photos in embedded(self.library, wanted["clip"]) if "clip" in wanted else ():
            self.sink.adopted(photos, wanted["clip"])

    def analyse_all(self, photo_ids: Sequence[str], wanted: dict[str, str]) -> None:
        """Pass two over some photos, chunk by chunk."""
        size = self.settings.scan.chunk_photos
        for start in range(0, len(photo_ids), size):
            self.analyse_chunk(photo_ids[start : start + size], wanted)
            if self.stopped:
                return

    def possible(self) -> set[str]:
        """The stages that have a model to do them now, or soon."""
        states = self.services()
        return {stage for stage in self.settings.revisions if states[SERVICE_OF[stage]] in COMING}

    def readable(self) -> bool:
        """Whether files may be read: that is the work of two services, in one go."""
        states = self.services()
        return all(states[service] in READING for service in READERS)

    def analyse_chunk(self, photo_ids: Sequence[str], wanted: dict[str, str]) -> None:
        """Pass two over some photos."""
        stages = analyse_stages(self.settings, self.derived, self.possible(), self.root)
        work = with_originals(self.library, work_table(self.library.photos, photo_ids, wanted), self.source.name)
        for batch in self.run(work, stages, self.settings.scan.batch_size):
            note_remade(self.sink.writer, batch)
            for stage, (done, failed) in self.sink.analysed(batch, wanted).items():
                if stage in wanted:
                    self.progress.stage(stage).advance(done, failed)
            self.take_turns()
            if self.stopped:
                return

    def close(self, stages: Iterable[str]) -> None:
        """Say of each stage whether it is done, or why photos wait for it."""
        states = self.services()
        for name in stages:
            stage = self.progress.stage(name)
            left = stage.total - stage.done - stage.failed
            stage.state, stage.note = ("pending", why_waiting(name, states)) if left > 0 else ("done", "")
