"""Fetching that is killed at any moment: no file in the mirror is ever half there, and the next scan goes on."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from batch.changes import changes
from batch.discover import walk
from batch.mirror import Mirror
from tests.batch.bench_of_one import OWNER
from tests.batch.clouded import Clouded
from tests.nextcloud.server import StandIn

KILLS = 50
SIZES = {"Videos/long.mp4": 5 << 20, "Videos/longer.mp4": 6 << 20}  # of which a part is worth to go on from
SIZES |= {f"{2000 + at % 7}/IMG_{at}.jpg": 20_000 * (1 + at % 5) for at in range(40)}


def content(path: str, version: int) -> bytes:
    """A version of a file; all versions are equally long, so that only their bytes tell them apart."""
    return random.Random(f"{path} {version}").randbytes(SIZES[path])


@cache
def digest(path: str, version: int) -> bytes:
    """What tells a version from others."""
    return sha256(content(path, version)).digest()


class Home:
    """Files on a server, a library of them, and a process that fetches."""

    def __init__(self, root: Path, cloud: StandIn) -> None:
        self.cloud, self.bench, self.version = cloud, Clouded(root, cloud=cloud), 0
        self.partial = self.bench.settings.root / "nextcloud_partial" / OWNER
        self.told, authority = root / "rows", root / "authority.pem"
        authority.write_bytes(cloud.authority())
        program = Path(__file__).with_name("mirror_child.py")
        places = [str(one) for one in (authority, cloud.user, self.bench.mirror, self.partial, self.told)]
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(program), cloud.url, *places],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        self.tell(cloud.password)
        self.source: Mirror
        self.next_version()

    def next_version(self) -> None:
        """Every file becomes another one, which is listed."""
        self.version += 1
        for path in SIZES:
            self.cloud.put(path, content(path, self.version), mtime=1_700_000_000)
        self.source = self.bench.made(None).source
        self.source.look()
        self.rows = self.bench.library.remotes.files(self.source.account.mark).to_pylist()
        self.told.write_bytes(msgspec.msgpack.encode(self.rows))

    def tell(self, line: str) -> None:
        """Write to the process."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def fetch(self, kill_after_s: float | None = None) -> int:
        """Have everything fetched, kill that after a while if told so, and say how it ended."""
        self.tell("never" if kill_after_s is None else str(kill_after_s))
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def taken_for_whole(self) -> list[str]:
        """The files that a scan would not fetch any more, each of which must be right to the byte."""
        groups = changes(self.source.walk(()), {}).groups
        rows = self.source.rows_of({file.path for group in groups for file in group.files})
        wanted = {file.path for file in self.source.fetching.wanted(groups, rows)}
        here = [row["path"] for row in self.rows if row["local"] not in wanted]
        for path in here:
            assert sha256((self.bench.mirror / path).read_bytes()).digest() == digest(path, self.version)
        return here

    def close(self) -> None:
        """End it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.bench.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Forty pictures and two videos on a server, of which nothing is here yet."""
    with StandIn(tmp_path / "cloud") as cloud:
        made = Home(tmp_path, cloud)
        yield made
        made.close()


def test_a_mirror_that_is_killed_at_any_moment_has_whole_files_only_and_goes_on(home: Home):
    """Fifty kills; whenever all is there, every file becomes another one of the same length and time."""
    began = time.monotonic()
    assert home.fetch() == 0
    usual_s = time.monotonic() - began
    chance, ends = random.Random(3), list[int]()
    home.cloud.forget()
    while ends.count(-signal.SIGKILL) < KILLS:
        if len(home.taken_for_whole()) == len(SIZES):
            home.next_version()
        ends.append(home.fetch(chance.uniform(0, usual_s)))
        usual_s *= 1.1 if ends[-1] else 0.7  # where there is less to fetch the end comes sooner
        for folder in walk(os.fsencode(home.bench.mirror), ()):
            for file in folder.files:
                path, found = os.fsdecode(file.path), (home.bench.mirror / os.fsdecode(file.path)).read_bytes()
                assert sha256(found).digest() in (digest(path, home.version), digest(path, home.version - 1))

    list(home.source.fetch(changes(home.source.walk(()), {}).groups, lambda: False))

    assert sorted(home.taken_for_whole()) == sorted(SIZES)
    assert home.bench.fetched() == {path: content(path, home.version) for path in SIZES}
    assert list(home.partial.iterdir()) == []
    assert all(row["fetched"] == row["etag"] for row in home.source.rows_of(set(map(os.fsencode, SIZES))).values())
    assert set(ends) <= {0, -signal.SIGKILL}
    assert any(seen.status == 206 for seen in home.cloud.seen("GET"))
