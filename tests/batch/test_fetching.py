"""Fetching from a Nextcloud: whether it is some files that cannot be had, or the server that is away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batch.changes import changes
from batch.mirror import Mirror
from batch.nextcloud.faults import Unreachable
from tests.batch.clouded import Clouded
from tests.nextcloud.server import StandIn

BAD = [f"bad/{number}.jpg" for number in range(12)]
GOOD = [f"good/{number}.jpg" for number in range(12)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Clouded]:
    """Files in two folders, of which one will not be had."""
    with StandIn(tmp_path / "cloud") as cloud:
        for path in (*BAD, *GOOD):
            cloud.put(path, path.encode() * 50)
        bench = Clouded(tmp_path, cloud=cloud)
        yield bench
        bench.close()


@pytest.fixture
def source(home: Clouded) -> Mirror:
    """The server, listed."""
    made: Any = home.made(None).source
    made.look()
    assert isinstance(made, Mirror)
    return made


def fetched(source: Mirror) -> list[str]:
    """Fetch everything; what could not be."""
    came = source.fetch(changes(source.walk(()), {}).groups, lambda: False)
    return sorted(file.seen.path.decode() for portion in came for file in portion.failed)


@pytest.mark.parametrize("kind", ["broken", "missing", "locked", "spliced", "redirect_elsewhere", "forbidden", "page"])
def test_files_that_cannot_be_had_leave_the_others(home: Clouded, source: Mirror, kind: str):
    """However many there are, one after the other: a disk of the server's own may be away, or its checksums wrong."""
    for path in BAD:
        home.cloud.faults.always(kind, "GET", path)

    assert fetched(source) == sorted(BAD)
    assert sorted(home.fetched()) == sorted(GOOD)


def test_a_server_that_is_away_ends_it(home: Clouded, source: Mirror):
    """What has come is kept, and the next scan goes on there."""
    for path in BAD:
        home.cloud.faults.always("broken", "GET", path)
    home.cloud.faults.always("broken", "PROPFIND")

    with pytest.raises(Unreachable):
        fetched(source)

    assert len(home.fetched()) < len(GOOD)
    home.cloud.faults.clear()
    assert fetched(source) == []
    assert sorted(home.fetched()) == sorted([*BAD, *GOOD])
