"""People over HTTP: those with a name and the clusters without, and what somebody says of them.

How faces come to people is `batch/people.py`'s business, what is kept of what somebody says `batch/naming.py`'s.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from litestar import Router, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.access import USER
from api.commits import Visible
from api.deps import Deps, Given, Me, Owned
from api.paging import Cursor, Limit, decode, encode
from api.person_view import Counts, PersonView, counted, one, viewed
from batch.faces import Roster
from batch.naming import MOST_FACES, Naming
from cluster.store.database import Library
from cluster.store.people import CLUSTER, LONGEST_NAME, Person, key_of
from cluster.store.users import User

SAID_BYTES = 2 * 2**20  # of a request: so many faces
MOST_MERGED = 1000
MOST_SAMPLES = 12

Id: TypeAlias = Annotated[str, msgspec.Meta(max_length=128)]
Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=4 * LONGEST_NAME)]  # before spaces are taken out
FaceIds: TypeAlias = Annotated[list[Id], msgspec.Meta(min_length=1, max_length=MOST_FACES)]
Kind = Annotated[Literal["person", "cluster"], QueryParameter(description="with a name, or without")]
Hidden = Annotated[bool, QueryParameter(description="those who are hidden, instead of the others")]
Order = Annotated[Literal["name", "faces"], QueryParameter(description="by name, or the most faces first")]
Named = Annotated[str, QueryParameter(max_length=4 * LONGEST_NAME, description="only those with this in their name")]
Samples = Annotated[int, QueryParameter(ge=0, le=MOST_SAMPLES, description="how many of each one's faces to tell")]
Place: TypeAlias = tuple[int, str, str]  # of a person in a list


class PersonPage(msgspec.Struct, frozen=True):
    """Some people, and where the next page begins."""

    people: list[PersonView]
    total: int  # on all pages
    next_cursor: str | None


class PersonChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change about a person; what is left out stays. A cover of "" leaves the choice to Brightroom."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    hidden: bool | msgspec.UnsetType = msgspec.UNSET
    cover_face_id: Id | msgspec.UnsetType = msgspec.UNSET


class Merger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People who are one."""

    into: Id
    others: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=MOST_MERGED)]


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Faces of a person who are somebody else, and that one's name."""

    face_ids: FaceIds
    name: Name


@get("/", opt=USER, sync_to_thread=True, summary="People, by name or by faces")
def list_people(
    deps: Given, owned: Owned, kind: Kind = "person", hidden: Hidden = False, order: Order = "name",
    q: Named = "", samples: Samples = 0, limit: Limit = None, cursor: Cursor = "",
) -> PersonPage:  # fmt: skip
    """A page of one's own people, those merged into others not; clusters as long as they have a face."""
    size, roster, after = limit or deps.settings.api.page_size, Roster(owned), decode(cursor, tuple[int, str, str])
    counts, part = counted(owned, roster), key_of(q)
    fitting = sorted(
        (
            (placed(person, counts, order), person)
            for person in owned.people.list()
            if person.kind == kind and person.hidden == hidden and part in person.name_key
            if kind != CLUSTER or person.person_id in counts
        ),
        key=lambda one_of: one_of[0],
    )
    wanted = [one_of for one_of in fitting if after is None or one_of[0] > after]
    shown = wanted[:size]
    following = encode(shown[-1][0]) if len(wanted) > size else None
    people = viewed(owned, [person for _, person in shown], counts, roster, samples)
    return PersonPage(people, len(fitting), following)


@get("/{person_id:str}", opt=USER, sync_to_thread=True, summary="One person")
def show_person(person_id: FromPath[str], owned: Owned) -> PersonView:
    """A person, or whom they were merged into."""
    return one(owned, owned.people.person(person_id))


@patch("/{person_id:str}", opt=USER, sync_to_thread=True, summary="Rename, hide or show a person, choose their cover")
def change_person(
    person_id: FromPath[str], data: JSONBody[PersonChange], deps: Given, owned: Owned, user: Me
) -> PersonView:
    """Name a person or a cluster, whose faces that labels; hide or show them; choose the face they are shown by.

    409 when another person has the name: merge the two. 400 for a cover that is somebody else's face.
    """
    said, person = naming(deps, owned, user), owned.people.person(person_id)
    if data.name is not msgspec.UNSET:
        said.rename(person.person_id, data.name)
    if data.hidden is not msgspec.UNSET:
        said.hide(person.person_id, data.hidden)
    if data.cover_face_id is not msgspec.UNSET:
        said.cover(person.person_id, data.cover_face_id)
    return one(owned, owned.people.person(person_id))


@post("/merge", opt=USER, sync_to_thread=True, status_code=200, summary="Say that some people are one")
def merge_people(data: JSONBody[Merger], deps: Given, owned: Owned, user: Me) -> PersonView:
    """The one they are: `into`, or the first with a name where that one has none. The others' ids go on to mean it."""
    return one(owned, naming(deps, owned, user).merge(data.into, data.others))


@post(
    "/{person_id:str}/split", opt=USER, sync_to_thread=True, status_code=200,
    request_max_body_size=SAID_BYTES, summary="Say that some faces of a person are somebody else's",
)  # fmt: skip
def split_person(person_id: FromPath[str], data: JSONBody[Split], deps: Given, owned: Owned, user: Me) -> PersonView:
    """The other person, whom the faces are labeled as; they are never offered as the first one's again."""
    return one(owned, naming(deps, owned, user).split(person_id, data.face_ids, data.name))


def placed(person: Person, counts: Counts, order: str) -> Place:
    """Where a person stands in a list."""
    faces = -sum(counts.get(person.person_id, {}).values()) if order == "faces" else 0
    return faces, person.name_key, person.person_id


def naming(deps: Deps, library: Library, user: User) -> Naming:
    """What a user says of their own library; what they said is there when they look."""
    return Naming(library, Visible(library, deps.writer(user.user_id)), user.user_id)


ROUTES = Router(
    "/api/people", route_handlers=[list_people, show_person, change_person, merge_people, split_person], tags=["people"]
)
