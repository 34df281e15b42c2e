"""Nearest photos, over real libraries of two owners."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cluster.settings import ModelSpec, Settings, StoreSettings
from cluster.store.database import open_library
from cluster.store.schema import rows_of
from cluster.store.timeline import PhotoFilter
from serve_apps.models import load
from serve_apps.models.similarity import AMONG, Match, Query, SimilarityModel

OWNER, OTHER = "a" * 32, "b" * 32
CLIP = "clip@1"
EAST, NORTH = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
VECTORS = {"east": EAST, "nearly east": [0.8, 0.6, 0.0], "north": NORTH}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SimilarityModel:
    """The service's model; its owner has three photos, and another owner one that is east too."""
    settings = Settings(root=tmp_path_factory.mktemp("root"), store=StoreSettings(fresh_s=0))
    for owner, vectors in ((OWNER, VECTORS), (OTHER, {"theirs": EAST})):
        table = open_library(settings, owner).embeddings(CLIP, 3)
        rows = [{"id": name, "photo_id": name, "vector": vector} for name, vector in vectors.items()]
        table.upsert(rows_of(rows, table.schema))
    loaded = load(ModelSpec(kind="similarity", options={"settings": settings.model_dump(mode="json")}), Path("none"))
    assert isinstance(loaded, SimilarityModel)
    return loaded


def names(found: list[Match]) -> list[str]:
    """Which photos were found, in order."""
    return [match.photo_id for match in found]


def test_the_nearest_photos_of_a_vector_come_first(model: SimilarityModel) -> None:
    """With their cosine similarity; those of other owners never."""
    [found] = model.predict([Query(OWNER, CLIP, 10, EAST)])

    assert names(found) == ["east", "nearly east", "north"]
    assert [match.score for match in found] == pytest.approx([1, 0.8, 0], abs=1e-4)


def test_a_photo_is_not_near_itself(model: SimilarityModel) -> None:
    """And the limit is filled with others."""
    [found] = model.predict([Query(OWNER, CLIP, 2, photo_id="east")])

    assert names(found) == ["nearly east", "north"]


def test_each_query_has_its_own_owner_model_and_limit(model: SimilarityModel) -> None:
    """A batch is of many people's requests."""
    answers = model.predict(
        [Query(OTHER, CLIP, 10, NORTH), Query(OWNER, CLIP, 1, NORTH), Query(OWNER, "none", 9, EAST)]
    )

    assert [names(found) for found in answers] == [["theirs"], ["north"], []]


def test_a_photo_without_a_vector_has_no_neighbours(model: SimilarityModel) -> None:
    """Not analysed yet, of another owner, or without any vectors of the model."""
    queries = [Query(OWNER, CLIP, 5, photo_id=photo) for photo in ("pending", "theirs")]

    assert model.predict([*queries, Query(OWNER, "none", 5, photo_id="east")]) == [[], [], []]


def test_a_photo_that_is_added_later_is_found(model: SimilarityModel) -> None:
    """A library is opened once, also before it has any photo, and read as it is."""
    query = Query("c" * 32, CLIP, 5, NORTH)
    assert model.predict([query]) == [[]]

    table = open_library(model.settings, query.owner).embeddings(CLIP, 3)
    table.upsert(rows_of([{"id": "new", "photo_id": "new", "vector": NORTH}], table.schema))

    assert names(model.predict([query])[0]) == ["new"]


def test_a_filter_leaves_only_what_it_lets_through(model: SimilarityModel) -> None:
    """Also where nothing else is near, and where so many pass that the nearest of all are looked through first."""
    library = open_library(model.settings, "d" * 32)
    count = AMONG + 200
    names_of = [f"{number:04d}" for number in range(count)]
    table = library.embeddings(CLIP, 3)
    table.upsert(rows_of([{"id": name, "photo_id": name, "vector": EAST} for name in names_of[1:]], table.schema))
    table.upsert(rows_of([{"id": "0000", "photo_id": "0000", "vector": NORTH}], table.schema))
    dates = {"added_at": datetime.now(UTC), "changed_at": datetime.now(UTC)}
    photos = [
        {"photo_id": name, "kind": "raw" if name == "0000" else "image", "missing": name == "0001", **dates}
        for name in names_of
    ]
    library.photos.upsert(library.photos.completed(rows_of(photos, library.photos.schema)))

    def found(limit: int, within: PhotoFilter) -> list[str]:
        return names(model.predict([Query("d" * 32, CLIP, limit, EAST, within=within)])[0])

    assert found(5, PhotoFilter(kind="raw")) == ["0000"]
    assert found(5, PhotoFilter(kind="video")) == []
    assert len(found(5, PhotoFilter(kind="image"))) == 5
    assert "0001" not in found(count, PhotoFilter())
    assert len(found(count, PhotoFilter())) == count - 1
