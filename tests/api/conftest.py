"""One API for the tests of this folder, and one of a test's own."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.clouds import clouded
from tests.api.world import World, answering, build
from tests.nextcloud.server import StandIn


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all tests of a file that change nothing others see: each makes its own photos and sessions."""
    made = build(tmp_path_factory.mktemp("world"))
    for name in ("ann", "ben"):
        made.user(name)
    made.user("root", admin=True)
    with answering(made):
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """A world of the test's own, whose clock it may turn."""
    made = build(tmp_path)
    made.user("ann")
    made.user("root", admin=True)
    with answering(made):
        yield made


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[StandIn]:
    """A Nextcloud with a few files of ann's, and a second user."""
    with StandIn(tmp_path / "cloud") as made:
        made.add("bob")
        for path in ("Photos/a.jpg", "Photos/Trip/b.jpg", "Photos/Trip/c.jpg", "Notes/n.txt", "top.jpg"):
            made.put(path, path.encode())
        yield made
        assert made.mishaps == []


@pytest.fixture
def home(tmp_path: Path, cloud: StandIn) -> Iterator[World]:
    """A world whose users may connect to it."""
    with clouded(tmp_path / "home", cloud.trust()) as made:
        yield made


@pytest.fixture
def ann(home: World) -> httpx.Client:
    """Ann, logged in there."""
    return home.as_user("ann")
