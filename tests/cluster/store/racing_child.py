"""A process of test_concurrency.py: opens, says `ready`, waits for a line, does its task, answers in JSON."""

import json
import sys
import time
from pathlib import Path

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from lancedb.expr import col, lit

from cluster.settings import Settings
from cluster.store.connection import Connection
from cluster.store.database import open_library, open_system
from cluster.store.schema import column, key, maybe, texts
from cluster.store.table import Table

THINGS = pa.schema([key("id"), *texts("group", "text"), column("count", pa.int64()), maybe("note", pa.string())])


def start() -> None:
    """Wait until all racers may begin."""
    print("ready", flush=True)
    sys.stdin.readline()


def swap(folder: str) -> int:
    """Raise the counter to 40 by compare and swap; returns how many steps were ours."""
    table = Table(Connection(folder, 0), "things", THINGS, "id")
    table.count()
    start()
    steps = 0
    while (row := table.get("counter")) and row["count"] < 40:
        seen = (col("id") == lit("counter")) & (col("count") == lit(row["count"]))
        steps += table.change(seen, {"count": row["count"] + 1})
    return steps


def create(root: str, number: str) -> list[str]:
    """Open a store that may not be there yet, add a user, and list the users once there are two."""
    settings = Settings(root=Path(root))
    start()
    system = open_system(settings)
    system.users.create(f"user{number}", "hash")
    library = open_library(settings, "a" * 32)
    deadline = time.monotonic() + 20
    while system.users.table.count() < 2 and time.monotonic() < deadline:
        assert library.photos.count() == 0
    return [user.name for user in system.users.list()]


def watch(folder: str) -> bool:
    """Read until a row is there that comes after `watching` was said."""
    table = Table(Connection(folder, 1.0), "things", THINGS, "id")
    start()
    assert table.get("after") is None
    print("watching", flush=True)
    deadline = time.monotonic() + 30
    while table.get("after") is None and time.monotonic() < deadline:
        pass
    return table.get("after") is not None


if __name__ == "__main__":
    place, task, name = sys.argv[1:]
    tasks = {"swap": lambda: swap(place), "create": lambda: create(place, name), "watch": lambda: watch(place)}
    print(json.dumps(tasks[task]()), flush=True)
