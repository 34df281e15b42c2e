"""Files: ids from raw bytes, and the questions that a walk asks."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from cluster.store.database import Library
from cluster.store.files import SCHEMA
from cluster.store.paths import dir_id, display, file_id
from cluster.store.schema import rows_of

SEEN = datetime(2024, 1, 1, tzinfo=UTC)
NAMES = [b"a.jpg", b"A.jpg", b"it's.jpg", b"caf\xe9.jpg", "café.jpg".encode(), b"new\nline.jpg", b"\xff" * 255, b"x\\'"]


def row(path: bytes, **values: Any) -> dict[str, Any]:
    """A file of the scan directory."""
    folder = path.rpartition(b"/")[0]
    ids = {"file_id": file_id("scan", path), "dir_id": dir_id("scan", folder)}
    return {**ids, "source": "scan", "path": path, "name": display(path), "state": "ok", "seen_at": SEEN, **values}


@pytest.fixture
def library(library: Library) -> Library:
    """A library with some files in two folders."""
    files = [row(b"2023/" + name, photo_id=f"p{number}", content_id=f"c{number}") for number, name in enumerate(NAMES)]
    files.append(row(b"2024/a.jpg", photo_id="p0", content_id="c0", size=1000))
    files.append(row(b"2024/gone.jpg", photo_id="p9", content_id="c9", size=500, state="missing"))
    files.append(row(b"2024/bad.jpg", size=24, state="failed"))
    library.files.upsert(rows_of(files, SCHEMA))
    return library


def names(rows: pa.Table) -> list[bytes]:
    """The paths of rows, sorted."""
    return sorted(rows["path"].to_pylist())


def test_raw_names_survive(library: Library) -> None:
    """Every byte of a path is kept, whatever it is, and each path has an id of its own."""
    for name in NAMES:
        found = library.files.get(file_id("scan", b"2023/" + name))
        assert found
        assert found["path"] == b"2023/" + name
    assert library.files.count() == len(NAMES) + 3


def test_ids_tell_sources_and_paths_apart() -> None:
    """The same path in another source is another file; a folder's id comes from its path in the same way."""
    assert file_id("scan", b"a") != file_id("nextcloud", b"a")
    assert file_id("scan", b"a") != file_id("scan", b"A")
    assert len(file_id("scan", b"")) == 32
    assert dir_id("scan", b"2024") == file_id("scan", b"2024")


def test_names_that_are_no_text_are_shown_with_their_bytes() -> None:
    """What is UTF-8 is shown as it is."""
    assert display("café.jpg".encode()) == "café.jpg"
    assert display(b"caf\xe9.jpg") == "caf\\xe9.jpg"


def test_a_folder_lists_its_own_files(library: Library) -> None:
    """Missing ones too, and only the columns asked for."""
    found = library.files.in_folders([dir_id("scan", b"2024")], ["path", "state"])
    assert names(found) == [b"2024/a.jpg", b"2024/bad.jpg", b"2024/gone.jpg"]
    assert found.column_names == ["path", "state"]
    assert names(library.files.in_folders([dir_id("scan", b"nowhere")])) == []


def test_files_are_found_by_photo_and_by_content(library: Library) -> None:
    """That is how variants and moved files are recognised."""
    assert names(library.files.of_photos(["p0", "p9"])) == [b"2023/a.jpg", b"2024/a.jpg", b"2024/gone.jpg"]
    assert names(library.files.of_contents(["c0"])) == [b"2023/a.jpg", b"2024/a.jpg"]
    assert len(library.files.of_source("scan")) == len(NAMES) + 3
    assert len(library.files.of_source("nextcloud")) == 0


def test_bytes_stored_counts_what_is_there(library: Library) -> None:
    """Not the missing ones; an empty library takes nothing."""
    assert library.files.bytes_stored() == 1024
    library.files.upsert(rows_of([row(b"big.mov", size=5 * 2**40)], SCHEMA))
    assert library.files.bytes_stored() == 1024 + 5 * 2**40
