"""How many faces and people a library has: read once, so that labeled + inferred + unknown = faces whoever writes."""

from collections.abc import Mapping

import msgspec

from cluster.store.database import Library
from cluster.store.faces import INFERRED, LABELED
from cluster.store.people import PERSON


class Census(msgspec.Struct, frozen=True):
    """The faces of a library, by how it is known whose they are, and the people who have some."""

    people: int  # with a name and a face
    faces: int
    labeled: int
    inferred: int
    unknown: int


def census_of(library: Library) -> Census:
    """Faces and people, from one snapshot of narrow columns of all faces; who was merged is whom they became."""
    faces = library.faces.narrow(None, ["person_id", "standing"])
    groups = faces.group_by(["person_id", "standing"]).aggregate([([], "count_all")]).to_pylist()
    people = library.people.rows(None, ["person_id", "kind", "merged_into"]).to_pylist()
    merged = {row["person_id"]: row["merged_into"] for row in people}
    persons = {row["person_id"] for row in people if row["kind"] == PERSON}
    with_faces = {became(group["person_id"], merged) for group in groups}
    known = {name: sum(one["count_all"] for one in groups if one["standing"] == name) for name in (LABELED, INFERRED)}
    labeled, inferred = known[LABELED], known[INFERRED]
    return Census(len(with_faces & persons), len(faces), labeled, inferred, len(faces) - labeled - inferred)


def became(person_id: str, merged: Mapping[str, str]) -> str:
    """Whom somebody was merged into in the end: themselves, if into nobody."""
    for _ in range(len(merged)):
        if not (into := merged.get(person_id)):
            break
        person_id = into
    return person_id
