"""What a library takes of the disk: sums of its rows, and the files of its database."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from cluster.settings import Settings
from cluster.store.connection import Connection
from cluster.store.database import Library
from cluster.store.schema import rows_of
from cluster.store.storage import Storage, begun, size_of, storage
from tests.cluster.store.conftest import START

Rows = Callable[..., pa.Table]


def files(*sizes: tuple[int, str]) -> list[dict[str, Any]]:
    """Rows of files from sizes and states."""
    return [
        {"file_id": str(number), "size": size, "state": state, "seen_at": START}
        for number, (size, state) in enumerate(sizes)
    ]


def test_a_library_is_summed_up(library: Library, photo_rows: Rows) -> None:
    """Missing files take no space, their derived pictures do; what nobody counted is told, not guessed."""
    library.files.upsert(rows_of(files((100, "ok"), (20, "failed"), (3, "missing")), library.files.schema))
    library.photos.upsert(
        photo_rows(
            {"photo_id": "counted", "derived_bytes": 10},
            {"photo_id": "a video", "derived_bytes": 20, "kind": "video"},
            {"photo_id": "missing", "derived_bytes": 40, "missing": True},
            {"photo_id": "of an older Brightroom"},
            {"photo_id": "broken", "media_error": "It is truncated."},
        )
    )

    told = storage(library)

    assert told == Storage(4, 1, 120, 70, 1, told.database)


def test_a_database_takes_what_its_files_are(library: Library, photo_rows: Rows) -> None:
    """All of them, as they are on disk."""
    library.photos.upsert(photo_rows({"photo_id": "a"}))
    assert library.database.folder
    told = storage(library)  # tables are made when they are first asked

    there = [path for path in library.database.folder.rglob("*") if path.is_file()]

    assert told.database == sum(path.stat().st_size for path in there) > 1000


def test_an_empty_library_takes_its_empty_tables_only(library: Library) -> None:
    """No photo, no byte of pictures."""
    told = storage(library)

    assert told == Storage(database=told.database)


def test_links_out_of_a_database_do_not_count(tmp_path: Path) -> None:
    """Whatever they lead to is not in it."""
    (tmp_path / "database").mkdir()
    (tmp_path / "large").write_bytes(b"x" * 10_000)
    (tmp_path / "database" / "link").symlink_to(tmp_path / "large")
    (tmp_path / "database" / "away").symlink_to(tmp_path / "nowhere")
    (tmp_path / "database" / "file").write_bytes(b"x" * 10)

    assert size_of(Connection(str(tmp_path / "database"))) == 10


def test_a_database_in_an_object_store_is_not_measured() -> None:
    """To list it is slow and may cost money."""
    assert size_of(Connection("memory://somewhere")) is None


def test_a_library_has_begun_when_its_folder_is_there(settings: Settings, library: Library) -> None:
    """Asking makes none."""
    library.photos.count()

    assert begun(settings, "a" * 32)
    assert not begun(settings, "b" * 32)
    assert not Path(settings.store_uri, "libraries", "b" * 32).exists()
