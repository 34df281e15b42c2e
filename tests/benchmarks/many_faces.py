"""A hundred thousand made-up faces of five thousand people: seconds and memory of one training, and of a thousand more.

Every run is a process of its own, which tells its own peak. The vectors lie about as far apart as those of dlib's
network on ORL do: pictures of one person 0.25 +- 0.06, of two 0.55 +- 0.05.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.table import Table

from batch.recognition import recognise

PEOPLE, MORE, NAMED = 5000, 1000, 500
SIZES = (25_000, 50_000, 100_000)
WIDTH = 128


def many_faces() -> Table:
    """All runs, as a table."""
    table = Table("faces", "run", "seconds", "of CPU", "peak memory", "B-cubed F1", box=None, padding=(0, 2))
    with tempfile.TemporaryDirectory(prefix="brightroom-faces-") as folder:
        for size in SIZES:
            for run in RUNS if size == SIZES[-1] else ["one training"]:
                told = apart(run, size, Path(folder))
                table.add_row(
                    f"{size:,}",
                    run,
                    f"{told['seconds']:.1f}",
                    f"{told['cpu']:.1f}",
                    f"{told['peak']:.2f} GiB",
                    f"{told['f1']:.1%}",
                )
    return table


def apart(run: str, size: int, folder: Path) -> dict[str, float]:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.many_faces", run, str(size), str(folder / f"{size}.npy")]
    told: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def made_up(size: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 128) vectors of unit length and (N,) people, whose numbers of pictures follow a power law."""
    random = np.random.default_rng(0)
    often = 1 / np.arange(1, PEOPLE + 1)
    people = random.choice(PEOPLE, size, p=often / often.sum())
    spread = np.exp(-np.arange(WIDTH) / 75).astype(np.float32)
    spread /= np.sqrt((spread**2).sum())
    looks = random.normal(size=(PEOPLE, WIDTH)).astype(np.float32) * spread
    blur = np.sqrt(0.25 * random.lognormal(-0.125, 0.5, size)).astype(np.float32)
    vectors = looks[people] + blur[:, None] * random.normal(size=(size, WIDTH)).astype(np.float32) * spread
    vectors *= 0.355
    vectors[:, 0] += 0.93
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), people


def training(vectors: np.ndarray, people: np.ndarray, kept: Path) -> np.ndarray:
    """All faces at once, none of them named."""
    none = np.full(len(people), -1, np.int32)
    clusters = recognise(vectors[:-MORE], none[:-MORE], none[:-MORE], (), 0.9).cluster
    np.save(kept, clusters)
    return np.concatenate([clusters, none[-MORE:]])


def more(vectors: np.ndarray, people: np.ndarray, kept: Path) -> np.ndarray:
    """A thousand faces beside those whose clusters are known."""
    none = np.full(len(people), -1, np.int32)
    return recognise(vectors, none, np.concatenate([np.load(kept), none[-MORE:]]), (), 0.9).cluster


def named(vectors: np.ndarray, people: np.ndarray, kept: Path) -> np.ndarray:
    """All faces, when one picture of each of many people has been named."""
    labels = np.full(len(people), -1, np.int32)
    persons, first = np.unique(people, return_index=True)
    labels[first[:NAMED]] = persons[:NAMED]
    found = recognise(vectors, labels, np.full(len(people), -1, np.int32), (), 0.9)
    return np.where(found.probability >= 0.9, found.person, PEOPLE + found.cluster)


RUNS = {"one training": training, "a thousand more": more, f"one training, {NAMED} people named": named}


def b_cubed(people: np.ndarray, groups: np.ndarray) -> float:
    """The F1 of each face's precision and recall; a face of group -1 is one of its own."""
    groups = np.where(groups < 0, groups.max() + 1 + np.arange(len(groups)), groups)
    _, both, common = np.unique(people * (1 << 32) + groups, return_inverse=True, return_counts=True)
    shares = [
        (common[both] / counts[where]).mean()
        for _, where, counts in (np.unique(kind, return_inverse=True, return_counts=True) for kind in (people, groups))
    ]
    return float(2 * shares[0] * shares[1] / sum(shares))


def high_water() -> int:
    """The most memory this process had, in KiB; what `getrusage` tells is that of the parent if it had more."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0])


def main() -> None:
    """One run; tells as JSON what it took."""
    run, size, kept = sys.argv[1:]
    vectors, people = made_up(int(size) + MORE)
    began, used = time.perf_counter(), time.process_time()
    groups = RUNS[run](vectors, people, Path(kept))
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    peak = high_water() / 2**20
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "f1": b_cubed(people, groups)}))


if __name__ == "__main__":
    main()
