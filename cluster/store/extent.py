"""How far each table of a database has grown: rows, versions, bytes. What a whole library takes is `storage.py`'s."""

from collections.abc import Iterable, Iterator

import msgspec

from cluster.store.database import Library, System
from cluster.store.recovery import manifests
from cluster.store.storage import sizes
from cluster.store.table import Table


class Extent(msgspec.Struct, frozen=True):
    """A table as it is now."""

    rows: int
    versions: int | None  # that are kept; None where the table is not on a disk of ours, as for bytes
    bytes: int | None  # of all versions and indexes


def extents(database: Library | System) -> dict[str, Extent]:
    """Every table of a database by its name; opens the tables that nobody has yet."""
    return {table.name: extent(table) for table in tables(database)}


def extent(table: Table) -> Extent:
    """How far a table has grown; its rows are not read."""
    rows, parent = table.count(), table.database.folder
    if parent is None:
        return Extent(rows, None, None)
    folder = parent / f"{table.name}.lance"
    return Extent(rows, len(manifests(folder)), sum(sizes(folder)))


def tables(database: Library | System) -> Iterator[Table]:
    """The tables that a database has as nouns, and those of its models' vectors."""
    yield from of_nouns(vars(database).values())
    if isinstance(database, Library):
        yield from (found for model in database.models() if (found := database.registry.find(model)))


def of_nouns(nouns: Iterable[object]) -> Iterator[Table]:
    """The tables among some objects: a library's nouns are tables, the system's hold one."""
    for noun in nouns:
        table = noun if isinstance(noun, Table) else getattr(noun, "table", None)
        if isinstance(table, Table):
            yield table
