"""Downloads from a Nextcloud as Brightroom does them, beside bare loops of the same downloads with httpx, in one run.

The stand-in is a process of its own, on the same cores as whoever fetches from it. A ratio of 1 is the same speed.
"""

import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from batch.fetching import Fetching
from batch.ingest import FileSeen, Group
from batch.mirrored import version_ns
from batch.nextcloud.addresses import Addresses
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport
from batch.progress import Progress
from cluster.settings import NextcloudSettings

FILES, SIZE = 200, 3_000_000
ROUNDS = 3  # of each, one after the other; the middle one counts
AT_ONCE = NextcloudSettings().downloads
GOAL = 0.9
out = Console(highlight=False)


@contextmanager
def server(folder: Path) -> Iterator[dict[str, str]]:
    """The stand-in with the files, and what one needs to know to ask it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.nextcloud", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    told = json.loads(process.stdout.readline())
    random = np.random.default_rng(1)
    for at in range(FILES):
        (Path(told["files"]) / f"IMG_{at:04}.jpg").write_bytes(random.bytes(SIZE))
    try:
        yield told
    finally:
        process.stdin.close()
        process.wait()


def bare(told: dict[str, str], to: Path, at_once: int) -> None:
    """Every file with one client of httpx straight to disk, so many at once."""
    trust = ssl.create_default_context(cadata=told["authority"])
    with httpx.Client(verify=trust, auth=(told["user"], told["password"]), trust_env=False, timeout=60) as client:

        def fetch(at: int) -> None:
            name = f"IMG_{at:04}.jpg"
            address = f"{told['url']}/remote.php/dav/files/{told['user']}/{name}"
            with client.stream("GET", address) as answer, (to / name).open("wb") as file:
                answer.raise_for_status()
                for chunk in answer.iter_raw():
                    file.write(chunk)

        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(fetch, range(FILES)))


def ours(told: dict[str, str], to: Path) -> None:
    """Every file as a scan fetches it: checked, whole, flushed to the disk."""
    trust = ssl.create_default_context(cadata=told["authority"])
    cloud = Nextcloud(told["url"], told["user"], told["password"], Transport(LOOPBACK, Patience(), trust))
    items = [item for item in cloud.list() if not item.is_folder]
    rows = {
        item.path.encode(): {
            "path": item.path, "local": item.path.encode(), "etag": item.etag, "size": item.size, "mtime": item.mtime,
            "mtime_ns": version_ns(item), "file_id": item.file_id, "checksum": item.checksum,
        }
        for item in items
    }  # fmt: skip
    groups = [Group([FileSeen(path, "image", row["size"], row["mtime_ns"], True)]) for path, row in rows.items()]
    fetching = Fetching(cloud, to, to.parent / "partial", 0, AT_ONCE, Progress())
    for fetched in fetching.portions(groups, rows, lambda: False):
        assert not fetched.failed, fetched.failed
    cloud.close()


LOOPBACK = Addresses(["127.0.0.0/8"])
WAYS: dict[str, Callable[[dict[str, str], Path], Any]] = {
    "bare, one after the other": lambda told, to: bare(told, to, 1),
    f"bare, {AT_ONCE} at once": lambda told, to: bare(told, to, AT_ONCE),
    f"Brightroom, {AT_ONCE} at once": ours,
}


def measured() -> dict[str, float]:
    """Seconds of each way, the middle one of all rounds."""
    spent: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="brightroom-downloads-") as root, server(Path(root) / "cloud") as told:
        for number in range(ROUNDS + 1):  # the first one is for the server to compute checksums, and does not count
            for way, fetch in WAYS.items():
                with tempfile.TemporaryDirectory(dir=root) as folder:
                    to = Path(folder) / "mirror"
                    to.mkdir()
                    began = time.perf_counter()
                    fetch(told, to)
                    spent[way] += [time.perf_counter() - began] if number else []
                    assert sum(file.stat().st_size for file in to.iterdir()) == FILES * SIZE
    return {way: statistics.median(times) for way, times in spent.items()}


def report() -> None:
    """The ways as a table."""
    times = measured()
    first, *_, last = times.values()
    table = Table("downloads", "seconds", "files/s", "MB/s", "to the bare loop", box=None, padding=(0, 2))
    for way, seconds in times.items():
        speeds = [f"{FILES / seconds:.0f}", f"{FILES * SIZE / 1e6 / seconds:.0f}", f"{first / seconds:.2f}"]
        table.add_row(way, f"{seconds:.2f}", *speeds)
    out.print(f"{FILES} files of {SIZE / 1e6:.0f} MB from a Nextcloud's stand-in on the same cores")
    out.print(table)
    out.print(f"Brightroom to the bare loop: {first / last:.2f} (goal {GOAL})")


if __name__ == "__main__":
    report()
