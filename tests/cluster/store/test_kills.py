"""Forty writing processes are killed in mid-write: what was acknowledged is there, once, and nothing is torn."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import sleep

import pyarrow as pa
from lancedb.expr import col, lit

from cluster.settings import Settings
from cluster.store.database import open_library

CHILD = Path(__file__).parent / "killed_child.py"
ROUNDS, WRITERS = 8, 5
OWNER = "a" * 32


class Writers:
    """The nursery process, and what its writers had acknowledged before they were killed."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-W", "ignore:lancedb fork", str(CHILD), str(root)]
        self.nursery = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.acknowledged: list[str] = []
        self.dice = random.Random(5)

    def run_and_kill(self) -> None:
        """Start writers, let each acknowledge something, and kill them all a random moment later."""
        assert self.nursery.stdin
        self.nursery.stdin.write(f"{WRITERS}\n")
        self.nursery.stdin.flush()
        writers: set[int] = set()
        wrote: set[str] = set()
        while len(wrote) < WRITERS:
            word, *rest = self.heard()
            writers |= {int(rest[0])} if word == "pid" else set()
            wrote |= {rest[0].split("-")[0]} if word == "ack" else set()
        for writer in writers:
            sleep(self.dice.uniform(0, 0.03))
            os.kill(writer, signal.SIGKILL)
        while self.heard()[0] != "dead":
            pass

    def heard(self) -> list[str]:
        """The next line as words; acknowledgements are kept."""
        assert self.nursery.stdout
        words = self.nursery.stdout.readline().split()
        assert words, "the nursery died"
        if words[0] == "ack":
            self.acknowledged += words[1:]
        return words

    def close(self) -> None:
        """End the nursery, which has no children by now."""
        assert self.nursery.stdin
        assert self.nursery.stdout
        self.nursery.stdin.close()
        self.nursery.wait()
        self.nursery.stdout.close()


def test_forty_kills_lose_no_acknowledged_row_and_leave_no_duplicate(tmp_path: Path) -> None:
    """Kills hit commits, compactions and clean-ups of several tables; after each round the library is sound."""
    writers = Writers(tmp_path)
    try:
        for _ in range(ROUNDS):
            writers.run_and_kill()
            sound(tmp_path, writers.acknowledged)
    finally:
        writers.close()
    assert len(writers.acknowledged) >= ROUNDS * WRITERS


def sound(root: Path, acknowledged: list[str]) -> None:
    """Every acknowledged photo is there once, and a photo whose ledger says so has its vector and its face."""
    library = open_library(Settings(root=root), OWNER)
    found = {
        "photos": ids(library.photos.rows(col("clip_rev") == lit("clip@1")), "photo_id"),
        "vectors": ids(library.embeddings("clip@1", 2).rows(), "photo_id"),
        "faces": ids(library.faces.rows(), "photo_id"),
    }
    for name, counted in found.items():
        assert {id_: count for id_, count in counted.items() if count > 1} == {}, name
    assert set(acknowledged) <= found["photos"].keys()
    assert found["photos"].keys() <= found["vectors"].keys()
    assert found["photos"].keys() <= found["faces"].keys()
    assert library.photos.count() == len(found["photos"])


def ids(rows: pa.Table, name: str) -> Counter[str]:
    """How often each id comes."""
    return Counter(rows[name].to_pylist())
