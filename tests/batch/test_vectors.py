"""Vectors of a coming model beside those in use: the real stages, sink and writer, and a tiny model in this process."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from batch.pipeline import Stage
from batch.progress import Reporter
from batch.scan import Scan
from batch.sink import Sink
from batch.stages import Predict
from batch.vectors import NewVectors
from batch.work import unembedded
from cluster.errors import Unavailable
from cluster.settings import ModelSpec, Settings
from cluster.store.database import open_system
from cluster.store.writer import Writer
from serve_apps.applications import application
from tests.batch.bench_of_one import OWNER, Bench, all_well

CLIP = "clip_embeddings"
OLD, NEW = (ModelSpec(kind="clip", checkpoint=name, revision="1") for name in ("old", "new"))


class Tiny:
    """A model that knows a picture's number by its colour, and turns it into a vector."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.seen: list[int] = []
        self.batches: list[int] = []  # how large each was
        self.fails: set[int] = set()
        self.away = False
        self.then: Callable[[], object] = int  # called after a batch

    def predict(self, batch: Sequence[Any]) -> list[list[float]]:
        """A vector for each picture."""
        if self.away:
            raise Unavailable("the service does not answer")
        numbers = [round(float(picture[..., 0].mean()) / 40) for picture in batch]
        self.seen += numbers
        self.batches.append(len(numbers))
        if wrong := self.fails & {*numbers}:
            raise ValueError(f"cannot embed {sorted(wrong)}")
        self.then()
        return [[float(np.cos(number)), float(np.sin(number)), *[0.0] * (self.width - 2)] for number in numbers]


class Home(Bench):
    """A folder of photos, its library, and two models for it."""

    old, new = Tiny(2), Tiny(3)

    def with_model(self, spec: ModelSpec) -> Settings:
        """Our settings with a model in use, or to be in use."""
        scan = self.settings.scan.model_copy(update={"analyse_workers": 1, "chunk_photos": 4})
        return self.settings.model_copy(update={"services": {CLIP: spec}, "scan": scan})

    def run(self, table: pa.Table, stages: Sequence[Stage], batch_size: int) -> Iterator[pa.Table]:
        """The rows after all stages, in this process; the model is that of the application which is asked."""
        apps = {
            application(self.settings, CLIP, spec).name: model for spec, model in ((OLD, self.old), (NEW, self.new))
        }
        steps = [
            Predict(stage.name, lambda name=stage.args[1].application: apps[name], stage.args[2])  # type: ignore[misc]
            if stage.build is Predict
            else stage.build(*stage.args)
            for stage in stages
        ]
        for start in range(0, len(table), batch_size):
            batch = table.slice(start, batch_size)
            for step in steps:
                batch = step(batch)
            yield batch

    def reporter(self) -> Reporter:
        """The reporter of a job that runs; the board is nobody's."""
        jobs = open_system(self.settings).jobs
        nobody: Any = SimpleNamespace()
        return Reporter(nobody, jobs, jobs.start(jobs.create(OWNER, "analyse", {}).job_id))

    def sink(self, job_id: str) -> Sink:
        """A sink for a job."""
        library = self.library
        return Sink(library, Writer(library, self.settings.store), job_id)

    def analyse(self, spec: ModelSpec) -> None:
        """Pass two with a model in use."""
        reporter = self.reporter()
        sink = self.sink(reporter.job.job_id)
        settings = self.with_model(spec)
        Scan(settings, OWNER, sink.library, sink, self.source, reporter, all_well, self.run).analyse()

    def vectors(self, others_wait: Callable[[], bool] = bool, reporter: Reporter | None = None) -> Reporter:
        """The job that makes vectors of the new model; its reporter."""
        reporter = reporter or self.reporter()
        sink = self.sink(reporter.job.job_id)
        NewVectors(self.with_model(NEW), OWNER, sink.library, sink, reporter, others_wait, self.run).all()
        return reporter

    def embedded(self, spec: ModelSpec) -> dict[str, list[float]]:
        """The vectors of a model by photos' names."""
        table = self.library.registry.find(spec.name)
        found = table.vectors([*self.ids().values()]) if table else {}
        return {name: found[photo] for name, photo in self.ids().items() if photo in found}

    def revisions(self) -> dict[str, str]:
        """Which model the ledger tells of, by photos' names."""
        rows = self.library.photos.rows(columns=["name", "clip_rev", "clip_error"]).to_pylist()
        return {row["name"]: row["clip_rev"].split("@")[0] + ("!" if row["clip_error"] else "") for row in rows}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Six photos that were scanned with the old model."""
    made = Home(tmp_path)
    made.old, made.new = Tiny(2), Tiny(3)
    for number in range(1, 7):
        made.photo(f"{number}.jpg", number)
    made.scan()
    made.analyse(OLD)
    yield made
    made.close()


def test_new_vectors_go_to_a_table_of_their_own_and_change_nothing_else(home: Home):
    """Neither the photos' rows nor the old vectors, on which search stays."""
    before, old = home.library.photos.rows().to_pylist(), home.embedded(OLD)

    reporter = home.vectors()

    assert home.library.photos.rows().to_pylist() == before
    assert home.embedded(OLD) == old
    vectors = home.embedded(NEW)
    assert len(vectors) == 6
    assert all(len(vector) == 3 for vector in vectors.values())
    assert vectors["2.jpg"] == pytest.approx([np.cos(2), np.sin(2), 0])
    stage = reporter.progress.stage("clip")
    assert (stage.total, stage.done, stage.failed, stage.state, stage.note) == (6, 6, 0, "done", "")
    assert sorted(home.old.seen) == [1, 2, 3, 4, 5, 6], "the old model was asked again"


