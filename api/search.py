"""Search by text and by likeness. Text is looked for twice, in words and in pictures, and the two rankings are fused.

Fusion is by reciprocal rank: a hit scores 1 / (60 + rank) in each list it is in. It needs no common scale, and a photo
that both find comes first.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
from lancedb.expr import col
from litestar import Router, get
from litestar.params import FromPath, QueryParameter

from api.access import USER
from api.deps import Deps, Given, Me, Owned
from api.photo_view import PhotoSummary, summary
from api.photos import photo_row
from cluster.errors import Conflict, Invalid, Unavailable
from cluster.store.database import Library
from cluster.store.vectors import Hit

K = 60  # damps the lead of the first ranks
LONGEST_BYTES = 1024  # of a query
MOST = 1000
PATIENCE_S = 5.0  # for the text's vector and its neighbours
AT_LEAST = 100  # candidates of each ranking, so that short answers are fused well too

Many = Annotated[int, QueryParameter(ge=1, le=MOST, description="hits at most")]
Query = Annotated[str, QueryParameter(min_length=1, max_length=LONGEST_BYTES, description="words, at most 1 KiB")]


class Ranked(msgspec.Struct, frozen=True):
    """Where a hit stands in one ranking, from 1, and the ranking's own score."""

    rank: int
    score: float


class SearchHit(msgspec.Struct, frozen=True):
    """A photo that was found, and why."""

    photo: PhotoSummary
    score: float  # of the fusion
    picture: Ranked | None  # cosine similarity of text and picture
    text: Ranked | None  # BM25 over captions, tags, text in pictures, places, names


class SearchResult(msgspec.Struct, frozen=True):
    """Hits, best first, and what could not be asked."""

    query: str
    hits: list[SearchHit]
    notes: list[str]  # a sentence for each ranking that is left out


class Similar(msgspec.Struct, frozen=True):
    """A photo that looks like another, and how much."""

    photo: PhotoSummary
    score: float  # cosine similarity


class SimilarPhotos(msgspec.Struct, frozen=True):
    """The photos most like one photo, best first."""

    photo_id: str
    hits: list[Similar]


@get("/", opt=USER, summary="Search photos by text")
async def search(q: Query, deps: Given, owned: Owned, user: Me, limit: Many = 20) -> SearchResult:
    """The photos that fit a text best, by what they show and by the words known of them."""
    text = q.strip()
    if not text or len(text.encode(errors="replace")) > LONGEST_BYTES:
        raise Invalid("A search has 1 to 1,024 bytes of text. Shorten it, or say what to look for.")
    wanted = min(MOST, max(AT_LEAST, 2 * limit))
    (pictures, notes), words = await asyncio.gather(
        pictured(deps, user.user_id, text, wanted), asyncio.to_thread(worded, owned, text, wanted)
    )
    hits = await asyncio.to_thread(fused, owned, pictures, words, limit)
    return SearchResult(text, hits, notes)


@get("/{photo_id:str}/similar", opt=USER, summary="Photos that look like one photo")
async def similar(photo_id: FromPath[str], deps: Given, owned: Owned, user: Me, limit: Many = 20) -> SimilarPhotos:
    """The photos most like one photo; 409 while it has no vector to compare with."""
    model = deps.models.clip_model()
    vector = await asyncio.to_thread(vector_of, owned, photo_id, model)
    found = await deps.models.nearest(user.user_id, model, vector, min(MOST, limit + AT_LEAST))
    scores = {other: score for _, other, score in found if other != photo_id}
    photos = await asyncio.to_thread(present, owned, list(scores), limit)
    return SimilarPhotos(photo_id, [Similar(photo, scores[photo.photo_id]) for photo in photos])


async def pictured(deps: Deps, owner: str, text: str, limit: int) -> tuple[Sequence[Hit], list[str]]:
    """The photos whose pictures fit a text, or none and the reason."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            vector = await deps.models.embed_text(text)
            return await deps.models.nearest(owner, deps.models.clip_model(), vector, limit), []
    except Unavailable as error:
        return [], [f"Only words were searched: {error}"]
    except TimeoutError:
        return [], ["Only words were searched: the service clip_embeddings did not answer in time; try again."]


def worded(library: Library, text: str, limit: int) -> list[tuple[str, float]]:
    """The photos whose words fit a text."""
    return library.text_search(text, limit, ~col("missing"))


def fused(library: Library, pictures: Sequence[Hit], words: Sequence[tuple[str, float]], limit: int) -> list[SearchHit]:
    """Both rankings as one, best first, without photos whose files are gone."""
    by_picture = ranked([(photo_id, score) for _, photo_id, score in pictures])
    by_text = ranked(words)
    scores = {
        photo_id: sum(1 / (K + place.rank) for place in (by_picture.get(photo_id), by_text.get(photo_id)) if place)
        for photo_id in {**by_text, **by_picture}
    }
    best = sorted(scores, key=lambda photo_id: (-scores[photo_id], photo_id))
    return [
        SearchHit(photo, scores[photo.photo_id], by_picture.get(photo.photo_id), by_text.get(photo.photo_id))
        for photo in present(library, best, limit)
    ]


def ranked(hits: Sequence[tuple[str, float]]) -> dict[str, Ranked]:
    """Each photo's place in a ranking, from 1."""
    return {photo_id: Ranked(place, score) for place, (photo_id, score) in enumerate(hits, 1)}


def present(library: Library, photo_ids: Sequence[str], limit: int) -> list[PhotoSummary]:
    """The first photos of some ids that are not missing, in the order of the ids."""
    candidates = library.photos.by_keys(photo_ids, ["photo_id", "missing"]).to_pylist()
    kept = [row["photo_id"] for row in candidates if not row["missing"]][:limit]
    return [summary(row) for row in library.photos.by_keys(kept).to_pylist()]


def vector_of(library: Library, photo_id: str, model: str) -> list[float]:
    """A photo's vector of a model; raises NotFound without the photo, and Conflict without the vector."""
    photo_row(library, photo_id)
    vectors = library.registry.find(model)
    found = vectors.vectors([photo_id]) if vectors else {}
    if photo_id not in found:
        raise Conflict(
            "This photo was not analysed yet. Scan with the service clip_embeddings running, then ask again."
        )
    return found[photo_id]


ROUTES = Router("/api/search", route_handlers=[search], tags=["search"])
