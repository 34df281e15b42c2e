"""Threads of several processes that ask for the same scan at the same moment get one job.

Those of one process do so in tests/api/test_actions.py, over HTTP.
"""

import json
import subprocess
import sys
from pathlib import Path

from cluster.store.database import System

CHILD = Path(__file__).parent / "racing_starter.py"
PROCESSES = 4


def test_four_processes_with_four_threads_each_get_one_scan_of_each_library(tmp_path: Path, system: System):
    """A command line beside the server, say."""
    made = [system.users.create(f"user{number}", "hash", scan_directory=str(tmp_path)) for number in range(8)]
    owners = [user.user_id for user in made]
    racers = [
        subprocess.Popen(
            [sys.executable, str(CHILD), str(tmp_path), *owners],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    assert [racer.stdout.readline() for racer in racers if racer.stdout] == ["ready\n"] * PROCESSES
    answers = [json.loads(racer.communicate(timeout=200)[0]) for racer in begun(racers)]

    for owner in owners:
        (job,) = system.jobs.list(owner)
        assert {job_id for answer in answers for job_id in answer[owner]} == {job.job_id}


def begun(racers: list["subprocess.Popen[str]"]) -> list["subprocess.Popen[str]"]:
    """The racers, all told to begin."""
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return racers
