"""The service image_similarity: what is nearest to a vector in an owner's library. A model without weights.

It has a process of its own because Lance keeps a large library's vectors in memory, and the API must stay small.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from lancedb.expr import col

from cluster.settings import ModelSpec, Settings
from cluster.store.database import Library, open_library
from cluster.store.timeline import PhotoFilter
from cluster.store.vectors import Hit

AMONG = 1000  # of the nearest of all photos a broad filter lets enough through, without comparing with each of them


class Query(msgspec.Struct, frozen=True):
    """What to look for: a vector of unit length, or the vector that a photo has."""

    owner: str  # user_id; "" to ask whether the store can be read
    model: str
    limit: int
    vector: list[float] = []
    photo_id: str = ""
    within: PhotoFilter | None = None  # only among these photos; None: among all


class Match(msgspec.Struct, frozen=True):
    """One photo that is near: cosine similarity, 1 is the same."""

    id: str
    photo_id: str
    score: float


class SimilarityModel:
    """Nearest neighbours by cosine similarity, in any owner's library."""

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.settings = Settings.model_validate(spec.options["settings"])
        self.libraries: dict[str, Library] = {}

    def predict(self, batch: Sequence[Query]) -> list[list[Match]]:
        """For each query the nearest photos, best first; none for a photo that has no vector of the model."""
        return [self.answer(query) for query in batch]

    def answer(self, query: Query) -> list[Match]:
        """The nearest photos of one query; a photo is not near itself."""
        if not query.owner:
            return self.nothing()
        library = self.library(query.owner)
        vector = query.vector or self.vector_of(library, query)
        if not vector:
            return []
        limit = query.limit + bool(query.photo_id)
        found = nearest_among(library, query.model, vector, limit, query.within)
        matches = [Match(*hit) for hit in found]
        return [match for match in matches if match.photo_id != query.photo_id][: query.limit]

    def nothing(self) -> list[Match]:
        """What is near in nobody's library: nothing, if the store can be read, which is asked of some library."""
        folder = Path(self.settings.store_uri) / "libraries"
        if somebody := next((path.name for path in folder.iterdir()), "") if folder.is_dir() else "":
            self.library(somebody).models()
        return []

    def vector_of(self, library: Library, query: Query) -> list[float]:
        """The vector a photo has, or none."""
        vectors = library.registry.find(query.model)
        return vectors.vectors([query.photo_id]).get(query.photo_id, []) if vectors else []

    def library(self, owner: str) -> Library:
        """An owner's library, opened once."""
        if owner not in self.libraries:
            self.libraries[owner] = open_library(self.settings, owner)
        return self.libraries[owner]


def nearest_among(
    library: Library, model: str, vector: Sequence[float], limit: int, within: PhotoFilter | None = None
) -> list[Hit]:
    """The photos nearest to a vector, best first, among those that a filter lets through; blocks."""
    if within is None:
        return library.nearest(model, vector, limit)
    allowed = set(library.photos.narrow(within.expression(), ["photo_id"])["photo_id"].to_pylist())
    if len(allowed) > AMONG:  # so many ids make a filter slow
        nearest = library.nearest(model, vector, AMONG)
        among = [hit for hit in nearest if hit[1] in allowed][:limit]
        if len(among) == limit:
            return among
    return library.nearest(model, vector, limit, col("photo_id").isin(sorted(allowed))) if allowed else []
