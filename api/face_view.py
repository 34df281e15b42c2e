"""Faces as people see them - where, whose, how that is known - and pages of them in four orders.

A page is sorted from narrow columns of all faces it is of, so that its place in them holds while others are added.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import Expr, col, lit

from api.person_view import UNKNOWN, Box, extent, known_as, pictured
from api.photo_view import thumbnails
from batch.faces import Roster
from cluster.store.database import Library
from cluster.store.faces import UNKNOWN as NOT_KNOWN
from cluster.store.people import PERSON

Row: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[str, float, str]  # of a face in a list: whose, how sure or when, and its id

NEVER = datetime(1, 1, 1, tzinfo=UTC)
NARROW = ["face_id", "photo_id", "person_id", "probability"]
UNNAMED, NOBODYS = "1", "2"  # after all names, which begin with 0


class FaceView(msgspec.Struct, frozen=True):
    """A face and whose it is."""

    face_id: str
    photo_id: str
    box: Box
    score: float  # 0 to 1: how sure the detector is; 1 of one that somebody drew
    person_id: str  # empty: nobody's
    person: str  # their name; empty of a cluster
    standing: str  # labeled, inferred, unknown
    probability: float  # that it is that person's; 1 of labeled ones
    origin: str  # empty: detected; user or xmp: somebody drew it
    taken_at: datetime | None  # UTC
    width: int  # of the whole photo, upright, pixels; 0 when unknown
    height: int
    thumbnails: dict[str, str]  # of the whole photo: addresses by size


class Candidate(msgspec.Struct, frozen=True):
    """Somebody whom a face may be."""

    person_id: str
    name: str
    probability: float


class FaceDetail(msgspec.Struct, frozen=True):
    """A face and whom it may be, likeliest first; nobody whom it is not."""

    face: FaceView
    candidates: list[Candidate]


def chosen(roster: Roster, person_id: str = "", standing: str = "", photo_id: str = "") -> Expr:
    """Lets faces through that are a person's, known in a way, in a photo; what is empty does not matter."""
    where = lit(True)
    if person_id:
        where = where & col("person_id").isin(sorted(known_as([person_id], roster)))
    if standing:
        where = where & (col("standing") == lit(NOT_KNOWN if standing == UNKNOWN else standing))
    return where & (col("photo_id") == lit(photo_id)) if photo_id else where


def of_hidden(library: Library, roster: Roster, hidden: bool) -> Expr:
    """Lets faces through of people who are hidden, or else all the others."""
    ids = known_as([person.person_id for person in library.people.list() if person.hidden], roster)
    theirs = col("person_id").isin(sorted(ids)) if ids else lit(False)
    return theirs if hidden else ~theirs


def page(
    library: Library, roster: Roster, where: Expr, order: str, limit: int, after: Place | None
) -> tuple[list[str], int, Place | None]:
    """The ids of so many faces that come after a place, how many there are on all pages, and the last one's place."""
    faces = library.faces.narrow(where, NARROW)
    whose = by_name(library, roster, faces) if order == "person" else pa.repeat("", len(faces))
    number = when(library, faces) if order == "time" else faces["probability"].cast(pa.float64())
    number = number if order == "doubt" else pc.negate(number)
    places = pa.table({"whose": whose, "number": number, "face_id": faces["face_id"]})
    places = places.filter(beyond(places, after)) if after else places
    first = pc.select_k_unstable(places, limit + 1, [(name, "ascending") for name in places.column_names])
    found: list[Place] = [(row["whose"], row["number"], row["face_id"]) for row in places.take(first).to_pylist()]
    following = found[limit - 1] if len(found) > limit else None
    return [place[2] for place in found[:limit]], len(faces), following


def by_name(library: Library, roster: Roster, faces: pa.Table) -> pa.Array:
    """What sorts faces by whose they are: people by name, then clusters, then those that are nobody's."""
    people = {person.person_id: person for person in library.people.list()}
    ids = pc.unique(faces["person_id"]).to_pylist()
    sorting = [people.get(roster.who(one)) for one in ids]
    keys = [
        (f"0{who.name_key}\0{who.person_id}" if who.kind == PERSON else UNNAMED + who.person_id) if who else NOBODYS
        for who in sorting
    ]
    return pa.array(keys, pa.string()).take(pc.index_in(faces["person_id"], pa.array(ids, pa.string())))


def when(library: Library, faces: pa.Table) -> pa.Array:
    """The seconds at which faces' photos were taken; long ago for those that nobody dated."""
    photos = library.photos.narrow(None, ["photo_id", "taken_at"])
    seconds = pc.divide(photos["taken_at"].cast(pa.int64()).cast(pa.float64()), 1e6)
    place = pc.index_in(faces["photo_id"], photos["photo_id"].combine_chunks())
    return pc.fill_null(seconds.combine_chunks().take(place.combine_chunks()), NEVER.timestamp())


def beyond(places: pa.Table, after: Place) -> pa.ChunkedArray:
    """Which places come after one."""
    later: Any = pa.scalar(False)
    same: Any = pa.scalar(True)
    for name, value in zip(places.column_names, after, strict=True):
        later = pc.or_(later, pc.and_(same, pc.greater(places[name], value)))
        same = pc.and_(same, pc.equal(places[name], value))
    return later


def viewed(library: Library, roster: Roster, face_ids: Sequence[str]) -> list[FaceView]:
    """Some faces by their ids, in that order; blocks."""
    rows = library.faces.by_keys(face_ids).to_pylist()
    photos = pictured(library, [row["photo_id"] for row in rows])
    people = library.people.of_ids(sorted({roster.who(row["person_id"]) for row in rows}))
    names = {key: person.name for key, person in people.items()}
    return [view(row, roster.who(row["person_id"]), names, photos.get(row["photo_id"])) for row in rows]


def view(face: Row, person_id: str, names: Mapping[str, str], photo: Row | None) -> FaceView:
    """A face as people see it."""
    width, height = extent(photo)
    return FaceView(
        face_id=face["face_id"], photo_id=face["photo_id"], box=msgspec.convert(face, Box), score=face["score"],
        person_id=person_id, person=names.get(person_id, ""), standing=face["standing"] or UNKNOWN,
        probability=face["probability"], origin=face["origin"], taken_at=photo["taken_at"] if photo else None,
        width=width, height=height, thumbnails=thumbnails(photo) if photo else {},
    )  # fmt: skip
