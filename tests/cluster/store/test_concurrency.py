"""Several writers at once, in threads and in processes: no duplicate, no lost row, one winner.

Locks make writers take turns on one disk. A `file://` address is treated as an object store is, without any lock, so
that what holds there - declared keys, Lance's own conflict checks - is tested too.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pytest
from lancedb.expr import col, lit

from cluster.store.connection import Connection
from cluster.store.schema import rows_of
from cluster.store.table import Table

Rows = Callable[..., pa.Table]
Open = Callable[[], Table]
T = TypeVar("T")

KEEP = timedelta(seconds=2)
SLACK_S = 2  # for a busy machine; a reader that never looked again would take forever
CHILD = Path(__file__).parent / "racing_child.py"


def together(count: int, work: Callable[[int], T]) -> list[T]:
    """What `count` threads return that begin at the same moment; raises what one of them raised."""
    start = threading.Barrier(count)
    results: dict[int, T] = {}
    failures: list[BaseException] = []

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = work(number)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [results[number] for number in range(count)]


def processes(folder: Path, task: str, count: int) -> list[Any]:
    """What `count` processes answer that do a task of racing_child.py at the same moment."""
    command = [sys.executable, str(CHILD), str(folder), task]
    racers = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(count)
    ]
    ready = [racer.stdout.readline() for racer in racers if racer.stdout]
    assert ready == ["ready\n"] * count
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]


@pytest.fixture(params=["path", "file://"])
def open_somewhere(request: pytest.FixtureRequest, folder: Path, table: Table) -> Open:
    """Opens `things` with a connection of its own: with locks, and as an object store without."""
    assert table.count() == 0  # now it is there
    uri = str(folder) if request.param == "path" else f"file://{folder}"
    return lambda: Table(Connection(uri, 0), "things", table.schema, "id")


@pytest.mark.parametrize("writers", [2, 8])
@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("verb", ["upsert", "insert_new"])
def test_writers_racing_the_same_new_keys_leave_no_duplicates(
    open_somewhere: Open, things: Rows, writers: int, indexed: bool, verb: str
) -> None:
    """Also with an index on the key, which brings duplicates back unless merges leave it unused."""
    first = open_somewhere()
    first.upsert(things("first"))
    if indexed:
        first.build_index("id")
    tables = [open_somewhere() for _ in range(writers)]
    assert {opened.count() for opened in tables} == {1}
    rows = [things(*[f"k{key}" for key in range(20)], text=str(number)) for number in range(writers)]
    inserted = together(writers, lambda number: getattr(tables[number], verb)(rows[number]))
    assert sorted(first.rows()["id"].to_pylist()) == sorted(["first", *[f"k{key}" for key in range(20)]])
    assert sum(inserted) == 20


@pytest.mark.parametrize("hostile", [False, True])
def test_of_eight_threads_one_swaps(open_somewhere: Open, things: Rows, hostile: bool) -> None:
    """A change whose filter the row passes once has one winner, whichever way the filter reaches Lance."""
    key = "it's \\' mine" if hostile else "mine"
    open_somewhere().upsert(things(key))
    tables = [open_somewhere() for _ in range(8)]
    free = (col("id") == lit(key)) & (col("text") == lit(""))
    won = together(8, lambda number: tables[number].change(free, {"text": f"thread {number}"}))
    assert sorted(won) == [0] * 7 + [1]
    row = tables[0].get(key)
    assert row
    assert row["text"] == f"thread {won.index(1)}"


def test_of_two_processes_one_swaps_each_time(table: Table, things: Rows, folder: Path) -> None:
    """Two processes count to forty together by compare and swap: no step is lost and none is done twice."""
    table.upsert(things("counter"))
    won = processes(folder, "swap", 2)
    row = table.get("counter")
    assert row
    assert row["count"] == sum(won) == 40


@pytest.mark.parametrize("key", ["mine", "it's \\' mine"])
def test_a_swap_is_decided_on_what_is_there_now(folder: Path, table: Table, things: Rows, key: str) -> None:
    """Not on what a connection saw that looks for news once an hour."""
    table.upsert(things(key))
    late = Table(Connection(str(folder), 3600), "things", table.schema, "id")
    assert late.count() == 1
    free = (col("id") == lit(key)) & (col("text") == lit(""))
    assert table.change(free, {"text": "taken"}) == 1
    assert late.change(free, {"text": "taken twice"}) == 0
    assert table.change(col("id") == lit(key), {"text": ""}) == 1
    assert late.change(free, {"text": "late"}) == 1
    row = table.get(key)
    assert row
    assert row["text"] == "late"


def test_increments_of_several_threads_all_count(open_somewhere: Open, things: Rows) -> None:
    """A value that is computed from the row loses no step."""
    open_somewhere().upsert(things("counter"))
    tables = [open_somewhere() for _ in range(4)]
    more = {"count": col("count") + lit(1)}
    together(4, lambda number: [tables[number].change(col("id") == lit("counter"), more) for _ in range(10)])
    row = tables[0].get("counter")
    assert row
    assert row["count"] == 40


def test_racing_creators_lose_no_table_and_no_row(folder: Path, things: Rows) -> None:
    """Eight threads find no table, make it and write: one table, all rows. (LanceDB's own `exist_ok` loses some.)"""
    for round_ in range(5):
        opened = [Table(Connection(str(folder / str(round_)), 0), "things", things().schema, "id") for _ in range(8)]
        together(8, lambda number, opened=opened: opened[number].upsert(things(f"k{number}")))  # type: ignore[misc]
        assert sorted(opened[0].rows()["id"].to_pylist()) == [f"k{number}" for number in range(8)]


def test_racing_processes_create_a_store_together(tmp_path: Path) -> None:
    """Two processes open the same new system database and library, and each finds the other's rows."""
    answers = processes(tmp_path / "root", "create", 2)
    assert answers == [["user0", "user1"]] * 2


def test_upkeep_beside_writers_disturbs_nobody(open_things: Open, things: Rows) -> None:
    """Compacting and cleaning up while others write and read fails none of them."""
    tables = [open_things() for _ in range(5)]
    tables[0].upsert(things("counter"))

    def work(number: int) -> None:
        for turn in range(12):
            if number == 0:
                tables[0].optimize(KEEP)
            elif number == 1:
                assert tables[1].get("counter")
            else:
                tables[number].change(col("id") == lit("counter"), {"count": col("count") + lit(1)})
                tables[number].insert_new(rows_of([{"id": f"{number}-{turn}"}], tables[number].schema))

    together(5, work)
    row = tables[0].get("counter")
    assert row
    assert (row["count"], tables[0].count()) == (36, 37)


def test_upkeep_that_loses_to_a_writer_is_put_off(folder: Path, table: Table, things: Rows) -> None:
    """Where no lock keeps them apart, neither fails: the writer's steps all count, and compacting is for later."""
    table.upsert(things("counter"))
    writer, keeper = (Table(Connection(f"file://{folder}", 0), "things", table.schema, "id") for _ in range(2))
    more = {"count": col("count") + lit(1)}
    done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            steps = [(writer.upsert(things(str(n))), writer.change(lit(True), more)) for n in range(40)]
            done.set()
            return len(steps)
        while not done.is_set():
            keeper.optimize(KEEP)
        return int(keeper.optimize(KEEP))

    assert together(2, work) == [40, 1]
    assert sorted(table.rows()["count"].to_pylist()) == sorted([40, *range(1, 41)])


def test_a_reader_in_another_process_sees_a_commit_in_time(table: Table, things: Rows, folder: Path) -> None:
    """Within the freshness its connection was opened with, one second there, and not only when it is opened anew."""
    table.upsert(things("before"))
    command = [sys.executable, str(CHILD), str(folder), "watch", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin
        assert reader.stdout
        assert reader.stdout.readline() == "ready\n"
        reader.stdin.write("go\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "watching\n"
        table.upsert(things("after"))
        committed = time.monotonic()
        assert reader.stdout.readline() == "true\n"
        waited = time.monotonic() - committed
    assert waited < 1 + SLACK_S
