"""`make bench`: ingest and analysis as Brightroom does them, beside the same work bare, on the same cores in one run.

Prints the two ratios, and the peak memory of all processes beside them. A ratio of 1.25 is a quarter more time.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from api.up import Brightroom, running
from cluster.settings import Settings, load_settings
from cluster.store.jobs import Job
from serve_apps.models import load
from serve_apps.models.embedded import compose
from tests.benchmarks import bare
from tests.benchmarks.pictures import write_camera_jpegs

MODELS = ("clip_embeddings", "face_recognition", "tags", "ocr")  # the template captioner computes nothing
LOOK_S = 0.05
out = Console(highlight=False)


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--photos", type=int, default=200, help="twelve-megapixel JPEGs")
    parser.add_argument("--workers", type=int, default=2, help="processes of the bare loop, and of ours")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="brightroom-bench-") as folder:
        settings = bench_settings(Path(folder), asked.workers)
        photos = write_camera_jpegs(Path(folder) / "photos", asked.photos)
        size = sum(path.stat().st_size for path in photos) / len(photos) / 1e6
        out.print(f"{len(photos)} JPEGs of 12 megapixels, {size:.1f} MB each; {asked.workers} workers")
        compare(settings, photos, Path(folder), asked.workers)


def bench_settings(folder: Path, workers: int) -> Settings:
    """The user's settings, with a root that goes away and as many workers as the bare loop."""
    given = load_settings()
    compose(given.weights_dir)
    scan = given.scan.model_copy(update={"ingest_workers": workers})
    return given.model_copy(update={"root": folder / "root", "weights": given.weights_dir, "scan": scan})


def compare(settings: Settings, photos: list[Path], folder: Path, workers: int) -> None:
    """The bare work, then ours, then the ratios."""
    ingest_s = bare.ingest_all(photos, folder / "bare", workers)
    previews = sorted((folder / "bare").glob("*.preview.jpg"))
    with peak_memory() as alone:
        models = {name: load(settings.services[name], settings.weights_dir) for name in MODELS}
        spent = bare.analyse_all(models, previews, settings.scan.analysis_px, settings.scan.batch_size)
    del models
    with running(settings, out.print) as brightroom, peak_memory() as ours:
        brightroom.await_services()
        # A Brightroom that has scanned before: Ray's own actors are there, as they are from the first scan on.
        scanned(brightroom, "warm", write_camera_jpegs(folder / "warm", 8)[0].parent)
        times = scanned(brightroom, "bench", photos[0].parent)
    rows = [
        ("ingest", ingest_s, times["ingest"], "1.25"),
        ("analyse", sum(spent.values()), times["analyse"], "1.15"),
    ]
    report(rows, len(photos), {"bare": alone["peak"], "Brightroom": ours["peak"]})
    out.print("the models alone: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.items()))
    firsts = f"{times['first ingest']:.1f} s of ingest, {times['first analyse']:.1f} s of analysis"
    out.print(f"workers starting, until the first photos were committed: {firsts}, both counted above")
    out.print(f"before: {times['start']:.1f} s until the job's process had work; the whole job: {times['job']:.1f} s")


def scanned(brightroom: Brightroom, name: str, folder: Path) -> dict[str, float]:
    """Seconds of the passes of a scan: from the moment a pass has work to its last commit.

    `first ingest` and `first analyse` are the part of it before the first photos are committed: workers starting.
    """
    user = brightroom.system.users.create(name, "no password", scan_directory=str(folder))
    marks = {"asked": time.perf_counter()}
    job = brightroom.jobs.start(user.user_id, "scan", {})
    while True:
        stages, now = stages_of(brightroom, job), time.perf_counter()
        for stage in stages.values():
            marks.setdefault(stage["name"], now)
            if stage["done"]:
                marks.setdefault(f"first {stage['name']}", now)
        job = brightroom.system.jobs.get(job.job_id)
        if job.state != "running" and job.state != "queued":
            break
        time.sleep(LOOK_S)
    assert job.state == "done", job.error
    marks["ended"] = time.perf_counter()
    return {
        "start": marks["thumbnails"] - marks["asked"],
        "ingest": marks["clip"] - marks["thumbnails"],
        "analyse": marks["ended"] - marks["clip"],
        "job": marks["ended"] - marks["asked"],
        "first ingest": marks["first thumbnails"] - marks["thumbnails"],
        "first analyse": marks.get("first clip", marks["ended"]) - marks["clip"],
    }


def stages_of(brightroom: Brightroom, job: Job) -> dict[str, Any]:
    """The stages that a job has begun."""
    live = brightroom.jobs.live(job.job_id)
    return {stage["name"]: stage for stage in live["stages"]} if live else {}


@contextmanager
def peak_memory() -> Iterator[dict[str, float]]:
    """The highest sum of the memory of all processes of this user's session while the block runs: `peak`, in GiB.

    Proportional set size: pages that processes share are counted once.
    """
    found, over = {"peak": 0.0}, threading.Event()

    def look() -> None:
        while not over.wait(1):
            found["peak"] = max(found["peak"], used())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def used() -> float:
    """Memory of this process and of all processes of Ray heads that it started, GiB."""
    total = 0
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 2**30


def report(rows: list[tuple[str, float, float, str]], photos: int, memory: dict[str, float]) -> None:
    """The ratios as a table."""
    table = Table("", "bare", "Brightroom", "ratio", "goal", box=None, padding=(0, 2))
    for name, alone, ours, goal in rows:
        speeds = [f"{seconds:.1f} s ({photos / seconds:.1f}/s)" for seconds in (alone, ours)]
        table.add_row(name, *speeds, f"{ours / alone:.2f}", goal)
    table.add_row("peak memory", *[f"{gib:.1f} GiB" for gib in memory.values()], "", "")
    out.print(table)


if __name__ == "__main__":
    main()
