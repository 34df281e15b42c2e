"""`make bench`: ingest and analysis as Brightroom does them, beside the same work bare, on the same cores in one run.

Prints the two ratios, and what all processes take at rest and at most. A ratio of 1.25 is a quarter more time. Then how
fast files come from a Nextcloud (`downloads.py`), how smoothly 100,000 photos scroll in a browser (`timeline.py`), and
how well people are recognised (`faces.py`).
"""

import argparse
import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from api.up import Brightroom, running
from cluster.settings import Settings, load_settings
from serve_apps.models.embedded import compose
from tests.benchmarks import bare, downloads, faces, timeline
from tests.benchmarks.memory import idle, peak_memory
from tests.benchmarks.pictures import write_camera_jpegs

LOOK_S = 1.0
GOALS = {"ingest": 1.25, "analyse": 1.15}
out = Console(highlight=False)


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--photos", type=int, default=200, help="twelve-megapixel JPEGs")
    asked = parser.parse_args()
    workers = len(psutil.Process().cpu_affinity())
    with tempfile.TemporaryDirectory(prefix="brightroom-bench-") as folder:
        settings = bench_settings(Path(folder))
        photos = write_camera_jpegs(Path(folder) / "photos", asked.photos)
        size = sum(path.stat().st_size for path in photos) / len(photos) / 1e6
        out.print(f"{len(photos)} JPEGs of 12 megapixels, {size:.1f} MB each, on {workers} cores")
        compare(settings, photos, Path(folder), workers)
    downloads.report()
    timeline.report()
    faces.report()


def bench_settings(folder: Path) -> Settings:
    """The user's settings, with a root that goes away."""
    given = load_settings()
    compose(given.weights_dir)
    return given.model_copy(update={"root": folder / "root", "weights": given.weights_dir})


def compare(settings: Settings, photos: list[Path], folder: Path, workers: int) -> None:
    """The bare work, then ours, then the ratios."""
    ingest = bare.measured("ingest", photos[0].parent, folder / "bare", workers)
    analyse = bare.measured("analyse", photos[0].parent, folder / "bare", workers)
    models = {name: seconds for name, seconds in analyse.items() if name != "peak"}
    with running(settings, out.print) as brightroom, peak_memory() as ours:
        brightroom.await_services()
        at_rest(idle())
        # A Brightroom that has scanned before: Ray's own actors are there, as they are from the first scan on.
        scanned(brightroom, "warm", write_camera_jpegs(folder / "warm", 40)[0].parent)
        times = scanned(brightroom, "bench", photos[0].parent)
    rows = [("ingest", ingest["ingest"], times["ingest"]), ("analyse", sum(models.values()), times["analyse"])]
    report(rows, len(photos), {"bare": max(ingest["peak"], analyse["peak"]), "Brightroom": ours["peak"]})
    out.print("the models alone: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in models.items()))
    out.print(f"the whole job, from the request to its end: {times['job']:.1f} s")


def at_rest(kinds: dict[str, tuple[int, float, float]]) -> None:
    """What Brightroom takes while nothing is asked, as a table."""
    table = Table("at rest", "processes", "memory", "of one core", box=None, padding=(0, 2))
    for kind, (count, memory, share) in sorted(kinds.items(), key=lambda item: -item[1][1]):
        table.add_row(kind, str(count), f"{memory:.2f} GiB", f"{share:.1%}")
    sums = [sum(column) for column in zip(*kinds.values(), strict=True)]
    table.add_row("together", f"{sums[0]:.0f}", f"{sums[1]:.2f} GiB", f"{sums[2]:.1%}")
    out.print(table)


def scanned(brightroom: Brightroom, name: str, folder: Path) -> dict[str, float]:
    """Seconds of a scan's passes, from the moment a pass has work to its last commit, and of the whole job.

    The passes are the job's own account; it is asked seldom, so that asking takes nothing from it.
    """
    user = brightroom.system.users.create(name, "no password", scan_directory=str(folder))
    began = time.perf_counter()
    job = brightroom.jobs.start(user.user_id, "scan", {})
    while job.state in ("queued", "running"):
        time.sleep(LOOK_S)
        job = brightroom.system.jobs.get(job.job_id)
    assert job.state == "done", job.error
    spent = {stage["name"]: stage["spent_s"] for stage in job.stages}
    ingest = spent.pop("thumbnails")
    return {"ingest": ingest, "analyse": max(spent.values()), "job": time.perf_counter() - began}


def report(rows: list[tuple[str, float, float]], photos: int, memory: dict[str, float]) -> None:
    """The ratios as a table."""
    table = Table("", "bare", "Brightroom", "ratio", "goal", box=None, padding=(0, 2))
    for name, alone, ours in rows:
        speeds = [f"{seconds:.1f} s ({photos / seconds:.1f}/s)" for seconds in (alone, ours)]
        table.add_row(name, *speeds, f"{ours / alone:.2f}", f"{GOALS[name]:.2f}")
    table.add_row("peak memory", *[f"{gib:.1f} GiB" for gib in memory.values()], "", "")
    out.print(table)


if __name__ == "__main__":
    main()
