"""People as people see them: a name, how many faces they have and how those are known, and the face they are shown by.

Counts are made of narrow columns of all faces in one pass; whoever was merged counts for whom they were merged into.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col

from api.photo_view import thumbnails
from batch.faces import SIDES, Roster
from cluster.store.database import Library
from cluster.store.faces import INFERRED, LABELED
from cluster.store.faces import UNKNOWN as NOT_KNOWN
from cluster.store.people import Person

Row: TypeAlias = Mapping[str, Any]
Counts: TypeAlias = dict[str, Counter[str]]  # faces of each person, by standing

UNKNOWN = "unknown"  # what people read where the store has nothing
SURE = [NOT_KNOWN, INFERRED, LABELED]  # the surer, the fitter to be a cover
SHOWN = ("face_id", "photo_id", "person_id", "standing", "probability", *SIDES)
PICTURED = ("photo_id", "content_id", "media_rev", "media_error", "taken_at", "width", "height")


class Box(msgspec.Struct, frozen=True):
    """A part of a picture: edges as fractions of it, upright."""

    left: float
    top: float
    right: float
    bottom: float


class Cover(msgspec.Struct, frozen=True):
    """The face that somebody is shown by."""

    face_id: str
    photo_id: str
    box: Box
    width: int  # of the whole photo, upright, pixels; 0 when unknown
    height: int
    thumbnails: dict[str, str]  # of the whole photo: addresses by size; empty while there are none
    chosen: bool  # by somebody


class PersonView(msgspec.Struct, frozen=True):
    """Somebody with a name, or a cluster: faces that look like one person whom nobody has named."""

    person_id: str
    name: str  # empty of a cluster
    kind: str  # person or cluster
    hidden: bool
    labeled: int  # faces of which somebody said so
    inferred: int  # of which training is sure enough
    unknown: int  # in this cluster
    cover: Cover | None
    samples: list[Cover] = []  # some of their faces, the fittest first, where asked for


def counted(library: Library, roster: Roster) -> Counts:
    """How many faces everybody has, by how they are known."""
    faces = library.faces.narrow(None, ["person_id", "standing"])
    groups = faces.group_by(["person_id", "standing"]).aggregate([([], "count_all")])
    found: Counts = {}
    for group in groups.to_pylist():
        person = found.setdefault(roster.who(group["person_id"]), Counter())
        person[group["standing"] or UNKNOWN] += group["count_all"]
    return found


def viewed(
    library: Library, people: Sequence[Person], counts: Counts, roster: Roster, samples: int = 0
) -> list[PersonView]:
    """People with their covers, counts and so many of their faces; blocks."""
    covers = covers_of(library, people, roster, max(samples, 1))
    return [
        view(person, counts.get(person.person_id, Counter()), covers.get(person.person_id, []), samples)
        for person in people
    ]


def view(person: Person, counts: Counter[str], shown_by: Sequence[Cover], samples: int) -> PersonView:
    """Somebody with what was counted of them."""
    return PersonView(
        person_id=person.person_id, name=person.name, kind=person.kind, hidden=person.hidden,
        labeled=counts[LABELED], inferred=counts[INFERRED], unknown=counts[UNKNOWN],
        cover=shown_by[0] if shown_by else None, samples=list(shown_by[:samples]),
    )  # fmt: skip


def one(library: Library, person: Person) -> PersonView:
    """Somebody with their cover and counts; blocks."""
    roster = Roster(library)
    return viewed(library, [person], counted(library, roster), roster)[0]


def covers_of(library: Library, people: Sequence[Person], roster: Roster, most: int) -> dict[str, list[Cover]]:
    """The faces that each is shown by: the chosen one, while it is theirs, then the surest, the largest of these."""
    chosen = {person.person_id: person.cover_face_id for person in people}
    best = fittest(faces_of(library, chosen, roster), chosen, roster, most).to_pylist()
    photos = pictured(library, [face["photo_id"] for face in best])
    found: dict[str, list[Cover]] = {}
    for face in best:
        found.setdefault(face["whose"], []).append(cover(face, photos, chosen[face["whose"]]))
    return found


def fittest(faces: pa.Table, chosen: Mapping[str, str], roster: Roster, most: int) -> pa.Table:
    """The faces of each person, `whose`, that are fittest to be their cover, the fittest first."""
    ids, everybody = pc.unique(faces["person_id"]).to_pylist(), list(chosen)
    number = {person_id: i for i, person_id in enumerate(everybody)}
    place = pc.index_in(faces["person_id"], pa.array(ids, pa.string()))
    whose = pa.array([number[roster.who(one)] for one in ids], pa.int32()).take(place).combine_chunks()
    covers = pa.array(chosen.values(), pa.string()).take(whose)
    width, height = pc.subtract(faces["right"], faces["left"]), pc.subtract(faces["bottom"], faces["top"])
    orders = {
        "whose": whose, "chosen": pc.equal(faces["face_id"], covers).cast(pa.int8()),
        "sure": pc.index_in(faces["standing"], pa.array(SURE, pa.string())), "chance": faces["probability"],
        "area": pc.multiply(width, height), "id": faces["face_id"],
    }  # fmt: skip
    by = [(name, "ascending" if name == "whose" else "descending") for name in orders]
    order = pc.sort_indices(pa.table(orders), by).to_numpy()
    _, first, group = np.unique(whose.to_numpy()[order], return_index=True, return_inverse=True)
    best = order[np.arange(len(order)) - first[group] < most]
    return faces.take(best).append_column("whose", pa.array(everybody, pa.string()).take(whose.take(pa.array(best))))


def faces_of(library: Library, person_ids: Iterable[str], roster: Roster, columns: Sequence[str] = SHOWN) -> pa.Table:
    """The faces of some people, and of those who were merged into them."""
    return library.faces.narrow(col("person_id").isin(sorted(known_as(person_ids, roster))), columns)


def known_as(person_ids: Iterable[str], roster: Roster) -> set[str]:
    """The ids of some people and of all who were merged into them."""
    wanted = set(person_ids)
    return wanted | {one for one in roster.merged if roster.who(one) in wanted}


def cover(face: Row, photos: Mapping[str, Row], chosen: str) -> Cover:
    """A face as somebody's cover."""
    photo = photos.get(face["photo_id"])
    shown = thumbnails(photo) if photo else {}
    box, is_chosen = msgspec.convert(face, Box), face["face_id"] == chosen
    return Cover(face["face_id"], face["photo_id"], box, *extent(photo), shown, is_chosen)


def extent(photo: Row | None) -> tuple[int, int]:
    """How wide and high a photo is, in pixels; nothing where that is not known."""
    return (photo["width"] or 0, photo["height"] or 0) if photo else (0, 0)


def pictured(library: Library, photo_ids: Sequence[str]) -> dict[str, Row]:
    """What showing some photos takes, by photo."""
    return {row["photo_id"]: row for row in library.photos.by_keys(photo_ids, PICTURED).to_pylist()}
