"""Search by text and by likeness. How two rankings become one is `fusion.py`'s."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.params import FromPath, QueryParameter

from api.access import USER
from api.deps import Deps, Given, Me, Owned
from api.fusion import MOST, SearchHit, Similar, candidates, fused, present, worded
from api.photo_filter import FILTERS, Wanted, unless_all
from api.photos import photo_row
from cluster.errors import Conflict, Invalid, Unavailable
from cluster.store.database import Library
from cluster.store.timeline import PhotoFilter
from serve_apps.models.similarity import Match

LONGEST_BYTES = 1024  # of a query
PATIENCE_S = 5.0  # for the text's vector and its neighbours

Many = Annotated[int, QueryParameter(ge=1, le=MOST, description="hits at most")]
Query = Annotated[str, QueryParameter(min_length=1, max_length=LONGEST_BYTES, description="words, at most 1 KiB")]


class SearchResult(msgspec.Struct, frozen=True):
    """Hits, best first, and what could not be asked."""

    query: str
    hits: list[SearchHit]
    notes: list[str]  # a sentence for each ranking that is left out


class SimilarPhotos(msgspec.Struct, frozen=True):
    """The photos most like one photo, best first."""

    photo_id: str
    hits: list[Similar]


@get("/", opt=USER, dependencies=FILTERS, summary="Search photos by text")
async def search(q: Query, deps: Given, owned: Owned, user: Me, wanted: Wanted, limit: Many = 20) -> SearchResult:
    """The photos that fit a text best, by what they show and by the words known of them, among those of all filters.

    The filters are those of `GET /api/photos`; where few photos pass them, these are found all the same.
    """
    text, within = asked(q), unless_all(wanted)
    (pictures, notes), words = await asyncio.gather(
        pictured(deps, user.user_id, text, candidates(limit), within),
        asyncio.to_thread(worded, owned, text, candidates(limit), within),
    )
    return SearchResult(text, await asyncio.to_thread(fused, owned, pictures, words, limit), notes)


@get("/{photo_id:str}/similar", opt=USER, summary="Photos that look like one photo")
async def similar(photo_id: FromPath[str], deps: Given, owned: Owned, user: Me, limit: Many = 20) -> SimilarPhotos:
    """The photos most like one photo; 409 while it has no vector to compare with."""
    await asyncio.to_thread(require_vector, owned, photo_id)
    matches = await deps.models.similar(user.user_id, photo_id, candidates(limit))
    return SimilarPhotos(photo_id, await nearest_first(owned, matches, limit))


async def nearest_first(library: Library, matches: Sequence[Match], limit: int) -> list[Similar]:
    """The photos of a ranking by likeness that are there to be looked at, best first."""
    scores = {match.photo_id: match.score for match in matches}
    photos = await asyncio.to_thread(present, library, list(scores), limit)
    return [Similar(photo, scores[photo.photo_id]) for photo in photos]


def asked(query: str) -> str:
    """A query as it is searched for; raises Invalid for an empty or a too long one."""
    text = query.strip()
    if not text or len(text.encode(errors="replace")) > LONGEST_BYTES:
        raise Invalid(f"A search has 1 to {LONGEST_BYTES:,} bytes of text. Shorten it, or say what to look for.")
    return text


async def pictured(
    deps: Deps, owner: str, text: str, limit: int, within: PhotoFilter | None = None
) -> tuple[Sequence[Match], list[str]]:
    """The photos whose pictures fit a text, of those that a filter lets through; or none and the reason."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await deps.models.nearest(owner, await deps.models.embed(text), limit, within), []
    except Unavailable as error:
        return [], [f"Only words were searched: {error}"]
    except TimeoutError:
        return [], ["Only words were searched: the service clip_embeddings did not answer in time; try again."]


def require_vector(library: Library, photo_id: str) -> None:
    """Raise NotFound for a photo that is not there, and Conflict for one that was not analysed."""
    row = photo_row(library, photo_id)
    if not row["clip_rev"] or row["clip_error"]:
        raise Conflict("This photo has no vector yet. Scan with the service clip_embeddings running, then ask again.")


ROUTES = Router("/api/search", route_handlers=[search], tags=["search"])
