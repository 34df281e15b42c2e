"""A process of test_races.py: says `ready`, waits for a line, asks for scans from several threads, answers in JSON."""

import json
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from batch.jobs import JobControl
from cluster.settings import Settings
from cluster.store.database import open_system
from tests.api.standins import TakingCluster

THREADS = 4


def race(root: Path, owners: list[str]) -> dict[str, list[str]]:
    """Ask for a scan of each owner's library in turn, from all threads; returns the jobs that were got."""
    settings = Settings(root=root)
    control = JobControl(settings, open_system(settings), TakingCluster())
    print("ready", flush=True)
    sys.stdin.readline()
    got: dict[str, list[str]] = {owner: [] for owner in owners}

    def ask() -> None:
        for owner in owners:
            got[owner].append(control.start(owner, "scan", {}).job_id)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


if __name__ == "__main__":
    print(json.dumps(race(Path(sys.argv[1]), sys.argv[2:])), flush=True)
