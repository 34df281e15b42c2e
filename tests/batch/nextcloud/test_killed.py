"""Downloads whose process is killed at any moment: what is under the final name is whole, and they go on."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nextcloud.server import StandIn

REPOSITORY = Path(__file__).resolve().parents[3]
PATH = "Videos/long.mp4"
VERSIONS = [random.Random(seed).randbytes(8 << 20) for seed in range(3)]
KILLS = 50


class Child:
    """A process that downloads in processes of its own."""

    def __init__(self, cloud: StandIn, folder: Path) -> None:
        self.to, self.partial = folder / "mirror" / "long.mp4", folder / "partial"
        authority = folder / "authority.pem"
        authority.write_bytes(cloud.authority())
        program = Path(__file__).with_name("fetching_child.py")
        places = [str(authority), cloud.user, PATH, str(self.to), str(self.partial)]
        self.process = subprocess.Popen(
            [sys.executable, str(program), cloud.url, *places],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        self.tell(cloud.password)

    def tell(self, line: str) -> None:
        """Write to it."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def fetch(self, kill_after_s: float | None = None) -> int:
        """Download, kill that after a while if told so, and say how it ended."""
        self.tell("never" if kill_after_s is None else str(kill_after_s))
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def child(cloud: StandIn, tmp_path: Path) -> Iterator[Child]:
    """One that is ready, with a long file to fetch."""
    cloud.put(PATH, VERSIONS[0])
    made = Child(cloud, tmp_path)
    assert made.fetch() == 0
    made.to.unlink()
    yield made
    made.close()


def test_a_killed_download_goes_on_and_is_never_half_there(cloud: StandIn, child: Child):
    """Fifty kills at random moments, the file becoming another one now and then."""
    chance = random.Random(11)
    version, ends = 0, []
    began = time.monotonic()
    assert child.fetch() == 0
    usual_s = time.monotonic() - began
    cloud.forget()
    while ends.count(-signal.SIGKILL) < KILLS:
        if len(ends) % 10 == 9:
            version = (version + 1) % len(VERSIONS)
            cloud.put(PATH, VERSIONS[version])
        ends.append(child.fetch(chance.uniform(0, usual_s)))
        usual_s *= 0.9 if ends[-1] == 0 else 1.0  # the machine has become quicker since
        if child.to.exists():
            assert child.to.read_bytes() == VERSIONS[version]
            child.to.unlink()

    assert child.fetch() == 0
    assert child.to.read_bytes() == VERSIONS[version]
    assert list(child.partial.iterdir()) == []
    assert set(ends) <= {0, -signal.SIGKILL}
    assert any(seen.status == 206 for seen in cloud.seen("GET", PATH))
