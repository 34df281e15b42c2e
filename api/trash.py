"""The trash over HTTP: what is in it, by photo and by the job that put it there, how it looks, and taking it out again.

What goes into it is a Library action's business; that its time is over, `batch/trash.py`'s.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, JSONBody

from api.access import USER
from api.commits import Visible
from api.deps import Given, Me, Owned
from api.paging import Cursor, Limit, decode, encode
from api.photo_view import SIZES
from api.pictures import ASK_FIRST, PICTURE_TYPES, open_derived
from api.ranges import answer_file
from batch.trash import restore
from cluster.errors import Invalid, NotFound
from cluster.settings import Settings
from cluster.store.database import Library, open_library
from cluster.store.trash import Action
from serve_apps.media.addresses import derived_path

MOST = 1000  # photos named in one request
Id: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class TrashedPhoto(msgspec.Struct, frozen=True):
    """A photo in the trash."""

    photo_id: str
    name: str  # path of its main file, as far as it is readable text
    bytes: int  # of its derived pictures, freed when it is purged
    deleted_at: datetime
    deleted_by: str  # user_id
    action_id: str  # the job that put it there
    purged_after: datetime  # until then it can be put back
    thumbnails: dict[str, str]  # addresses by size; empty where there are none


class TrashPage(msgspec.Struct, frozen=True):
    """Some of what is in the trash, last deleted first, and where the next page begins."""

    photos: list[TrashedPhoto]
    next_cursor: str | None


class TrashActions(msgspec.Struct, frozen=True):
    """What jobs put into the trash and is still there, the last one first."""

    actions: list[Action]


class Restore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to put back: some photos, all that one job deleted, or all there is. One of the three."""

    photo_ids: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=MOST)] | msgspec.UnsetType = msgspec.UNSET
    action_id: Id | msgspec.UnsetType = msgspec.UNSET
    all: bool = False


class Restored(msgspec.Struct, frozen=True):
    """How many photos were put back."""

    photos: int


@get("/", opt=USER, sync_to_thread=True, summary="What is in the trash")
def list_trash(deps: Given, owned: Owned, limit: Limit = None, cursor: Cursor = "") -> TrashPage:
    """A page of one's own deleted photos, last deleted first."""
    size = limit or deps.settings.api.page_size
    rows = owned.trash.newest(size + 1, decode(cursor, tuple[Moment, str]))
    more, rows = len(rows) > size, rows[:size]
    following = encode((rows[-1]["deleted_at"], rows[-1]["photo_id"])) if more else None
    return TrashPage([trashed(row, deps.settings) for row in rows], following)


@get("/actions", opt=USER, sync_to_thread=True, summary="Which jobs put photos into the trash")
def list_trash_actions(owned: Owned) -> TrashActions:
    """The jobs whose deletions can still be undone, and how many photos each."""
    return TrashActions(owned.trash.actions())


@get(
    "/{photo_id:str}/thumbnail/{size:str}", opt=USER, sync_to_thread=True, media_type="image/webp",
    summary="A derived picture of what is in the trash",
)  # fmt: skip
def trash_thumbnail(
    request: Request[Any, Any, Any],
    photo_id: FromPath[str],
    size: FromPath[Literal["preview", "big", "square", "small"]],
    deps: Given, owned: Owned, user: Me,
) -> Response[Any]:  # fmt: skip
    """As that of a photo, which is not made again where it is gone."""
    (row,) = owned.trash.by_keys([photo_id], ["content_id"]).to_pylist() or [None]
    content_id = row["content_id"] if row else ""
    file = open_derived(derived_path(deps.settings.derived / user.user_id, content_id, size)) if row else None
    if file is None:
        raise NotFound("There is no such picture in the trash.")
    headers = {"Content-Type": PICTURE_TYPES[SIZES[size]], "Cache-Control": ASK_FIRST}
    return answer_file(request, file, f'"{content_id}-{size}-{file.version}"', headers)


@post("/restore", opt=USER, sync_to_thread=True, status_code=200, summary="Put photos back from the trash")
def restore_trash(deps: Given, owned: Owned, user: Me, data: JSONBody[Restore]) -> Restored:
    """Put photos back with all that was known of them; those that are not in the trash (any more) do not count.

    400 unless just one of `photo_ids`, `action_id` and `all` says which.
    """
    exact = deps.settings.model_copy(update={"store": deps.settings.store.model_copy(update={"fresh_s": 0.0})})
    library = open_library(exact, user.user_id)  # one that sees every commit: what it decides is final
    writer = Visible(owned, deps.writer(user.user_id))  # so that one sees what came of it
    return Restored(len(restore(library, writer, meant(library, data))))


def meant(library: Library, asked: Restore) -> list[str]:
    """The photos that somebody asks for; raises Invalid when that is none or more than one way of saying it."""
    said = [asked.photo_ids is not msgspec.UNSET, asked.action_id is not msgspec.UNSET, asked.all]
    if sum(said) != 1:
        raise Invalid("Say what to put back: either photo_ids, or action_id, or all.")
    if isinstance(asked.photo_ids, list):
        return asked.photo_ids
    if isinstance(asked.action_id, str):
        return ids(library.trash.of_action(asked.action_id, ["photo_id"]))
    return ids(library.trash.rows(None, ["photo_id"]))


def ids(rows: Any) -> list[str]:
    """The photos of some rows."""
    found: list[str] = rows["photo_id"].to_pylist()
    return found


def trashed(row: dict[str, Any], settings: Settings) -> TrashedPhoto:
    """A row of the trash as people see it."""
    until = row["deleted_at"] + timedelta(days=settings.store.trash_days)
    address = f"/api/trash/{row['photo_id']}/thumbnail"
    pictures = {size: f"{address}/{size}" for size in SIZES} if row["bytes"] else {}
    return msgspec.convert({**row, "purged_after": until, "thumbnails": pictures}, TrashedPhoto)


ROUTES = Router(
    "/api/trash", route_handlers=[list_trash, list_trash_actions, trash_thumbnail, restore_trash], tags=["trash"]
)
