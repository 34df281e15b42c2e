"""What libraries take is measured once for everybody who asks within some seconds."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.storage import FRESH_S, REST, Storages
from cluster.errors import StoreError
from cluster.settings import Settings
from cluster.store.database import Library, open_library
from cluster.store.storage import Storage

ANN, BEN = "a" * 32, "b" * 32


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings under which ann has a library and ben has none."""
    settings = Settings(root=tmp_path)
    open_library(settings, ANN).photos.count()
    return settings


def test_a_library_is_measured_again_when_its_sizes_are_old(settings: Settings) -> None:
    """Not before."""
    opened, now = [], [100.0]

    def library(user_id: str) -> Library:
        opened.append(user_id)
        return open_library(settings, user_id)

    storages = Storages(settings, library, lambda: now[0])
    first = storages.of(ANN)
    assert first.database
    now[0] += FRESH_S - 0.1
    assert storages.of(ANN) is first
    assert opened == [ANN]

    now[0] += 0.1
    storages.of(ANN)

    assert opened == [ANN, ANN]


def test_a_library_that_takes_long_is_left_alone_for_longer(settings: Settings) -> None:
    """So that one with millions of photos is not read all the time."""
    opened, now = [], [100.0]

    def library(user_id: str) -> Library:
        opened.append(user_id)
        now[0] += 10
        return open_library(settings, user_id)

    storages = Storages(settings, library, lambda: now[0])
    storages.of(ANN)
    now[0] += REST * 10 - 0.1
    storages.of(ANN)
    assert opened == [ANN]
    now[0] += 0.1
    storages.of(ANN)

    assert opened == [ANN, ANN]


def test_a_library_is_measured_once_however_many_ask_at_once(settings: Settings) -> None:
    """The first ones wait for it; later ones are told what it was, and wait for nobody."""
    opened, now, waiting, go_on = [], [100.0], threading.Event(), threading.Event()

    def library(user_id: str) -> Library:
        opened.append(user_id)
        waiting.set()
        assert go_on.wait(20)
        return open_library(settings, user_id)

    storages = Storages(settings, library, lambda: now[0])
    with ThreadPoolExecutor(6) as callers:
        first = [callers.submit(storages.of, ANN) for _ in range(5)]
        assert waiting.wait(20)
        go_on.set()
        assert len({id(one.result(20)) for one in first}) == 1
        assert opened == [ANN]

        now[0] += FRESH_S
        waiting.clear()
        go_on.clear()
        again = callers.submit(storages.of, ANN)
        assert waiting.wait(20)
        assert storages.of(ANN) is first[0].result()
        go_on.set()
        assert again.result(20) is not first[0].result()
    assert opened == [ANN, ANN]


def test_a_library_that_cannot_be_read_can_be_asked_for_again(settings: Settings) -> None:
    """Nobody waits for ever for one who failed."""

    def library(user_id: str) -> Library:
        raise StoreError("restore the store from a backup")

    storages = Storages(settings, library)
    for _ in range(2):
        with pytest.raises(StoreError):
            storages.of(ANN)


def test_a_user_without_a_library_takes_nothing_and_gets_none(settings: Settings) -> None:
    """Asking is not scanning."""

    def library(user_id: str) -> Library:
        raise AssertionError(f"{user_id} was opened")

    assert Storages(settings, library).of(BEN) == Storage()
    assert not Path(settings.store_uri, "libraries", BEN).exists()
