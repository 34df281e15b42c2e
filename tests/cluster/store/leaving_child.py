"""Users for test_sources_killed.py who connect and disconnect until they are killed. For each line read, starts some.

One prints its process id, `stays USER` once somebody is connected who stays, `sealed BYTES` for somebody who will go,
and `gone BYTES` once they are disconnected. They are forked from here, because importing takes far longer than that.
"""

import itertools
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from cluster.sealing import Sealer
from cluster.settings import Settings
from cluster.store.database import open_system

KEY, PASSWORD = b"k" * 32, "kFm3x-Qw9Zr-7LpTe-Xb4Ns-Yc2Vd"


def come_and_go(root: str) -> None:
    """Connect somebody who stays and somebody who goes, again and again."""
    sources, sealer, pid = open_system(Settings(root=Path(root))).sources, Sealer([KEY]), os.getpid()
    say(f"pid {pid}")
    for turn in itertools.count():
        sources.connect(f"stays-{pid}-{turn}", "https://cloud", "ann", PASSWORD, sealer)
        say(f"stays stays-{pid}-{turn}")
        sources.connect(f"goes-{pid}", "https://cloud", "ann", PASSWORD, sealer)
        row = sources.table.get(f"goes-{pid}")
        assert row
        say(f"sealed {row['sealed'].hex()}")
        sources.disconnect(f"goes-{pid}")
        say(f"gone {row['sealed'].hex()}")


def say(line: str) -> None:
    """Print a line in one piece, whoever else prints."""
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    for line in sys.stdin:
        children = []
        for _ in range(int(line)):
            children.append(os.fork())
            if not children[-1]:
                come_and_go(sys.argv[1])
        for child in children:
            os.waitpid(child, 0)
        say("dead")
