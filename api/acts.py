"""Acts over HTTP: what was said of people and faces, newest first, and taking it back.

What is kept of an act is `batch/acts.py`'s business, how it is taken back `batch/undoing.py`'s.
"""

from datetime import datetime, timedelta

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath

from api.access import USER
from api.commits import Visible
from api.deps import Given, Me, Owned
from api.paging import Cursor, Limit, decode, encode
from batch.acts import told
from batch.undoing import Undoing
from cluster.settings import Settings
from cluster.store.acts import Act
from cluster.store.database import open_library


class ActView(msgspec.Struct, frozen=True):
    """Something that was said of people or faces."""

    act_id: str
    kind: str  # label, confirm, reject, unlabel, delete, add, rename, merge, split, hide, show or cover
    text: str  # in a few words: "Kim and Tim merged"
    names: list[str]  # of the people it is about, as they were called; "" for somebody without a name
    faces: int  # that it changed
    made_by: str  # user_id
    made_at: datetime
    undone_at: datetime | None
    kept_until: datetime  # from then on it cannot be undone


class ActPage(msgspec.Struct, frozen=True):
    """Some acts, the last one first, and where the next page begins."""

    acts: list[ActView]
    next_cursor: str | None


@get("/", opt=USER, sync_to_thread=True, summary="What was said of people and faces, newest first")
def list_acts(deps: Given, owned: Owned, limit: Limit = None, cursor: Cursor = "") -> ActPage:
    """A page of one's own acts, the last one first, those that were undone too."""
    size = limit or deps.settings.api.page_size
    found = owned.acts.newest(size + 1, decode(cursor, int))
    following = encode(found[size - 1].number) if len(found) > size else None
    return ActPage([viewed(act, deps.settings) for act in found[:size]], following)


@post("/{act_id:str}/undo", opt=USER, sync_to_thread=True, status_code=200, summary="Take back what was said")
def undo_act(act_id: FromPath[str], deps: Given, owned: Owned, user: Me) -> ActView:
    """What it changed is as it was before: merged people are apart, deleted faces are there again with their vectors.

    409 when a later act is about the same faces or people: undo that one first. An act that is undone stays so.
    """
    exact = deps.settings.model_copy(update={"store": deps.settings.store.model_copy(update={"fresh_s": 0.0})})
    library = open_library(exact, user.user_id)  # one that sees every commit: what it decides is final
    undoing = Undoing(library, Visible(owned, deps.writer(user.user_id)), deps.system.clock)
    return viewed(undoing.undo(act_id), deps.settings)


def viewed(act: Act, settings: Settings) -> ActView:
    """An act as people see it."""
    until = act.made_at + timedelta(days=settings.store.trash_days)
    return ActView(
        act.act_id, act.kind, told(act), act.names, act.faces, act.made_by, act.made_at, act.undone_at, until
    )


ROUTES = Router("/api/people/acts", route_handlers=[list_acts, undo_act], tags=["people"])
