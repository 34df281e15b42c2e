"""Two rankings of photos as one, by reciprocal rank: a hit scores 1 / (60 + rank) in each ranking it is in.

That needs no scale in common, and a photo that both find comes first. Photos whose files are gone are left out.
"""

from collections.abc import Sequence

import msgspec

from api.photo_view import PhotoSummary, summary
from cluster.store.database import Library
from cluster.store.timeline import PhotoFilter
from serve_apps.models.similarity import Match

K = 60  # damps the lead of the first ranks
MOST = 1000  # hits
AT_LEAST = 100  # candidates of each ranking, so that short answers are fused well too


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


class Similar(msgspec.Struct, frozen=True):
    """A photo that looks like another, and how much."""

    photo: PhotoSummary
    score: float  # cosine similarity


def candidates(limit: int) -> int:
    """How long a ranking must be for so many hits: some photos are missing, and both rankings count."""
    return min(MOST, max(AT_LEAST, 2 * limit))


def worded(library: Library, text: str, limit: int, within: PhotoFilter | None = None) -> list[tuple[str, float]]:
    """The photos whose words fit a text, best first, of those that a filter lets through; blocks."""
    return library.text_search(text, limit, (within or PhotoFilter()).expression())


def fused(
    library: Library, pictures: Sequence[Match], words: Sequence[tuple[str, float]], limit: int
) -> list[SearchHit]:
    """Both rankings as one, best first; blocks."""
    by_picture = ranked([(match.photo_id, match.score) for match in pictures])
    by_text = ranked(words)
    scores = {
        photo_id: score(by_picture.get(photo_id), by_text.get(photo_id)) for photo_id in {**by_text, **by_picture}
    }
    best = sorted(scores, key=lambda photo_id: (-scores[photo_id], photo_id))
    return [
        SearchHit(photo, scores[photo.photo_id], by_picture.get(photo.photo_id), by_text.get(photo.photo_id))
        for photo in present(library, best, limit)
    ]


def score(*places: Ranked | None) -> float:
    """The fused score of a photo's places in rankings, None where it is in none."""
    return sum(1 / (K + place.rank) for place in places if place)


def ranked(hits: Sequence[tuple[str, float]]) -> dict[str, Ranked]:
    """Each photo's place in a ranking, from 1."""
    return {photo_id: Ranked(place, own) for place, (photo_id, own) in enumerate(hits, 1)}


def present(library: Library, photo_ids: Sequence[str], limit: int) -> list[PhotoSummary]:
    """The first photos of some ids that are not missing, in the order of the ids; blocks."""
    rows = library.photos.by_keys(photo_ids, ["photo_id", "missing"]).to_pylist()
    kept = [row["photo_id"] for row in rows if not row["missing"]][:limit]
    return [summary(row) for row in library.photos.by_keys(kept).to_pylist()]
