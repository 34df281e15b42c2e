"""One that serves a root, and a head that is looked after; with a stand-in for the head, no Ray."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.up import Brightroom, served_once
from cluster.errors import Conflict
from cluster.head import stop_head
from cluster.settings import Settings
from tests.cluster.standin_head import standing_head


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings with a root of their own; whatever head is left is ended."""
    settings = Settings(root=tmp_path)
    yield settings
    stop_head(settings, grace_s=0)


def test_one_at_a_time_serves_a_root(settings: Settings):
    """A second one is told so in a sentence; after the first, the next may."""
    with served_once(settings), pytest.raises(Conflict, match="runs here already"), served_once(settings):
        pass
    with served_once(settings):
        pass


def test_a_head_that_ends_is_noticed(settings: Settings):
    """Whoever asked to be told is, once it is gone and not before; late comers at once."""
    head = standing_head(settings)
    brightroom = Brightroom(settings, print)
    told, late = threading.Event(), threading.Event()
    brightroom.on_loss(told.set)
    with brightroom.tending():
        assert not told.wait(3)
        os.kill(head.pid, signal.SIGKILL)
        assert told.wait(10)
    brightroom.on_loss(late.set)

    assert brightroom.lost.is_set()
    assert late.is_set()
