"""One API for the tests of this folder, and one of a test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.world import World, answering, build


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all tests that change nothing others see: each makes its own photos and sessions."""
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
