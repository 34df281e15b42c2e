"""A new sentence for one photo, asked for by a person. How sentences are made is the services'; scans ask them too."""

import asyncio
from typing import Any

import msgspec
from litestar import post
from litestar.params import FromPath

from api.access import USER
from api.deps import Deps, Given, Me, Owned
from api.photos import photo_row
from api.remaking import Remade
from batch.rows import now_utc, search_text
from batch.stages import ReadPreview, caption_request
from cluster.errors import Conflict, Unreadable
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import changes_of
from cluster.store.writer import Update
from serve_apps.models.protocol import Caption, CaptionRequest


class PhotoCaption(msgspec.Struct, frozen=True):
    """A photo's caption and who made it."""

    photo_id: str
    caption: str
    caption_by: str  # the model, or `template`


@post("/{photo_id:str}/caption", opt=USER, status_code=200, summary="Write a photo's caption anew")
async def caption(photo_id: FromPath[str], deps: Given, owned: Owned, user: Me, remaking: Remade) -> PhotoCaption:
    """A new caption of one's own photo, made of its preview and what is known of it, and kept.

    409 while the photo has no preview, 503 while no captioner runs. Of two requests at once the later one's caption
    stays. Scans leave the caption alone while the captioner's model is the same; a full rescan and another model
    replace it, and so may a scan that has this very photo in hand.
    """
    row = await asyncio.to_thread(photo_row, owned, photo_id)
    await remaking.preview(user, row["content_id"])
    request = await asyncio.to_thread(request_for, row, deps.settings, user.user_id)
    # Read first: where the model changes meanwhile, the next scan makes the caption anew rather than never.
    revision = (await asyncio.to_thread(deps.revisions)).get("caption", row["caption_rev"])
    made = await deps.models.caption(request)
    await asyncio.to_thread(keep, made, revision, row, deps, owned, user.user_id)
    return PhotoCaption(photo_id, made.text, made.made_by)


def request_for(row: dict[str, Any], settings: Settings, owner: str) -> CaptionRequest:
    """What a captioner is to look at; raises Conflict when the photo's preview cannot be read."""
    preview = ReadPreview(str(settings.derived / owner), settings.scan.analysis_px)
    try:
        return caption_request(row, preview.read(row["content_id"]))
    except Unreadable as error:
        raise Conflict(f"There is no preview to make a caption of: {error}.") from None


def keep(made: Caption, revision: str, asked: dict[str, Any], deps: Deps, library: Library, owner: str) -> None:
    """Commit a caption, and which revision's it is; raises Conflict when the photo is another picture meanwhile.

    The row is read anew: a scan may have found more words to search by while the caption was made.
    """
    row = photo_row(library, asked["photo_id"])
    if row["content_id"] != asked["content_id"]:
        raise Conflict("The photo's file was changed while the caption was made. Ask again.")
    found = {"caption": made.text, "caption_by": made.made_by, "caption_rev": revision, "caption_error": ""}
    change = {"photo_id": row["photo_id"], **found, "search_text": search_text({**row, **found})}
    deps.writer(owner).commit([Update("photos", changes_of([{**change, "changed_at": now_utc()}], PHOTOS))])
