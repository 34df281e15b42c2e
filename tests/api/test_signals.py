"""A command that has to end does, in time and with a word."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
WAITS = """
import threading
from api.signals import end_within

end_within(0.2, lambda: print("gone", flush=True){also})
threading.Event().wait()
"""


def test_a_command_that_waits_for_ever_ends_with_its_last_words():
    """And status 1, so that whoever started it starts it again."""
    ended = subprocess.run(
        [sys.executable, "-c", WAITS.format(also="")], capture_output=True, text=True, cwd=REPOSITORY, timeout=60
    )

    assert (ended.returncode, ended.stdout) == (1, "gone\n")


def test_it_ends_also_when_nobody_hears_them():
    """The terminal may be gone too."""
    ended = subprocess.run(
        [sys.executable, "-c", WAITS.format(also=" or 1 / 0")],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
    )

    assert (ended.returncode, ended.stdout) == (1, "gone\n")
