"""What libraries take is measured once for everybody who asks within some seconds."""

from pathlib import Path

import pytest

from api.storage import FRESH_S, Storages
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


def test_a_user_without_a_library_takes_nothing_and_gets_none(settings: Settings) -> None:
    """Asking is not scanning."""

    def library(user_id: str) -> Library:
        raise AssertionError(f"{user_id} was opened")

    assert Storages(settings, library).of(BEN) == Storage()
    assert not Path(settings.store_uri, "libraries", BEN).exists()
