"""A scan while services are stopped: what needs them is left and said so, the rest is done, a later scan does it."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batch.progress import Progress
from batch.scan import Scan
from batch.sink import Sink
from batch.waiting import COMING, why_waiting
from cluster.settings import SERVICE_OF, SERVICES, ModelSpec, Settings
from cluster.store.writer import Writer
from tests.batch.bench_of_one import OWNER, Bench, all_well
from tests.batch.test_histories import SIDECAR

TAGS = ModelSpec(kind="imagenet-tags", checkpoint="nobody asks it", revision="1")
AWAY = ["stopped", "failed"]
NOTE = "service stopped; start {} and scan again"


class Home(Bench):
    """A folder of photos, and services that a test stops."""

    states: dict[str, str]
    services: dict[str, ModelSpec | None]

    def progress(self, *paths: str) -> Progress:
        """A whole scan, or one of named files; its numbers."""
        self.scans += 1
        library, reporter = self.library, SimpleNamespace(progress=Progress(), wanted="run")
        sink = Sink(library, Writer(library, self.settings.store), f"job{self.scans}")
        told: Any = reporter
        scan = Scan(self.with_models(), OWNER, library, sink, self.source, told, lambda: self.states, self.here)
        assert (scan.paths(paths) if paths else scan.everything()) == "run"
        return reporter.progress

    def with_models(self) -> Settings:
        """Our settings with some models."""
        scan = self.settings.scan.model_copy(update={"analyse_workers": 1})
        return self.settings.model_copy(update={"services": self.services, "scan": scan})


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Three photos, one of them with a sidecar, and a file that is no picture; every service answers."""
    made = Home(tmp_path)
    made.states, made.services = all_well(), {}
    for number in range(1, 4):
        made.photo(f"{number}.jpg", number)
    (made.folder / "1.xmp").write_text(SIDECAR)
    (made.folder / "torn.jpg").write_bytes(b"no picture")
    (made.folder / "notes.txt").write_text("not a photo")
    yield made
    made.close()


def sums(progress: Progress) -> tuple[int, int, int, int]:
    """Listed, committed, failed and skipped; that they add up is asserted."""
    counts = progress.told()["counts"]
    listed, *parts = (counts[name] for name in ("listed", "committed", "failed", "skipped"))
    assert listed == sum(parts), counts
    return listed, *parts


@pytest.mark.parametrize("service", ["thumbnail", "exif"])
@pytest.mark.parametrize("state", AWAY)
def test_without_who_reads_files_none_is_read_and_the_next_scan_reads_them(home: Home, service: str, state: str):
    """They wait as `thumbnails 0 / n` with what to do about it, and every one is accounted for."""
    home.states[service] = state

    progress = home.progress()

    stage = progress.stage("thumbnails")
    assert (stage.done, stage.failed, stage.total) == (0, 0, 5)
    assert (stage.state, stage.note) == ("pending", f"service {state}; start {service} and scan again")
    assert sums(progress) == (6, 0, 0, 6)
    assert progress.skipped_by["for want of a service"] == 5
    assert home.library.photos.count() == home.library.files.count() == 0

    home.states = all_well()
    again = home.progress()
    stage = again.stage("thumbnails")
    assert (stage.done + stage.failed, stage.total, stage.state, stage.note) == (5, 5, "done", "")
    assert sums(again) == (6, 4, 1, 1)
    assert set(home.shown()) == {"1.jpg", "2.jpg", "3.jpg"}


@pytest.mark.parametrize("state", [*COMING, "unconfigured"])
def test_a_service_that_comes_or_has_no_model_keeps_no_file_from_being_read(home: Home, state: str):
    """A scan reads them itself; what counts is that nobody stopped that."""
    home.states["thumbnail"] = home.states["exif"] = state

    progress = home.progress()

    assert progress.stage("thumbnails").state == "done"
    assert sums(progress)[1] == 4


def test_files_that_are_gone_are_noticed_without_who_reads_files(home: Home):
    """Nothing has to be read for that; an edited file waits, and shows as it was."""
    home.progress()
    before = home.shown()
    (home.folder / "3.jpg").unlink()
    home.photo("2.jpg", 8)
    home.states["thumbnail"] = "stopped"

    progress = home.progress()

    after = home.shown()
    assert after["3.jpg"][2], "it is missing"
    assert after["2.jpg"] == before["2.jpg"]
    stage = progress.stage("thumbnails")
    assert (stage.done, stage.total, stage.note) == (0, 1, NOTE.format("thumbnail"))

    home.states = all_well()
    home.progress()
    assert home.shown()["2.jpg"][0] != before["2.jpg"][0]


def test_a_file_whose_neighbour_is_gone_is_read_by_the_next_scan_with_who_reads_files(home: Home):
    """It may be another photo without it; reading it once is enough."""
    home.photo("pair.jpg", 5)
    home.photo("pair.heic", 6)
    home.progress()
    (home.folder / "pair.jpg").unlink()
    home.states["exif"] = "stopped"
    read = [home.progress().stage("thumbnails").done]

    home.states = all_well()
    read += [home.progress().stage("thumbnails").done for _ in range(2)]

    assert read == [0, 1, 0]


def test_named_files_wait_too_and_the_job_says_so(home: Home):
    """A rescan of some files is not silently nothing; with the service it is closed as done."""
    home.progress()
    home.states["exif"] = "stopped"
    waiting = home.progress("1.jpg").stage("thumbnails")

    home.states = all_well()
    done = home.progress("1.jpg").stage("thumbnails")

    assert (waiting.done, waiting.state, waiting.note) == (0, "pending", NOTE.format("exif"))
    assert waiting.total == done.total == done.done > 0
    assert done.state == "done"


def test_a_stopped_model_leaves_its_stage_and_keeps_nothing_else_from_being_done(home: Home):
    """The photos are there to be seen; the ledger knows what they lack."""
    home.services = {"tags": TAGS}
    home.states["tags"] = "stopped"

    progress = home.progress()

    assert progress.stage("thumbnails").state == "done"
    stage = progress.stage("tags")
    assert (stage.done, stage.failed, stage.total) == (0, 0, 3)
    assert (stage.state, stage.note) == ("pending", NOTE.format("tags"))
    assert set(home.shown()) == {"1.jpg", "2.jpg", "3.jpg"}
    assert home.library.photos.rows(columns=["tags_rev"])["tags_rev"].to_pylist() == [""] * 3


@pytest.mark.parametrize("stage", ["thumbnails", *SERVICE_OF])
def test_what_a_stage_waits_for_is_named_with_its_state(stage: str):
    """Its own service and no other; when that is well, it was away only meanwhile."""
    services = ("thumbnail", "exif") if stage == "thumbnails" else (SERVICE_OF[stage],)

    for service in services:
        for state in AWAY:
            away = {**all_well(), service: state}
            assert why_waiting(stage, away) == f"service {state}; start {service} and scan again"
    others_away = {name: "healthy" if name in services else "stopped" for name in SERVICES}
    assert why_waiting(stage, others_away) == "its service was away or changed meanwhile; scan again"
