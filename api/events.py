"""Events over HTTP: pages of them, newest first, one with its photos, and what people change: title, cover, deletion.

Which photos are an event is `batch/events.py`'s business.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.access import USER
from api.commits import Visible
from api.deps import Deps, Given, Me, Owned
from api.paging import Cursor, Limit, decode, encode
from api.photo_view import PhotoSummary, summary, thumbnails
from batch.rows import now_utc
from cluster.errors import Invalid
from cluster.store.database import Library
from cluster.store.events import LONGEST_TITLE, SCHEMA, checked
from cluster.store.schema import changes_of
from cluster.store.timeline import PhotoFilter, page
from cluster.store.users import User
from cluster.store.writer import Update

Title: TypeAlias = Annotated[str, msgspec.Meta(max_length=2 * LONGEST_TITLE)]  # before spaces are taken out
PhotoId: TypeAlias = Annotated[str, msgspec.Meta(max_length=64)]
Deleted = Annotated[bool, QueryParameter(description="those that were deleted, instead of the others")]
PICTURED = ("photo_id", "event_id", "content_id", "media_rev", "media_error")  # what a cover needs of a photo


class EventSummary(msgspec.Struct, frozen=True):
    """An event as a line of a page."""

    event_id: str
    title: str  # as it is shown
    own_title: str  # that somebody gave it; empty: the title is made of what is known
    first_at: datetime  # of its photos, UTC
    last_at: datetime
    photos: int  # missing ones too
    places: list[str]  # commonest first
    people: list[str]
    cover_photo_id: str
    cover_chosen: bool  # by somebody
    cover: dict[str, str]  # addresses of the cover by size; empty while it has no pictures


class EventPage(msgspec.Struct, frozen=True):
    """Some events, newest first, and where the next page begins."""

    events: list[EventSummary]
    next_cursor: str | None


class EventDetail(msgspec.Struct, frozen=True):
    """An event with some of its photos, newest first, and where the next of them begin."""

    event: EventSummary
    photos: list[PhotoSummary]
    next_cursor: str | None


class EventChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change about an event; what is left out stays, and what is empty becomes Brightroom's again."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    cover_photo_id: PhotoId | msgspec.UnsetType = msgspec.UNSET


@get("/", opt=USER, sync_to_thread=True, summary="Events, newest first")
def list_events(
    deps: Given, owned: Owned, deleted: Deleted = False, limit: Limit = None, cursor: Cursor = ""
) -> EventPage:
    """A page of one's own events. An event is two photos or more without 36 hours between two of them."""
    size = limit or deps.settings.api.page_size
    rows = owned.events.page(size + 1, decode(cursor, tuple[datetime, str]), deleted)
    more, rows = len(rows) > size, rows[:size]
    following = encode((rows[-1]["first_at"], rows[-1]["event_id"])) if more else None
    return EventPage(summaries(owned, rows), following)


@get("/{event_id:str}", opt=USER, sync_to_thread=True, summary="One event and its photos")
def show_event(
    event_id: FromPath[str], deps: Given, owned: Owned, limit: Limit = None, cursor: Cursor = ""
) -> EventDetail:
    """An event with a page of its photos, newest first, those whose files are gone too."""
    row = owned.events.event(event_id)
    wanted = PhotoFilter(missing=None, event=event_id)
    found = page(owned.photos, wanted, limit or deps.settings.api.page_size, cursor or None)
    return EventDetail(summaries(owned, [row])[0], [summary(photo) for photo in found.rows], found.next)


@patch("/{event_id:str}", opt=USER, sync_to_thread=True, summary="Give an event a title or a cover")
def change_event(
    event_id: FromPath[str], data: JSONBody[EventChange], deps: Given, owned: Owned, user: Me
) -> EventSummary:
    """Name an event, choose one of its photos as its cover, or take either back by an empty text.

    Neither is overwritten when events are generated again. 400 for a cover that is none of the event's photos.
    """
    row = owned.events.event(event_id)
    facts: dict[str, Any] = {}
    if data.title is not msgspec.UNSET:
        facts["own_title"] = checked(data.title)
    if data.cover_photo_id is not msgspec.UNSET:
        facts["cover_photo_id"] = checked_cover(owned, event_id, data.cover_photo_id)
    if facts:
        keep(deps, owned, user, event_id, facts)
    return summaries(owned, [{**row, **facts}])[0]


@delete("/{event_id:str}", opt=USER, sync_to_thread=True, summary="Delete an event, not its photos")
def delete_event(event_id: FromPath[str], deps: Given, owned: Owned, user: Me) -> None:
    """Take an event out of sight: its photos stay where they are and form no event again, unless it is restored."""
    owned.events.event(event_id)
    keep(deps, owned, user, event_id, {"deleted": True})


@post("/{event_id:str}/restore", opt=USER, sync_to_thread=True, status_code=204, summary="Bring a deleted event back")
def restore_event(event_id: FromPath[str], deps: Given, owned: Owned, user: Me) -> None:
    """An event that was deleted is shown again, with the photos that have joined it since, its title and its cover."""
    owned.events.event(event_id, deleted=True)
    keep(deps, owned, user, event_id, {"deleted": False})


def keep(deps: Deps, library: Library, user: User, event_id: str, facts: Mapping[str, Any]) -> None:
    """Commit what somebody said of an event, and see it; only that, so that nothing generated meanwhile is undone."""
    change = {"event_id": event_id, **facts, "changed_at": now_utc()}
    writer = Visible(library, deps.writer(user.user_id))
    writer.commit([Update("events", changes_of([change], SCHEMA))])


def checked_cover(library: Library, event_id: str, photo_id: str) -> str:
    """A cover as it is kept, "" for none; raises Invalid for what is no photo of the event."""
    if photo_id and photo_id not in pictured(library, [photo_id], event_id):
        raise Invalid("cover_photo_id must be the id of one of the event's own photos.")
    return photo_id


def pictured(library: Library, photo_ids: Sequence[str], event_id: str | None = None) -> dict[str, dict[str, Any]]:
    """What covers need of some photos by their ids; of one event, if that is given."""
    rows = library.photos.by_keys([name for name in photo_ids if name], PICTURED).to_pylist()
    return {row["photo_id"]: row for row in rows if event_id in (None, row["event_id"])}


def summaries(library: Library, rows: Sequence[Mapping[str, Any]]) -> list[EventSummary]:
    """Rows of events as lines of a page."""
    covers = [row[name] for row in rows for name in ("cover_photo_id", "front_photo_id")]
    photos = pictured(library, covers)
    return [told(row, photos) for row in rows]


def told(row: Mapping[str, Any], photos: Mapping[str, Mapping[str, Any]]) -> EventSummary:
    """An event with its cover: the chosen one as long as it is one of its photos, else ours."""
    chosen = photos.get(row["cover_photo_id"])
    chosen = chosen if chosen and chosen["event_id"] == row["event_id"] else None
    cover = chosen or photos.get(row["front_photo_id"])
    facts = {
        "title": row["own_title"] or row["title"], "cover_photo_id": cover["photo_id"] if cover else "",
        "cover_chosen": chosen is not None, "cover": thumbnails(cover) if cover else {},
    }  # fmt: skip
    return msgspec.convert({**row, **facts}, EventSummary)


ROUTES = Router(
    "/api/events", route_handlers=[list_events, show_event, change_event, delete_event, restore_event], tags=["events"]
)
