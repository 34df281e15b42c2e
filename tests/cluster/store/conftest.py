"""Stores of our own in temporary folders, a clock that tests turn, and rows that are easy to make."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cluster.settings import Settings, StoreSettings
from cluster.store.connection import Connection
from cluster.store.database import Library, System, open_library, open_system
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import column, key, maybe, rows_of, texts
from cluster.store.table import Table

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
THINGS = pa.schema([key("id"), *texts("group", "text"), column("count", pa.int64()), maybe("note", pa.string())])

Rows = Callable[..., pa.Table]


class TurnedClock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def turn(self, **by: float) -> None:
        """Go on by a timedelta's arguments."""
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> TurnedClock:
    """A clock that stands at START."""
    return TurnedClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a root of their own."""
    return Settings(root=tmp_path / "root", store=StoreSettings(fresh_s=0))


@pytest.fixture
def system(settings: Settings, clock: TurnedClock) -> System:
    """An empty system database under the turned clock."""
    return open_system(settings, clock)


@pytest.fixture
def library(settings: Settings) -> Library:
    """An empty library."""
    return open_library(settings, "a" * 32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where `table` has its database."""
    return tmp_path / "database"


@pytest.fixture
def open_things(folder: Path) -> Callable[[], Table]:
    """Opens the table `things` through a connection of its own, as another process would."""
    return lambda: Table(Connection(str(folder), fresh_s=0), "things", THINGS, "id")


@pytest.fixture
def table(open_things: Callable[[], Table]) -> Iterator[Table]:
    """An empty table `things`: id, group, text, count, note."""
    return open_things()


@pytest.fixture
def things() -> Rows:
    """Makes rows of `things` from ids; other columns by keyword, the same in each row."""

    def made(*ids: str, **values: Any) -> pa.Table:
        return rows_of([{"id": id_, **values} for id_ in ids], THINGS)

    return made


@pytest.fixture
def photo_rows() -> Rows:
    """Makes rows of photos from dictionaries, with a preview and dates where they say nothing of them."""

    def made(*photos: dict[str, Any]) -> pa.Table:
        usual = {"kind": "image", "media_rev": "media-1", "added_at": START, "changed_at": START}
        return rows_of([{**usual, **photo} for photo in photos], PHOTOS)

    return made
