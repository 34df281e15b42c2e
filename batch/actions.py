"""What each Library action does, as a table: the name of an action, and the function that does it with its tools.

How a job begins and ends is `jobs.py`'s business; which action does what in which order stands here.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lancedb.expr import col, lit

from batch.connections import Connections, reaching
from batch.deletion import delete_missing
from batch.due import forget, forgive
from batch.events import generate
from batch.former import Formers
from batch.leaving import leave
from batch.metadata import SaveMetadata
from batch.mirror import Mirror, mirror_of
from batch.nextcloud.faults import Maintenance, Throttled
from batch.nextcloud.patience import Patience
from batch.people import Training
from batch.progress import Reporter
from batch.rows import now_utc
from batch.saving import repair
from batch.scan import Scan
from batch.sink import Sink
from batch.sources import OwnFolder, Source
from batch.trash import Taken
from batch.turns import (
    ANALYSE,
    DELETE_MISSING,
    EVENTS,
    LEAVE_NEXTCLOUD,
    RESCAN_FACES,
    SAVE_METADATA,
    SCAN,
    SCAN_NEXTCLOUD,
    TRAIN,
    Turn,
)  # fmt: skip
from batch.unsaving import Unsaving, undoable
from batch.vectors import NewVectors
from cluster.settings import SERVICE_OF, SERVICES, Settings
from cluster.store.choices import chosen, in_use
from cluster.store.database import Library, System
from cluster.store.files import FOLDER
from cluster.store.jobs import PREPARED, Job

LOOK_S = 1.0  # between two questions whose turn it is


@dataclass(frozen=True)
class Tools:
    """All that an action works with."""

    settings: Settings
    system: System
    job: Job
    reporter: Reporter
    library: Library
    sink: Sink

    @property
    def in_use(self) -> Settings:
        """The settings with the models that are in use."""
        return in_use(self.settings, self.system.choices.all())

    @property
    def root(self) -> Path:
        """The owner's folder of originals."""
        return Path(self.system.users.get(self.job.owner).scan_directory)

    def scan(self, source: Source | None = None) -> Scan:
        """A scan of the owner's folder, or of another source, with the models that are in use."""
        services, source = partial(states, self.settings, self.system), source or OwnFolder(os.fsencode(self.root))
        sink = Sink(self.library, self.sink.writer, self.job.job_id, source.name)
        return Scan(self.in_use, self.job.owner, self.library, sink, source, self.reporter, services)

    @contextmanager
    def mirror(self) -> Iterator[Mirror]:
        """The owner's Nextcloud as a source; raises NotFound where they are not connected to one."""
        connections = Connections(self.settings, self.system, reaching(self.settings.nextcloud, Patience()))
        connection, user = self.system.sources.get(self.job.owner), self.system.users.get(self.job.owner)
        with closing(connections), connections.noting(connection):
            yield Mirror(
                self.settings, connection, mirror_of(self.settings, user.name), self.library, self.sink.writer,
                connections.account(connection), self.reporter.progress, self.in_turn(),
            )  # fmt: skip

    def stopped(self) -> bool:
        """Whether somebody wants the job to pause or end."""
        return self.reporter.wanted != "run"

    def in_turn(self) -> Callable[[], bool]:
        """Says, however often it is asked, whether the job is to stop: somebody wants it to, or its turn is over."""
        turn, looked = self.turn(), time.monotonic()

        def stopped() -> bool:
            nonlocal looked
            if time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                if turn():
                    self.reporter.give_way()
            return self.stopped()

        return stopped

    def turn(self) -> Turn:
        """Says after each batch whether the job's turn is over."""
        return Turn(self.system.jobs, self.job.job_id, self.settings.scan.turn_s)


