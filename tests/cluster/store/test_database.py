"""Databases: one for the system, one for each owner, and versions of their shape."""

import pickle
from pathlib import Path

import pytest
from lancedb.expr import col, lit

from cluster.errors import NewerSchema, StoreError
from cluster.settings import Settings
from cluster.store.database import Library, System, open_library, open_system
from cluster.store.schema import SCHEMA_VERSION, rows_of


def test_the_schema_version_is_noted(system: System, library: Library) -> None:
    """In both databases."""
    for meta in (system.meta, library.meta):
        assert meta.get("schema_version") == {"key": "schema_version", "value": str(SCHEMA_VERSION)}


@pytest.mark.parametrize("opened", ["system", "library"])
def test_data_of_a_newer_brightroom_is_refused(
    system: System, library: Library, settings: Settings, opened: str
) -> None:
    """Before anything is read, with a sentence that says what to do."""
    meta = system.meta if opened == "system" else library.meta
    meta.change(col("key") == lit("schema_version"), {"value": str(SCHEMA_VERSION + 1)})
    with pytest.raises(NewerSchema, match=r"newer Brightroom.*update Brightroom"):
        open_system(settings) if opened == "system" else open_library(settings, "a" * 32)


def test_data_of_an_older_brightroom_is_noted_as_ours(system: System, library: Library, settings: Settings) -> None:
    """So that the older one, which could not write to it any more, refuses it."""
    for meta in (system.meta, library.meta):
        meta.change(col("key") == lit("schema_version"), {"value": "1"})

    opened = open_system(settings), open_library(settings, "a" * 32)

    assert [database.meta.get("schema_version") for database in opened] == [
        {"key": "schema_version", "value": str(SCHEMA_VERSION)}
    ] * 2


def test_each_owner_has_a_database_of_their_own(settings: Settings, library: Library) -> None:
    """What one library has, no other finds."""
    library.faces.upsert(rows_of([{"face_id": "f", "photo_id": "p"}], library.faces.schema))
    other = open_library(settings, "b" * 32)
    assert (library.faces.count(), other.faces.count()) == (1, 0)
    folders = sorted(folder.name for folder in Path(settings.store_uri, "libraries").iterdir())
    assert folders == ["a" * 32, "b" * 32]


@pytest.mark.parametrize("user_id", ["", "..", "../system.lance-db", "a/b", "/etc", "a\0", "a" * 65, "é", "a\n"])
def test_what_is_no_user_id_opens_nothing(settings: Settings, user_id: str) -> None:
    """An id becomes a folder's name, so it must be one."""
    with pytest.raises(StoreError, match="no user id"):
        open_library(settings, user_id)


def test_tables_are_made_at_their_first_use(settings: Settings) -> None:
    """Opening a library is cheap: only the table that says its version is touched."""
    library = open_library(settings, "a" * 32)
    folder = Path(settings.store_uri, "libraries", "a" * 32)
    assert sorted(path.name for path in folder.glob("*.lance")) == ["meta.lance"]
    assert library.photos.count() == 0
    assert sorted(path.name for path in folder.glob("*.lance")) == ["meta.lance", "photos.lance"]


def test_an_open_library_does_not_travel(library: Library, system: System) -> None:
    """Each process opens its own."""
    for opened in (library, system):
        with pytest.raises(TypeError):
            pickle.dumps(opened)


def test_indexes_are_built_once(library: Library) -> None:
    """Building again changes nothing, and what they serve is found as before."""
    library.faces.upsert(
        rows_of([{"face_id": f"p{n}-00", "photo_id": f"p{n}"} for n in range(50)], library.faces.schema)
    )
    library.build_indexes()
    versions = [library.table(name).version for name in ("photos", "files", "faces")]
    library.build_indexes()
    assert [library.table(name).version for name in ("photos", "files", "faces")] == versions
    assert library.faces.of_photos(["p7", "p8"], ["face_id"])["face_id"].to_pylist() == ["p7-00", "p8-00"]


def test_the_system_forgets_what_has_ended(system: System) -> None:
    """Sessions and counters that no longer matter, so that their tables stay small."""
    _, session = system.sessions.open("user")
    system.sessions.revoke(session.session_id, "user")
    system.tidy()
    assert system.sessions.table.count() == 0
