"""Whom one face may be, likeliest first, found among its neighbours. Says nothing of it in the store."""

import numpy as np
from lancedb.expr import col, lit

from batch.faces import Roster
from batch.likeness import measured
from batch.recognition import candidates
from cluster.store.database import Library
from cluster.store.faces import LABELED
from cluster.store.facts import REJECT

NEIGHBOURS = 200  # faces that candidates for one face are looked for among
SAMPLE = 1024  # faces that tell how far apart people lie
SPEAKERS = 8  # labeled faces of a person that are looked at however many faces lie nearer


def likely(library: Library, model: str, face_id: str, limit: int) -> list[tuple[str, float]]:
    """The people that a face may be, likeliest first, each with a probability; nobody whom it is not.

    They are looked for among the faces nearest to it, and among the labeled ones nearest to it, for a person may have
    more faces than those of whom only one is labeled. How far apart people lie is learnt from those and from others.
    """
    table, roster = library.registry.find(model), Roster(library)
    vector = table.vectors([face_id]).get(face_id) if table else None
    if table is None or vector is None:
        return []
    nearest = [*table.nearest(vector, NEIGHBOURS), *table.nearest(vector, NEIGHBOURS, col("id").isin(some_of(library)))]
    near = [key for key in dict.fromkeys(key for key, _, _ in nearest) if key != face_id]
    others = table.rows(None, ["id"], limit=SAMPLE)["id"].to_pylist()
    vectors = table.vectors(near + others)
    rows = library.faces.by_keys(list(vectors), ["face_id", "person_id", "standing"]).to_pylist()
    whose = {row["face_id"]: roster.who(row["person_id"]) for row in rows if row["standing"] == LABELED}
    people = sorted({whose[key] for key in near if key in whose})
    number = {key: people.index(one) for key, one in whose.items() if one in people}
    said = library.facts.rows((col("face_id") == lit(face_id)) & (col("kind") == lit(REJECT)), ["person_id"])
    not_them = {roster.who(one) for one in said["person_id"].to_pylist()}
    matrix = np.array(list(vectors.values()), np.float32).reshape(-1, len(vector))
    labels = np.array([number.get(key, -1) for key in vectors], np.int32)
    rejected = [i for i, one in enumerate(people) if one in not_them]
    found = candidates(np.array(vector, np.float32), matrix, labels, rejected, limit, measured(matrix, labels))
    return [(people[i], probability) for i, probability in found]


def some_of(library: Library) -> list[str]:
    """A few labeled faces of each person."""
    faces = library.faces.narrow(col("standing") == lit(LABELED), ["face_id", "person_id"])
    ordered = faces.sort_by([("person_id", "ascending"), ("face_id", "ascending")])
    ids, people = (np.array(ordered[name].to_pylist(), object) for name in ordered.column_names)
    _, first, place = np.unique(people, return_index=True, return_inverse=True)
    few: list[str] = ids[np.arange(len(ids)) - first[place] < SPEAKERS].tolist()
    return few
