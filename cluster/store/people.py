"""People: a name and a cover for faces that are one person's. A cluster is a person whom nobody has named yet.

Which faces are whose stands in the faces' rows; how that is found out is `batch/people.py`'s business.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec
import pyarrow as pa
from lancedb.expr import col, lit

from cluster.errors import Invalid, NotFound
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, texts
from cluster.store.table import Table
from cluster.store.titles import visible

LONGEST_NAME = 128
PERSON, CLUSTER = "person", "cluster"

SCHEMA = pa.schema(
    [
        key("person_id"),
        *texts("name", "name_key", "kind", "cover_face_id", "merged_into"),
        column("hidden", pa.bool_()),
        column("created_at", TIME),
        column("changed_at", TIME),
    ]
)


class Person(msgspec.Struct, frozen=True):
    """Somebody, named or not."""

    person_id: str
    name: str  # "" of a cluster
    name_key: str  # what makes the name unique: without case
    kind: str  # person or cluster
    cover_face_id: str  # that somebody chose; "" leaves the choice to us
    merged_into: str  # whom this one turned out to be; "" for nobody
    hidden: bool
    created_at: datetime
    changed_at: datetime


Listing: TypeAlias = list[Person]  # in a class with a method `list`, that word is taken


def key_of(name: str) -> str:
    """What two spellings of one name have in common."""
    return unicodedata.normalize("NFKC", " ".join(name.split())).casefold()


def checked(name: str) -> str:
    """A person's name as it is kept; raises Invalid for one that is empty, too long or has invisible characters."""
    if not (kept := visible(name, LONGEST_NAME)):
        raise Invalid(f"A person's name has 1 to {LONGEST_NAME} characters, all of them visible; choose another.")
    return kept


def id_of(name: str) -> str:
    """The id that a new name leads to: derived, so that whoever makes a person of it twice makes one."""
    return hashlib.sha256(b"person\0" + key_of(name).encode()).hexdigest()[:32]


def order(person: Person) -> tuple[bool, str, str]:
    """Where a person stands in a list: those with a name first, by name."""
    return person.kind != PERSON, person.name_key, person.person_id


class People(Table):
    """The people of a library. Nobody is deleted: who was merged says into whom."""

    def __init__(self, database: Connection) -> None:
        super().__init__(database, "people", SCHEMA, "person_id")

    def person(self, person_id: str) -> Person:
        """Somebody, or whom they were merged into; raises NotFound."""
        seen: set[str] = set()
        while (row := self.get(person_id)) and row["merged_into"] and person_id not in seen:
            seen.add(person_id)
            person_id = row["merged_into"]
        if not row:
            raise NotFound("There is no such person.")
        return Person(**row)

    def list(self) -> Listing:
        """Everybody who was not merged into another, named ones first, by name."""
        rows = self.rows(col("merged_into") == lit("")).to_pylist()
        return sorted((Person(**row) for row in rows), key=order)

    def named(self, name: str) -> Person | None:
        """The person who has a name now, in any case; None for nobody."""
        same = (col("name_key") == lit(key_of(name))) & (col("merged_into") == lit(""))
        found = self.rows(same & (col("kind") == lit(PERSON)), limit=1).to_pylist()
        return Person(**found[0]) if found else None

    def of_ids(self, person_ids: Sequence[str]) -> dict[str, Person]:
        """Some people by their ids, as they are, merged or not."""
        return {row["person_id"]: Person(**row) for row in self.by_keys(person_ids).to_pylist()}
