"""Writes a library's metadata back and is killed before a step: `python -m tests.batch.saving_child ROOT WAY STEP`.

The way is `inside` or `beside`, or `undo` to take back what was written.
"""

import os
import signal
import sys
from pathlib import Path

from tests.batch.bench_of_one import Bench
from tests.batch.saved import SavedLibrary


def main(root: str, way: str, dies_before: str) -> None:
    """Save, as far as life lasts."""

    def step(name: str) -> None:
        """Go no further than that step."""
        if name == dies_before:
            os.kill(os.getpid(), signal.SIGKILL)

    library = SavedLibrary(Bench(Path(root)))
    library.unsave(step=step) if way == "undo" else library.save(way == "inside", step=step)


if __name__ == "__main__":
    main(*sys.argv[1:])
