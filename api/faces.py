"""Faces over HTTP: pages of them, one with whom it may be, and what somebody says of them.

What is kept of that is `batch/naming.py`'s business; who a face may be, `batch/candidates.py`'s.
"""

import asyncio
import logging
from typing import Annotated, Literal, TypeAlias

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.access import USER
from api.deps import Deps, Given, Me, Owned
from api.face_view import Candidate, FaceDetail, FaceView, chosen, of_hidden, page, viewed
from api.paging import Cursor, Limit, decode, encode
from api.people import SAID_BYTES, FaceIds, Id, Name, naming
from api.photos import photo_row
from api.remaking import Remade, Remaking
from batch.candidates import likely
from batch.faces import MEANT, Roster, overlap
from batch.stages import ReadPreview
from cluster.errors import Invalid, NotFound, PhotoError, Unavailable
from cluster.store.database import Library
from cluster.store.users import User
from serve_apps.models.protocol import Box, Image

log = logging.getLogger(__name__)

MARGIN = 0.5  # of a face's width and height, around it: detectors want to see the head
MOST_CANDIDATES = 20

Fraction: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
Somebody = Annotated[str, QueryParameter(max_length=128, description="only this person's, or in this cluster")]
Somewhere = Annotated[str, QueryParameter(max_length=128, description="only in this photo")]
Standing = Annotated[
    Literal["", "labeled", "inferred", "unknown"], QueryParameter(description="how it is known whose they are")
]
Hidden = Annotated[bool | None, QueryParameter(description="of people who are hidden, or of all the others")]
Order = Annotated[
    Literal["person", "certainty", "doubt", "time"],
    QueryParameter(
        description="by name and then the surest first, the surest first, the least sure first, or the newest first"
    ),
]


class FacePage(msgspec.Struct, frozen=True):
    """Some faces, and where the next page begins."""

    faces: list[FaceView]
    total: int  # on all pages
    next_cursor: str | None


class NewFace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A face that nobody found: edges as fractions of the upright picture, and whose it is, where that is known."""

    photo_id: Id
    left: Fraction
    top: Fraction
    right: Fraction
    bottom: Fraction
    person_id: Id = ""
    name: Name = ""


class Faces(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some faces."""

    face_ids: FaceIds


class FacesOfSomebody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some faces and whose they are: a person's, or that of a name, who need not be known."""

    face_ids: FaceIds
    person_id: Id = ""
    name: Name = ""