def test_a_second_time_nothing_is_left_to_do(home: Home):
    """Only what has come since."""
    home.vectors()
    home.new.seen.clear()
    home.photo("seventh.jpg", 0)
    home.scan()

    reporter = home.vectors()

    assert home.new.seen == [0]
    assert reporter.progress.stage("clip").total == 1


def test_the_newest_are_first(home: Home):
    """Batch by batch, over chunks."""
    home.vectors()

    names = {photo: name for name, photo in home.ids().items()}
    rows = home.library.photos.rows(columns=["photo_id", "taken_at"]).to_pylist()
    newest = sorted(rows, key=lambda row: (-row["taken_at"].timestamp(), row["photo_id"]))
    assert home.new.batches == [2, 2, 2]
    assert home.new.seen == [int(names[row["photo_id"]][0]) for row in newest]


def test_a_photo_that_fails_costs_itself_and_is_told_of(home: Home):
    """It has no new vector and an error of this job; its row tells of the old model as before."""
    home.new.fails = {3}

    reporter = home.vectors()

    stage = reporter.progress.stage("clip")
    assert (stage.total, stage.done, stage.failed, stage.state) == (6, 5, 1, "done")
    assert set(home.embedded(NEW)) == {"1.jpg", "2.jpg", "4.jpg", "5.jpg", "6.jpg"}
    (error,) = home.library.errors.of_job(reporter.job.job_id).to_pylist()
    assert (error["name"], error["stage"]) == ("3.jpg", "clip")
    assert "cannot embed [3]" in error["reason"]
    assert set(home.revisions().values()) == {"old"}


def test_a_service_that_goes_away_leaves_photos_and_says_so(home: Home):
    """None failed; the next job makes the rest."""
    home.new.then = lambda: setattr(home.new, "away", True)

    reporter = home.vectors()

    stage = reporter.progress.stage("clip")
    assert (stage.done, stage.failed, stage.state) == (2, 0, "pending")
    assert "went away" in stage.note
    home.new.then, home.new.away = int, False
    assert home.vectors().progress.stage("clip").done == 4


