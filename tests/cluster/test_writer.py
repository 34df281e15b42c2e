"""The writer actor: calls that come together are committed together, and a killed writer loses nothing acknowledged."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from cluster.runtime import family, read_head
from cluster.store.schema import rows_of
from cluster.store.writer import Upsert
from cluster.writer import RemoteWriter
from tests.conftest import Household


def error(key: str) -> dict[str, object]:
    """A row of the smallest table there is."""
    from cluster.store.clock import utc_now

    return {"error_id": key, "job_id": "job", "reason": "none", "at": utc_now()}


def test_calls_that_come_together_share_commits(household: Callable[..., Household]):
    """Forty callers at once cost fewer versions than forty, and every row is there when its call returns."""
    home = household()
    writer = RemoteWriter(home.brightroom.settings, home.user_id)
    schema = home.library.errors.schema
    before = home.library.errors.version

    def commit(number: int) -> None:
        writer.commit([Upsert("errors", rows_of([error(f"{number:032x}")], schema))])

    with ThreadPoolExecutor(40) as callers:
        list(callers.map(commit, range(40)))

    assert home.library.errors.count() == 40
    assert home.library.errors.version - before < 40


def test_a_killed_writer_is_restarted_and_asked_again(household: Callable[..., Household]):
    """Whatever was acknowledged is there once, also what came right after the kill."""
    home = household()
    writer = RemoteWriter(home.brightroom.settings, home.user_id)
    schema = home.library.errors.schema
    head = read_head(home.brightroom.settings)
    assert head is not None

    for number in range(30):
        writer.commit([Upsert("errors", rows_of([error(f"{number:032x}")], schema))])
        if number % 10 == 5:
            for process in family(head):
                if "ray::LibraryWriter" in " ".join(process.cmdline()):
                    os.kill(process.pid, signal.SIGKILL)

    keys = home.library.errors.rows(columns=["error_id"])["error_id"].to_pylist()
    assert sorted(keys) == [f"{number:032x}" for number in range(30)]
