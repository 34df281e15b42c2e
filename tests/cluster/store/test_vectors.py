"""Embeddings: nearest neighbours, with and without an index, and the registry of models."""

import numpy as np
import pytest
from lancedb.expr import col
from numpy.typing import NDArray

from cluster.errors import StoreError
from cluster.settings import Settings
from cluster.store.database import Library, open_library
from cluster.store.schema import rows_of
from cluster.store.vectors import Embeddings, table_name

WIDTH, COUNT, INDEXED_FROM = 16, 3000, 2000


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors at length one."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def some(count: int, seed: int) -> NDArray[np.float64]:
    """Vectors in clusters, as photos are."""
    dice = np.random.default_rng(seed)
    centres = dice.normal(size=(20, WIDTH))
    return unit(centres[dice.integers(0, 20, count)] + 0.3 * dice.normal(size=(count, WIDTH)))


def fill(vectors: Embeddings, values: NDArray[np.float64], first: int = 0) -> None:
    """Store vectors under the ids v0, v1, ... of photos p0, p1, ..."""
    rows = [
        {"id": f"v{first + number}", "photo_id": f"p{first + number}", "vector": value.tolist()}
        for number, value in enumerate(values)
    ]
    vectors.upsert(rows_of(rows, vectors.schema))


def best(values: NDArray[np.float64], query: NDArray[np.float64], limit: int) -> list[str]:
    """The ids of the vectors with the largest cosine, by arithmetic."""
    return [f"v{number}" for number in np.argsort(-(values @ query), kind="stable")[:limit]]


def test_the_nearest_come_first_with_their_cosines(library: Library) -> None:
    """Exactly, as long as there is no index."""
    values, queries = some(500, 1), some(5, 2)
    fill(library.embeddings("clip@1", WIDTH), values)
    for query in queries:
        hits = library.nearest("clip@1", query.tolist(), 10)
        assert [hit[0] for hit in hits] == best(values, query, 10)
        assert [hit[1] for hit in hits] == [hit[0].replace("v", "p") for hit in hits]
        assert np.allclose([hit[2] for hit in hits], np.sort(values @ query)[::-1][:10], atol=1e-5)


def test_an_index_is_made_for_large_tables_and_finds_the_same(library: Library) -> None:
    """Below the threshold there is none; above it the best ten are those of arithmetic, nearly always."""
    values, queries = some(COUNT, 1), some(30, 2)
    vectors = library.embeddings("clip@1", WIDTH)
    fill(vectors, values[:1000])
    library.build_indexes(INDEXED_FROM)
    assert list(vectors.lance.list_indices()) == []
    fill(vectors, values[1000:], 1000)
    library.build_indexes(INDEXED_FROM)
    [index] = vectors.lance.list_indices()
    assert index.index_type in ("IvfSq", "IVF_SQ")
    found = [{hit[0] for hit in library.nearest("clip@1", query.tolist(), 10)} for query in queries]
    right = [len(hits & set(best(values, query, 10))) for hits, query in zip(found, queries, strict=True)]
    assert sum(right) / 300 > 0.95


def test_rows_behind_the_index_are_found_too(library: Library) -> None:
    """Those that came or changed since it was made, and deleted ones are not."""
    values, query = some(COUNT, 1), some(1, 2)[0]
    vectors = library.embeddings("clip@1", WIDTH)
    fill(vectors, values)
    library.build_indexes(INDEXED_FROM)
    fill(vectors, query[None, :], COUNT)
    assert library.nearest("clip@1", query.tolist(), 1)[0][0] == f"v{COUNT}"
    fill(vectors, query[None, :], 7)
    vectors.delete(col("id").isin([f"v{COUNT}"]))
    [hit] = library.nearest("clip@1", query.tolist(), 1)
    assert (hit[0], round(hit[2], 4)) == ("v7", 1.0)


def test_an_index_is_made_anew_when_its_table_has_outgrown_it(library: Library) -> None:
    """Four times the rows it was made for; before that building does nothing."""
    vectors = library.embeddings("clip@1", WIDTH)
    fill(vectors, some(400, 1))
    assert library.registry.build_index("clip@1", 300)
    fill(vectors, some(800, 2), 400)
    assert not library.registry.build_index("clip@1", 300)
    fill(vectors, some(400, 3), 1200)
    assert library.registry.build_index("clip@1", 300)
    assert not library.registry.build_index("clip@1", 300)


def test_a_filter_is_applied_before_the_search(library: Library) -> None:
    """Ten of ten allowed ids are found, however far they are; with an index too."""
    values, query = some(COUNT, 1), some(1, 2)[0]
    fill(library.embeddings("clip@1", WIDTH), values)
    allowed = [f"p{number}" for number in range(0, 100, 10)]
    for _ in range(2):
        hits = library.nearest("clip@1", query.tolist(), 10, col("photo_id").isin(allowed))
        assert {hit[1] for hit in hits} == set(allowed)
        library.build_indexes(INDEXED_FROM)
    assert library.nearest("clip@1", query.tolist(), 0) == []


def test_models_keep_their_vectors_apart(library: Library, settings: Settings) -> None:
    """Each has a table of its own width, also when their names differ in signs only, and another process knows them."""
    names = ["embedded:clip@1", "embedded/clip@1", "embedded:clip@2", "it's \\' a model"]
    for width, name in enumerate(names, 4):
        vectors = library.embeddings(name, width)
        vectors.upsert(rows_of([{"id": name, "photo_id": "p", "vector": [1.0] + [0.0] * (width - 1)}], vectors.schema))
    again = open_library(settings, "a" * 32)
    assert sorted(again.models()) == sorted(names)
    assert len({table_name(name) for name in names}) == 4
    for width, name in enumerate(names, 4):
        assert [hit[0] for hit in again.nearest(name, [1.0] + [0.0] * (width - 1), 5)] == [name]
        assert again.table(table_name(name)).count() == 1


def test_a_model_does_not_change_its_width(library: Library) -> None:
    """The sentence says what to do instead."""
    library.embeddings("clip@1", 4)
    with pytest.raises(StoreError, match="name its new revision differently"):
        library.embeddings("clip@1", 8)


def test_an_unknown_model_has_nothing_near(library: Library) -> None:
    """A library that was never analysed is searched without an error."""
    assert library.nearest("nobody@1", [1.0, 0.0], 5) == []
    assert library.models() == []
    with pytest.raises(KeyError):
        library.table("embeddings_nobody")


def test_vectors_come_back_as_they_were_stored(library: Library) -> None:
    """By id; unknown ids are left out."""
    values = some(3, 1)
    vectors = library.embeddings("clip@1", WIDTH)
    fill(vectors, values)
    found = vectors.vectors(["v2", "nobody", "v0"])
    assert list(found) == ["v2", "v0"]
    assert np.allclose(found["v2"], values[2], atol=1e-6)