class FacesOfAnother(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some faces and whose they are not; without a person: of whom they are thought to be."""

    face_ids: FaceIds
    person_id: Id = ""


class Labeled(msgspec.Struct, frozen=True):
    """Whose some faces are now."""

    person_id: str
    name: str
    faces: int


class Changed(msgspec.Struct, frozen=True):
    """How many faces something was said of."""

    faces: int


@get("/", opt=USER, sync_to_thread=True, summary="Faces, by person, certainty or time")
def list_faces(
    deps: Given, owned: Owned, person_id: Somebody = "", standing: Standing = "", photo_id: Somewhere = "",
    order: Order = "person", hidden: Hidden = None, limit: Limit = None, cursor: Cursor = "",
) -> FacePage:  # fmt: skip
    """A page of one's own faces that fit all filters."""
    roster, size = Roster(owned), limit or deps.settings.api.page_size
    whose = owned.people.person(person_id).person_id if person_id else ""
    where = chosen(roster, whose, standing, photo_row(owned, photo_id)["photo_id"] if photo_id else "")
    where = where if hidden is None else where & of_hidden(owned, roster, hidden)
    found, total, last = page(owned, roster, where, order, size, decode(cursor, tuple[str, float, str]))
    return FacePage(viewed(owned, roster, found), total, encode(last) if last else None)


@get("/{face_id:str}", opt=USER, sync_to_thread=True, summary="One face and whom it may be")
def show_face(
    face_id: FromPath[str], deps: Given, owned: Owned,
    candidates: Annotated[int, QueryParameter(ge=0, le=MOST_CANDIDATES, description="how many people at most")] = 5,
) -> FaceDetail:  # fmt: skip
    """A face with the people it may be, likeliest first; none of whom somebody said that it is not they."""
    face, model = shown(owned, face_id), deps.revisions().get("faces", "")
    found = likely(owned, model, face_id, candidates) if candidates else []
    people = owned.people.of_ids([person_id for person_id, _ in found])
    return FaceDetail(face, [Candidate(one, people[one].name, chance) for one, chance in found if one in people])


@post("/", opt=USER, status_code=201, summary="Add a face that nobody found")
async def add_face(data: JSONBody[NewFace], deps: Given, owned: Owned, user: Me, remaking: Remade) -> FaceView:
    """A face where somebody drew it. It can be compared with others if face_recognition answers and finds it too.

    409 where there is a face already: say whose that one is.
    """
    box = (data.left, data.top, data.right, data.bottom)
    row = await asyncio.to_thread(photo_row, owned, data.photo_id)
    vector = await vector_of(deps, remaking, user, row["content_id"], box)
    said = await asyncio.to_thread(naming, deps, owned, user)
    face_id = await asyncio.to_thread(said.add, data.photo_id, box, vector, data.person_id, data.name)
    return await asyncio.to_thread(shown, owned, face_id)


@post("/label", opt=USER, sync_to_thread=True, status_code=200, request_max_body_size=SAID_BYTES,
      summary="Say whose faces are")  # fmt: skip
def label_faces(data: JSONBody[FacesOfSomebody], deps: Given, owned: Owned, user: Me) -> Labeled:
    """The person they are, who is new if nobody has the name. No training changes that."""
    if bool(data.person_id) == bool(data.name):
        raise Invalid("Say whose the faces are: either a person_id or a name.")
    person = naming(deps, owned, user).label(data.face_ids, data.person_id, data.name)
    return Labeled(person.person_id, person.name, len(set(data.face_ids)))


@post("/confirm", opt=USER, sync_to_thread=True, status_code=200, request_max_body_size=SAID_BYTES,
      summary="Say that faces are whose they are thought to be")  # fmt: skip
def confirm_faces(data: JSONBody[Faces], deps: Given, owned: Owned, user: Me) -> Changed:
    """They are labeled from now on; 409 when nobody is thought of for one of them."""
    return Changed(naming(deps, owned, user).confirm(data.face_ids))


@post("/reject", opt=USER, sync_to_thread=True, status_code=200, request_max_body_size=SAID_BYTES,
      summary="Say whose faces are not")  # fmt: skip
def reject_faces(data: JSONBody[FacesOfAnother], deps: Given, owned: Owned, user: Me) -> Changed:
    """They are never offered as that person's again; 409 when nobody is thought of for one of them."""
    return Changed(naming(deps, owned, user).reject(data.face_ids, data.person_id))


@post("/unlabel", opt=USER, sync_to_thread=True, status_code=200, request_max_body_size=SAID_BYTES,
      summary="Take back whose faces are")  # fmt: skip
def unlabel_faces(data: JSONBody[Faces], deps: Given, owned: Owned, user: Me) -> Changed:
    """They are nobody's until the next training."""
    return Changed(naming(deps, owned, user).unlabel(data.face_ids))


@post("/delete", opt=USER, sync_to_thread=True, status_code=200, request_max_body_size=SAID_BYTES,
      summary="Say that faces are none")  # fmt: skip
def delete_faces(data: JSONBody[Faces], deps: Given, owned: Owned, user: Me) -> Changed:
    """They are gone and not detected again. Photos stay as they are."""
    return Changed(naming(deps, owned, user).delete(data.face_ids))


def shown(library: Library, face_id: str) -> FaceView:
    """A face; raises NotFound."""
    if found := viewed(library, Roster(library), [face_id]):
        return found[0]
    raise NotFound("There is no such face.")


async def vector_of(
    deps: Deps, remaking: Remaking, user: User, content_id: str, box: Box
) -> tuple[str, list[float]] | None:
    """The vector of a face that somebody drew, and its model's name; None when no model sees it there."""
    try:
        await remaking.preview(user, content_id)
        preview = ReadPreview(str(deps.settings.derived / user.user_id), deps.settings.scan.analysis_px)
        picture, part = cut(await asyncio.to_thread(preview.read, content_id), box)
        seen = await deps.models.faces(picture)
    except (Unavailable, PhotoError) as error:
        log.info("a face was added without a vector: %s", error)
        return None
    best = max(seen.faces, key=lambda face: overlap(face.box, part), default=None)
    return (seen.model, best.embedding) if best and overlap(best.box, part) >= MEANT else None


def cut(image: Image, box: Box) -> tuple[Image, Box]:
    """The part of a picture around a box, and where the box is in it; raises Invalid for a box without an inside."""
    height, width = image.shape[:2]
    left, top, right, bottom = box
    if not (left < right and top < bottom):
        raise Invalid("A face's box is left, top, right and bottom as fractions of the picture; draw it again.")
    across, down = (right - left) * MARGIN, (bottom - top) * MARGIN
    x0, x1 = int(max(0, left - across) * width), max(1, round(min(1, right + across) * width))
    y0, y1 = int(max(0, top - down) * height), max(1, round(min(1, bottom + down) * height))
    x0, y0 = min(x0, x1 - 1), min(y0, y1 - 1)
    wide, high = x1 - x0, y1 - y0
    part = ((left * width - x0) / wide, (top * height - y0) / high,
            (right * width - x0) / wide, (bottom * height - y0) / high)  # fmt: skip
    return image[y0:y1, x0:x1].copy(), part


ROUTES = Router(
    "/api/faces",
    route_handlers=[
        list_faces, show_face, add_face, label_faces, confirm_faces, reject_faces, unlabel_faces, delete_faces
    ],
    tags=["faces"],
)  # fmt: skip
