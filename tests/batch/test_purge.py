"""What is left of the trash when its time is over: nothing, but for pictures that others show."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from batch.rows import now_utc
from batch.trash import purge
from cluster.store.schema import rows_of
from cluster.store.writer import Upsert, Writer
from serve_apps.media.addresses import EXTENSIONS, derived_path
from tests.batch.adorned import Album
from tests.batch.bench_of_one import OWNER, Killed, Mortal


@pytest.fixture
def home(twelve: Path, tmp_path: Path) -> Iterator[Album]:
    """Those, to be changed."""
    bench = Album(shutil.copytree(twelve, tmp_path / "home"), scans=10)
    yield bench
    bench.close()


def pictures(home: Album, content_id: str) -> list[bool]:
    """Which derived pictures of a content are there."""
    return [derived_path(home.settings.derived / OWNER, content_id, size).exists() for size in EXTENSIONS]


def test_after_thirty_days_the_trash_forgets_and_so_does_the_disk(home: Album):
    """Not a day before; pictures that another photo shows stay."""
    contents = home.library.trash.rows(None, ["content_id", "name"]).sort_by("name")["content_id"].to_pylist()
    other = home.library.photos.rows(limit=1).to_pylist()[0]
    shared = {**other, "content_id": contents[0]}
    library, now = home.library, now_utc()
    writer = Writer(library, home.settings.store)
    writer.commit([Upsert("photos", rows_of([shared], library.photos.schema))])

    assert purge(home.settings, OWNER, library, writer, now + timedelta(days=29, hours=23)) == 0
    assert library.trash.count() == 4
    assert purge(home.settings, OWNER, library, writer, now + timedelta(days=30, hours=1)) == 4

    assert library.trash.count() == 0
    assert [all(pictures(home, content)) for content in contents] == [True, False, False, False]
    assert [any(pictures(home, content)) for content in contents] == [True, False, False, False]
    assert all(all(pictures(home, row["content_id"])) for row in library.photos.rows().to_pylist())
    assert library.people.count() == 1


def test_a_purge_that_is_killed_is_done_the_next_time(home: Album):
    """It takes the pictures first, so that none is left that nobody knows of."""
    contents = home.library.trash.rows(None, ["content_id"])["content_id"].to_pylist()
    library, later = home.library, now_utc() + timedelta(days=31)
    with pytest.raises(Killed):
        purge(home.settings, OWNER, library, Mortal(library, home.settings.store, 0), later)
    assert library.trash.count() == 4

    assert purge(home.settings, OWNER, library, Writer(library, home.settings.store), later) == 4
    assert not any(any(pictures(home, content)) for content in contents)


def test_pictures_stay_while_a_photo_is_in_the_trash(home: Album):
    """Who restores a photo sees it at once."""
    contents = home.library.trash.rows(None, ["content_id"])["content_id"].to_pylist()

    assert all(all(pictures(home, content)) for content in contents)
