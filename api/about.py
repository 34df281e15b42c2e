"""What else is known of somebody: on how many photos they are, since when and until when, and who else they may be."""

from datetime import datetime

import msgspec
import pyarrow.compute as pc
from litestar import Router, get
from litestar.params import FromPath

from api.access import USER
from api.deps import Deps, Given, Owned
from api.face_view import Candidate
from api.person_view import covers_of, faces_of
from batch.candidates import likely
from batch.faces import Roster
from cluster.store.database import Library
from cluster.store.people import Person

MOST_CANDIDATES = 3
LEAST_CHANCE = 0.05  # of somebody who is worth a word


class About(msgspec.Struct, frozen=True):
    """What else is known of somebody."""

    photos: int  # that they are on
    first_at: datetime | None  # when the first was taken, UTC; none where no time is known
    last_at: datetime | None
    maybe: list[Candidate]  # others whom the face they are shown by looks like, likeliest first


@get(
    "/{person_id:str}/about", opt=USER, sync_to_thread=True, summary="When somebody was seen, and who else they may be"
)
def show_about(person_id: FromPath[str], deps: Given, owned: Owned) -> About:
    """A person's or cluster's photos in numbers, and the people whom their face looks like."""
    person, roster = owned.people.person(person_id), Roster(owned)
    faces = faces_of(owned, [person.person_id], roster, ["photo_id"])
    photos = owned.photos.by_keys(pc.unique(faces["photo_id"]).to_pylist(), ["photo_id", "taken_at"])
    times = pc.min_max(photos["taken_at"]).as_py()
    return About(len(photos), times["min"], times["max"], maybe(deps, owned, person, roster))


def maybe(deps: Deps, library: Library, person: Person, roster: Roster) -> list[Candidate]:
    """Others whom somebody's face looks like."""
    model, covers = deps.revisions().get("faces", ""), covers_of(library, [person], roster, 1)
    shown_by = covers.get(person.person_id, [])
    if not model or not shown_by:
        return []
    found = likely(library, model, shown_by[0].face_id, MOST_CANDIDATES + 1)
    people = library.people.of_ids([person_id for person_id, _ in found])
    others = [(one, chance) for one, chance in found if chance >= LEAST_CHANCE and one != person.person_id]
    return [Candidate(one, people[one].name, chance) for one, chance in others[:MOST_CANDIDATES] if one in people]


ROUTES = Router("/api/people", route_handlers=[show_about], tags=["people"])