def test_it_gives_way_to_a_scan_that_waits_and_goes_on_where_it_was(home: Home):
    """After the batch it is at; what was embedded stays and is not embedded again."""
    reporter = home.vectors(others_wait=lambda: True)

    assert reporter.heeded == "pause"
    assert len(home.embedded(NEW)) == 2
    assert reporter.progress.stage("clip").done == 2

    home.vectors()
    assert len(home.embedded(NEW)) == 6
    assert sorted(home.new.seen) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("wish", ["pause", "cancel"])
@pytest.mark.parametrize("scan_waits", [False, True])
def test_a_wish_is_heeded_at_a_batchs_edge(home: Home, wish: str, scan_waits: bool):
    """What the batch made is committed and counted; a waiting scan makes no pause of a cancel."""
    reporter = home.reporter()
    home.new.then = lambda: setattr(reporter, "wish", wish)

    home.vectors(lambda: scan_waits, reporter)

    assert len(home.embedded(NEW)) == 2
    assert reporter.progress.stage("clip").done == 2
    assert reporter.heeded == wish


def test_photos_that_cannot_be_seen_are_left_out(home: Home):
    """One whose file is gone, and one that could not be read."""
    (home.folder / "1.jpg").unlink()
    (home.folder / "torn.jpg").write_bytes(b"no picture")
    home.scan()

    home.vectors()

    assert sorted(home.new.seen) == [2, 3, 4, 5, 6]


def test_an_edited_photo_loses_its_new_vector_and_gets_it_again(home: Home):
    """It was of another picture."""
    home.vectors()
    before = home.embedded(NEW)

    home.photo("1.jpg", 9)
    home.scan()
    assert set(home.embedded(NEW)) == set(before) - {"1.jpg"}
    home.vectors()

    after = home.embedded(NEW)
    assert set(after) == set(before)
    assert [name for name in after if after[name] != before[name]] == ["1.jpg"]


def test_after_the_swap_those_that_have_the_new_vector_are_noted_and_only_the_others_computed(home: Home):
    """One that failed is tried again, one that came meanwhile is done, the rest are not embedded anew."""
    home.new.fails = {3}
    home.vectors()
    home.photo("late.jpg", 0)
    home.scan()
    home.new.seen.clear()

    home.analyse(NEW)

    assert set(home.new.seen) == {0, 3}
    assert set(home.embedded(NEW)) == set(home.ids()) - {"3.jpg"}
    assert home.revisions() == {**dict.fromkeys(home.ids(), "new"), "3.jpg": "new!"}


def test_adopting_notes_exactly_those_that_have_the_vector(home: Home):
    """Not those without one, nor those that somebody wants computed again; how often does not matter."""
    reporter = home.vectors(others_wait=lambda: True)
    done = set(home.embedded(NEW))
    again = home.ids()[min(done)]
    library = home.library
    library.photos.redo(["clip"], [again])
    sink = home.sink(reporter.job.job_id)
    scan = Scan(home.with_model(NEW), OWNER, library, sink, home.source, reporter, all_well, home.run)

    for _ in range(2):
        scan.adopt({"clip": NEW.name})

    assert home.revisions() == {
        name: "" if name == min(done) else "new" if name in done else "old" for name in home.ids()
    }
    assert home.embedded(OLD).keys() == home.ids().keys()


def test_going_back_finds_the_old_vectors_and_makes_only_those_that_lack(home: Home):
    """Those of photos that came while the new model was in use."""
    home.vectors()
    home.analyse(NEW)
    home.photo("late.jpg", 0)
    home.scan()
    home.analyse(NEW)
    home.old.seen.clear()

    assert unembedded(home.library, OLD.name) == [home.ids()["late.jpg"]]
    home.analyse(OLD)

    assert home.old.seen == [0]
    assert set(home.revisions().values()) == {"old"}
