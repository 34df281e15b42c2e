"""The photos beside one, as its page leads on to them: in the order and under the filters of `GET /api/photos`."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter

from api.access import USER
from api.deps import Owned
from api.photo_filter import FILTERS, Wanted
from api.photo_view import PhotoSummary, summary
from api.photos import Missing, photo_row
from cluster.store.neighbours import newer, older

Event = Annotated[str, QueryParameter(max_length=128, description="an event's id: only its photos")]


class Neighbours(msgspec.Struct, frozen=True):
    """The photos beside one; None where the list ends."""

    newer: PhotoSummary | None
    older: PhotoSummary | None


@get("/{photo_id:str}/neighbours", opt=USER, sync_to_thread=True, dependencies=FILTERS, summary="The photos beside one")
def neighbours(
    photo_id: FromPath[str], owned: Owned, wanted: Wanted, missing: Missing = False, event: Event = ""
) -> Neighbours:
    """The photos right before and after one among those that fit all filters, newest first.

    The photo itself need not fit them: its neighbours are those it would have in its place.
    """
    row, chosen = photo_row(owned, photo_id), msgspec.structs.replace(wanted, missing=missing, event=event)
    ids = newer(owned.photos, chosen, row), older(owned.photos, chosen, row)
    rows = {one["photo_id"]: one for one in owned.photos.by_keys([one for one in ids if one]).to_pylist()}
    return Neighbours(*[summary(rows[one]) if one in rows else None for one in ids])
