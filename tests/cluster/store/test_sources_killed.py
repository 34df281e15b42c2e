"""Processes are killed while people connect and disconnect: nobody who stays is lost, nothing left of who went."""

import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from time import sleep

from cluster.sealing import Sealer
from cluster.settings import Settings
from cluster.store.database import System, open_system
from tests.cluster.store.leaving_child import KEY, PASSWORD

CHILD = Path(__file__).parent / "leaving_child.py"
ROUNDS, CHILDREN = 6, 3


class Nursery:
    """The process that starts them, and what they said before they were killed."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-W", "ignore:lancedb fork", str(CHILD), str(root)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said: dict[str, list[str]] = defaultdict(list)
        self.dice = random.Random(7)

    def run_and_kill(self) -> None:
        """Start some, let each bring somebody, and kill them all, each a random moment later."""
        assert self.process.stdin
        self.process.stdin.write(f"{CHILDREN}\n")
        self.process.stdin.flush()
        started: set[str] = set()
        brought: set[str] = set()
        while len(brought) < CHILDREN:
            word, value = self.heard()
            started |= {value} if word == "pid" else set()
            brought |= {value.split("-")[1]} if word == "stays" else set()
        for pid in started:
            sleep(self.dice.uniform(0, 0.25))
            os.kill(int(pid), signal.SIGKILL)
        while self.heard()[0] != "dead":
            pass

    def heard(self) -> tuple[str, str]:
        """The next line."""
        assert self.process.stdout
        word, _, value = self.process.stdout.readline().strip().partition(" ")
        assert word, "the nursery died"
        self.said[word].append(value)
        return word, value

    def close(self) -> None:
        """End it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def left(system: System, sealed: list[str]) -> set[str]:
    """Which of some ciphertexts stand in any file of the database."""
    assert system.database.folder
    data = b"\0".join(path.read_bytes() for path in system.database.folder.rglob("*") if path.is_file())
    return {one for one in sealed if bytes.fromhex(one) in data or one.encode() in data.lower()}


def test_kills_lose_nobody_who_stays_and_leave_nothing_of_who_went(tmp_path: Path) -> None:
    """What a kill between a change and its purge leaves goes at the next tidying."""
    nursery = Nursery(tmp_path)
    for _ in range(ROUNDS):
        nursery.run_and_kill()
    nursery.close()
    said = nursery.said
    system = open_system(Settings(root=tmp_path))
    there = {one.user_id: one for one in system.sources.all()}

    assert len(said["pid"]) == ROUNDS * CHILDREN
    assert set(said["stays"]) <= set(there)
    assert {system.sources.password(one, Sealer([KEY])) for one in there.values()} == {PASSWORD}
    assert said["gone"]
    assert left(system, said["gone"]) == set()

    system.tidy()

    rows = system.sources.table.rows(None, ["sealed"])["sealed"].to_pylist()
    kept = {sealed.hex() for sealed in rows}
    assert left(system, said["sealed"]) == kept & set(said["sealed"])
    assert left(system, list(kept)) == kept