def scan(tools: Tools) -> None:
    """The action `scan`."""
    one, arguments = tools.scan(), tools.job.arguments
    repair(tools.settings, tools.job.owner, tools.library, tools.sink.writer, tools.root)  # a killed save left it so
    if paths := arguments.get("paths"):
        ended = one.paths(paths)
    else:
        prepare(one, tools.job, tools.reporter)
        one.others_wait = tools.turn()  # not above: files that are named are read again from the first one
        ended = one.everything()
    if ended == "run":
        follow_up(tools)


def scan_nextcloud(tools: Tools) -> None:
    """The action `scan-nextcloud`: what is on the owner's Nextcloud is fetched and scanned.

    While the server is being maintained the job rests, and says so.
    """
    try:
        with tools.mirror() as source:
            one = tools.scan(source)
            prepare(one, tools.job, tools.reporter)
            one.others_wait, one.given_up = tools.turn(), tools.in_turn()  # a slow server must not hold up everybody
            if one.everything() == "run":
                follow_up(tools)
    except (Maintenance, Throttled) as fault:
        tools.reporter.rest(f"{fault} Then resume this job.")


def leave_nextcloud(tools: Tools) -> None:
    """The action `leave-nextcloud`: photos that are nowhere but on a Nextcloud go to the trash."""
    stage, job = tools.reporter.progress.stage("photos"), tools.job
    tell(tools, leave(tools.library, tools.sink.writer, Taken(job.job_id, job.by or job.owner, now_utc()),
                      tools.stopped, stage))  # fmt: skip


def follow_up(tools: Tools) -> None:
    """What a scan's photos make due in the library as a whole: whose their faces are, which events they are of."""
    read = tools.library.photos.rows(col("job_id") == lit(tools.job.job_id), ["photo_id", "regions"]).to_pylist()
    looked = tools.reporter.progress.stages.get("faces")
    named = any(photo["regions"] for photo in read)  # by sidecars, perhaps of photos whose pictures did not change
    again = tools.job.attempt > 1  # stages count their own attempt, and the former may have ended anywhere
    moved = faces_moved(tools) if (looked and looked.done) or named or again else 0
    new = None if moved or again else [photo["photo_id"] for photo in read]  # titles name people
    found = generate(tools.library, tools.sink.writer, now_utc(), new)
    tools.reporter.progress.fact("events", found["events"])


def train(tools: Tools) -> None:
    """The action `train-faces`; events are titled anew, for they name people: also of what a former attempt moved."""
    if faces_moved(tools) or tools.job.attempt > 1:
        generate(tools.library, tools.sink.writer, now_utc())


def faces_moved(tools: Tools) -> int:
    """Train; returns how many faces changed hands."""
    model = tools.in_use.revisions.get("faces")
    if model is None:
        return 0
    counts = Training(tools.library, tools.sink.writer, model).run()
    tell(tools, counts)
    return counts["faces_moved"]


def generate_events(tools: Tools) -> None:
    """The action `generate-events`."""
    found = generate(tools.library, tools.sink.writer, now_utc())
    tell(tools, {name if name == "events" else f"events_{name}": count for name, count in found.items()})


def remove_missing(tools: Tools) -> None:
    """The action `delete-missing`: photos whose files are gone go to the trash."""
    stage, job = tools.reporter.progress.stage("photos"), tools.job
    counts = delete_missing(
        tools.settings, tools.library, tools.sink.writer, tools.root, job.job_id, job.by or job.owner,
        job.arguments.get("confirm"), tools.stopped, stage.advance,
    )  # fmt: skip
    tell(tools, counts)


def save_metadata(tools: Tools) -> None:
    """The action `save-metadata`: what is known of photos is written beside them, or into them; or that is undone."""
    stage, owner = tools.reporter.progress.stage("photos"), tools.job.owner
    if undone := tools.job.arguments.get("undo"):
        unsave(tools, undone)
        return
    stage.begin(tools.library.photos.count(~col("missing")))
    saving = SaveMetadata(
        tools.settings, owner, tools.library, tools.sink.writer, tools.root, bool(tools.job.arguments.get("in_file")),
        tools.job.job_id, tools.in_turn(), stage.advance,
    )  # fmt: skip
    saved = saving.all()
    stage.state = "pending" if tools.stopped() else "done"
    tell(tools, {"written": saved.written, "unchanged": saved.unchanged, "failed_photos": len(saved.failed)})


