"""How far tables have grown, told by their files."""

from pathlib import Path

from cluster.settings import Settings
from cluster.store.database import Library, open_system
from cluster.store.extent import extents
from cluster.store.faces import SCHEMA
from cluster.store.schema import rows_of


def test_every_table_of_a_library_is_told(library: Library) -> None:
    """Its nouns', the registry of models, each model's vectors, and what it says of itself."""
    vectors = library.embeddings("clip@1", 2)

    told = extents(library)

    nouns = {"files", "photos", "faces", "facts", "people", "acts", "events", "trash", "errors", "models", "remotes"}
    assert told.keys() == {"meta", *nouns, vectors.name}
    assert told["models"].rows == 1


def test_every_table_of_the_system_is_told(tmp_path: Path) -> None:
    """As many as there are folders of tables."""
    system = open_system(Settings(root=tmp_path))

    told = extents(system)

    assert system.database.folder is not None
    assert told.keys() == {folder.stem for folder in system.database.folder.glob("*.lance")}
    assert {"users", "jobs", "sessions", "meta"} <= told.keys()


def test_rows_versions_and_bytes_grow_with_commits(library: Library) -> None:
    """A version for each commit; bytes are those of the table's files."""
    before = extents(library)["faces"]
    for number in range(3):
        library.faces.upsert(rows_of([{"face_id": f"p-{number:02d}", "photo_id": "p"}], SCHEMA))

    now = extents(library)["faces"]

    assert library.database.folder is not None
    files = (library.database.folder / "faces.lance").rglob("*")
    assert (now.rows, now.versions) == (3, before.versions and before.versions + 3)
    assert now.bytes == sum(file.stat().st_size for file in files if file.is_file())
