"""Flushing and locks: what is acknowledged was on disk before."""

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from lancedb.expr import col, lit

from cluster.settings import Settings, StoreSettings
from cluster.store.connection import Connection
from cluster.store.database import Library, open_library
from cluster.store.durable import flush, locked
from cluster.store.faces import SCHEMA as FACES
from cluster.store.schema import changes_of, rows_of
from cluster.store.table import Table
from cluster.store.writer import Upsert, Writer

Rows = Callable[..., pa.Table]

HOLDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from cluster.store.durable import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_flushing_a_folder_that_is_not_there_fails(tmp_path: Path) -> None:
    """What cannot be made safe must not be acknowledged."""
    flush(tmp_path)
    with pytest.raises(FileNotFoundError):
        flush(tmp_path / "nowhere")


def test_a_lock_is_held_by_one_thread(tmp_path: Path) -> None:
    """Eight threads that read, wait and write lose no step."""
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count() -> None:
        for _ in range(25):
            with locked(tmp_path / "lock"):
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "200"


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    """Another waits for it while it lives, and goes on when it is gone."""
    root = str(Path(__file__).resolve().parents[3])
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock"), root]
    got = threading.Event()

    def acquire() -> None:
        with locked(tmp_path / "lock"):
            got.set()

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        waiting = threading.Thread(target=acquire)
        waiting.start()
        assert not got.wait(0.2)
        holder.kill()
        assert got.wait(10)
        waiting.join()


def test_a_lock_ends_with_an_error(tmp_path: Path) -> None:
    """What fails inside does not keep others out."""
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "lock"):
        raise ZeroDivisionError
    with locked(tmp_path / "lock"):
        assert (tmp_path / "lock").exists()


class Watched(Connection):
    """A database that notes what was committed at each flush."""

    def __init__(self, uri: str, look: Callable[[], object]) -> None:
        super().__init__(uri, 0)
        self.look = look
        self.seen: list[object] = []

    def flush(self) -> None:
        """Note what another connection sees, and flush."""
        self.seen.append(self.look())
        super().flush()


def test_every_write_is_flushed_after_its_commit(folder: Path, open_things: Callable[[], Table], things: Rows) -> None:
    """Before its method returns, with all of it committed by then; reading flushes nothing."""
    other = open_things()
    database = Watched(str(folder), lambda: sorted(other.rows(columns=["id", "count"])["count"].to_pylist()))
    table = Table(database, "things", things().schema, "id")
    writes: list[tuple[Callable[[], object], list[int]]] = [
        (lambda: table.upsert(things("a", count=1)), [1]),
        (lambda: table.insert_new(things("a", "b", count=2)), [1, 2]),
        (lambda: table.update(changes_of([{"id": "a", "count": 3}], table.schema)), [2, 3]),
        (lambda: table.change(col("id") == lit("a"), {"count": 4}), [2, 4]),
        (lambda: table.change(col("group") != lit("it's"), {"count": 5}), [5, 5]),
        (lambda: table.replace(things("c", count=6), "id", ["a"]), [5, 6]),
        (lambda: table.delete(col("id") == lit("b")), [6]),
    ]
    assert table.count() == 0
    database.seen.clear()
    for write, committed in writes:
        before = len(database.seen)
        write()
        assert database.seen[before:] == [committed]
    table.rows()
    table.get("c")
    assert table.count(col("count") > lit(0)) == 1
    assert len(database.seen) == len(writes)


def test_compacting_flushes_before_old_versions_go(
    folder: Path, open_things: Callable[[], Table], things: Rows
) -> None:
    """Otherwise a power loss could leave neither the old version nor a whole new one."""
    versions = folder / "things.lance" / "_versions"
    open_things().upsert(things("a"))
    database = Watched(str(folder), lambda: len(list(versions.glob("*.manifest"))))
    table = Table(database, "things", things().schema, "id")
    for number in range(5):
        table.upsert(things(str(number)))
    database.seen.clear()
    table.optimize(timedelta(0))
    compacted, cleaned = database.seen
    assert isinstance(compacted, int)
    assert compacted > 6
    assert cleaned == 1


def test_the_ledger_is_committed_after_the_rest_is_on_disk(settings: Settings, photo_rows: Rows) -> None:
    """At the first flush of a commit the work is there and the ledger does not say so yet."""
    other = open_library(settings, "a" * 32)
    uri = f"{settings.store_uri}/libraries/{'a' * 32}"
    library = Library(Watched(uri, lambda: (other.faces.count(), other.photos.count())))
    assert (library.faces.count(), library.photos.count()) == (0, 0)
    faces = rows_of([{"face_id": "p1-00", "photo_id": "p1"}], FACES)
    assert isinstance(library.database, Watched)
    library.database.seen.clear()
    Writer(library, StoreSettings()).commit([Upsert("photos", photo_rows({"photo_id": "p1"})), Upsert("faces", faces)])
    assert library.database.seen == [(1, 0), (1, 1)]