def unsave(tools: Tools, undone: str) -> None:
    """The action `save-metadata` with a job to undo: files become what they were before it."""
    stage, owner = tools.reporter.progress.stage("files"), tools.job.owner
    undoable(tools.system, owner, undone)
    stage.begin(len(Formers(tools.settings, owner).records(undone)))
    told = Unsaving(
        tools.settings, owner, tools.library, tools.sink.writer, tools.root, tools.job.job_id, tools.in_turn(),
        stage.advance,
    ).all(undone)  # fmt: skip
    stage.state = "pending" if tools.stopped() else "done"
    tell(tools, {"undone": told.undone, "unchanged": told.unchanged, "failed_files": len(told.failed)})


def tell(tools: Tools, counts: Mapping[str, int]) -> None:
    """Say in the job what it came to."""
    for name, count in counts.items():
        tools.reporter.progress.fact(name, count)


def rescan_faces(tools: Tools) -> None:
    """The action `rescan-faces`: faces of all photos are detected again; what people said of them stays."""
    one = tools.scan()
    if not tools.reporter.progress.prepared:
        tools.library.photos.redo(["faces"])
        tools.reporter.progress.fact(PREPARED, 1)
        tools.reporter.beat()
    one.others_wait = tools.turn()
    if one.analyse() == "run":
        train(tools)


def analyse(tools: Tools) -> None:
    """The action `analyse`: what a change of model makes due, or the vectors that it needs before it can be."""
    choices = tools.system.choices.all()
    waits = tools.turn()
    if tools.job.arguments.get("part") != "vectors":
        if tools.job.arguments.get("retry"):
            forgive(tools.library, FOLDER)
        one = tools.scan()
        one.others_wait = waits
        one.analyse()
    elif choices[SERVICE_OF["clip"]].changed_at.isoformat() == tools.job.arguments["since"]:  # else: changed again
        settings = chosen(tools.settings, choices)
        root = os.fsencode(tools.root)
        NewVectors(settings, tools.job.owner, tools.library, tools.sink, tools.reporter, waits, root=root).all()


def prepare(one: Scan, job: Job, reporter: Reporter) -> None:
    """What a full scan, or a retry, makes work again: once in a job's life, whatever number of attempts it takes."""
    if reporter.progress.prepared:
        return
    if job.arguments.get("retry"):  # first: to do all again is more than to do again what failed
        forgive(one.library, one.source.name)
    elif job.arguments.get("full"):
        forget(one.library, one.source.name)
    reporter.progress.fact(PREPARED, 1)
    reporter.beat()


def states(settings: Settings, system: System) -> dict[str, str]:
    """The state of each service; where a scan loads models of its own, what counts is whether somebody stopped it."""
    if settings.scan.inference == "actors":
        stopped = {name for name, wish in system.services.wishes().items() if wish.wanted == "stopped"}
        return {name: "stopped" if name in stopped else "healthy" for name in SERVICES}
    from serve_apps.fleet import Fleet  # with Ray Serve, a second: needed once there is something to analyse

    return {status.name: status.state for status in Fleet(settings, system).statuses()}


DO: dict[str, Callable[[Tools], object]] = {
    SCAN: scan,
    SCAN_NEXTCLOUD: scan_nextcloud,
    LEAVE_NEXTCLOUD: leave_nextcloud,
    TRAIN: train,
    RESCAN_FACES: rescan_faces,
    EVENTS: generate_events,
    DELETE_MISSING: remove_missing,
    SAVE_METADATA: save_metadata,
    ANALYSE: analyse,
}
