"""Writes a library's metadata back and is killed before a step: `python -m tests.batch.saving_child ROOT WAY STEP`."""

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

    SavedLibrary(Bench(Path(root))).save(way == "inside", step=step)


if __name__ == "__main__":
    main(*sys.argv[1:])
