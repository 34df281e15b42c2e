"""Files that many processes append to: no line torn or lost, a week kept, and no more of it than is said."""

import fcntl
import gzip
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cluster.journal import Journal, Limits, pieces, set_aside, tidy

REPOSITORY = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
WRITERS, LINES = 4, 1500

WRITE = """
import os, random, sys
from pathlib import Path
from cluster.journal import Journal, Limits

folder, writer, lines, forked = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "forked"
journal = Journal(folder, "jobs", Limits(file_bytes=20_000))
if forked:
    journal.append(b"before the fork\\n")
    writer += "-child" if os.fork() == 0 else "-parent"
chance = random.Random(writer)
for number in range(lines):
    journal.append(f"{writer} {number} {'x' * chance.randrange(200)} end\\n".encode())
if forked and writer.endswith("-parent"):
    os.wait()
"""

FULL = """
import logging, resource, sys
from pathlib import Path
from cluster.logs import configure

root = Path(sys.argv[1])
configure(root, "jobs", prints_are_kept=False)
log = logging.getLogger("full")
log.info("the first")
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
room = (root / "logs" / "jobs.log").stat().st_size + 50
resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
for number in range(5):
    log.info("no room for %d", number)
size = (root / "logs" / "jobs.log").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.info("the last")
print(room - 50 == size)
"""


class Turned:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def everything(folder: Path, name: str = "jobs") -> list[bytes]:
    """All lines of a journal, oldest first."""
    found: list[bytes] = []
    for piece in pieces(folder, name):
        with gzip.open(piece.path) if piece.path.suffix == ".gz" else piece.path.open("rb") as file:
            text = file.read()
        assert len(text) == piece.end - piece.begin
        found += text.splitlines(keepends=True)
    return found


@pytest.mark.parametrize("how", ["started", "forked"])
def test_processes_that_write_at_once_lose_and_tear_no_line(tmp_path: Path, how: str) -> None:
    """Through many files set aside and compressed meanwhile; also where they came from one process by forking."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), str(number), str(LINES), how], cwd=REPOSITORY)
        for number in range(WRITERS)
    ]
    assert [writer.wait(100) for writer in writers] == [0] * WRITERS

    lines = everything(tmp_path)
    expected = {f"{number}" for number in range(WRITERS)}
    if how == "forked":
        expected = {f"{number}-{who}" for number in expected for who in ("parent", "child")}
    told = [tuple(line.split(b" ")[:2]) for line in lines if line != b"before the fork\n"]
    assert len(set_aside(tmp_path, "jobs")) > 20
    assert all(line.endswith(b" end\n") for line in lines if line != b"before the fork\n")
    assert Counter(told) == Counter((w.encode(), b"%d" % number) for w in expected for number in range(LINES))


def test_each_writers_lines_stay_in_their_order(tmp_path: Path) -> None:
    """Across files, compressed and not."""
    journal = Journal(tmp_path, "jobs", Limits(file_bytes=30))
    for number in range(100):
        journal.append(b"%d\n" % number)

    assert everything(tmp_path) == [b"%d\n" % number for number in range(100)]
    assert {piece.path.suffix for piece in set_aside(tmp_path, "jobs")} == {".gz"}


def test_a_week_is_kept_and_what_is_older_goes(tmp_path: Path) -> None:
    """Looked at whenever a file is set aside."""
    clock = Turned()
    journal = Journal(tmp_path, "jobs", Limits(file_bytes=1), clock)
    journal.append(b"old\n")
    clock.now += timedelta(days=6, hours=23)
    journal.append(b"new\n")
    assert everything(tmp_path) == [b"old\n", b"new\n"]

    clock.now += timedelta(hours=2)
    journal.append(b"newest\n")

    assert everything(tmp_path) == [b"new\n", b"newest\n"]


def test_no_more_is_kept_than_is_said(tmp_path: Path) -> None:
    """However young it is; the newest stays."""
    limits = Limits(file_bytes=2000, total_bytes=10_000)
    journal = Journal(tmp_path, "jobs", limits)
    for _ in range(200):
        journal.append(os.urandom(200).hex().encode() + b"\n")  # hardly to be compressed
    journal.append(b"the last\n")

    kept = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert limits.total_bytes / 2 < kept <= limits.total_bytes + limits.file_bytes
    assert everything(tmp_path)[-1] == b"the last\n"


def test_what_a_killed_process_left_half_compressed_is_done_again(tmp_path: Path) -> None:
    """Nothing is lost, nothing is there twice, and no scratch file stays."""
    journal = Journal(tmp_path, "jobs", Limits(file_bytes=1))
    journal.append(b"one\n")
    journal.append(b"two\n")
    one, two = (piece.path for piece in set_aside(tmp_path, "jobs"))
    one.with_suffix("").write_bytes(b"one\n")  # killed between putting the new one in place and deleting the old one
    two.rename(two.with_name(f".{two.with_suffix('').name}.scratch"))  # killed while compressing
    two.with_suffix("").write_bytes(b"two\n")
    assert everything(tmp_path) == [b"one\n", b"two\n"]

    tidy(tmp_path, "jobs", Limits(), NOON)

    assert everything(tmp_path) == [b"one\n", b"two\n"]
    assert {path for path in tmp_path.iterdir() if path.suffix not in {".lock", ".tidying"}} == {one, two}


def test_a_writer_whose_neighbour_is_stopped_goes_on(tmp_path: Path) -> None:
    """It waits for the lock for a while, then writes without it."""
    journal = Journal(tmp_path, "jobs")
    journal.append(b"one\n")
    with (tmp_path / ".jobs.lock").open("ab") as neighbour:
        fcntl.flock(neighbour, fcntl.LOCK_EX)
        journal.append(b"two\n")

    assert everything(tmp_path) == [b"one\n", b"two\n"]


def test_a_folder_that_is_deleted_is_made_again(tmp_path: Path) -> None:
    """Somebody may tidy up while processes run."""
    folder = tmp_path / "logs"
    journal = Journal(folder, "jobs")
    journal.append(b"one\n")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()

    journal.append(b"two\n")

    assert everything(folder) == [b"two\n"]


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """Also compressed ones, and also where the folder was open to others."""
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o755)
    journal = Journal(folder, "jobs", Limits(file_bytes=1))
    journal.append(b"one\n")
    Journal(folder, "jobs").append(b"two\n")

    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_full_disk_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    """No half of a line stays, the process goes on, and once there is room again the log says what was lost."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
    first, lost, last = (tmp_path / "logs" / "jobs.log").read_text().splitlines()
    assert '"the first"' in first
    assert "could not be written: 5 (File too large)" in lost
    assert '"the last"' in last
