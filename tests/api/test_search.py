"""Search by text and by likeness over HTTP."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import simplejpeg
import skimage.data

from cluster.store.schema import rows_of
from tests.api.standins import MODEL, WIDTH, vector_of
from tests.api.world import NOON, World


@pytest.fixture(scope="module")
def finder(world: World) -> httpx.Client:
    """A user with photos whose words and pictures partly agree."""
    world.user("flora")
    world.photo("flora", "1.jpg", search_text="cat sofa")
    world.photo("flora", "2.jpg", search_text="cat garden")
    world.photo("flora", "3.jpg", search_text="rocket launch")
    world.photo("flora", "4.jpg", search_text="cat sofa window", missing=True)
    looks_only = world.photo("flora", "5.jpg", search_text="nameless")
    vectors = world.library("flora").embeddings(MODEL, WIDTH)
    row = {"id": looks_only, "photo_id": looks_only, "vector": vector_of("zeppelin")}
    vectors.upsert(rows_of([row], vectors.schema))
    return world.as_user("flora")


def found(client: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    """The hits of a search."""
    hits: list[dict[str, Any]] = client.get("/api/search", params=params).json()["hits"]
    return hits


def test_what_both_rankings_find_comes_first_with_its_scores(finder: httpx.Client) -> None:
    """Scores of the fusion fall; each hit says where it stood in which ranking."""
    hits = found(finder, q="cat sofa")

    assert hits[0]["photo"]["name"] == "1.jpg"
    assert hits[0]["picture"]["rank"] == hits[0]["text"]["rank"] == 1
    assert hits[0]["picture"]["score"] == pytest.approx(1, abs=1e-3)
    assert hits[0]["score"] == pytest.approx(2 / 61)
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_a_picture_is_found_without_any_words(finder: httpx.Client) -> None:
    """By what it shows; `text` is null then."""
    hit = found(finder, q="zeppelin")[0]

    assert hit["photo"]["name"] == "5.jpg"
    assert hit["text"] is None


def test_missing_photos_are_not_found(finder: httpx.Client) -> None:
    """Nobody could look at them."""
    assert "4.jpg" not in [hit["photo"]["name"] for hit in found(finder, q="cat sofa window", limit=1000)]


def test_no_more_hits_than_asked_for(finder: httpx.Client) -> None:
    """From 1 to 1,000."""
    assert len(found(finder, q="cat", limit=1)) == 1
    assert finder.get("/api/search", params={"q": "cat", "limit": 1001}).status_code == 400
    assert finder.get("/api/search", params={"q": "cat", "limit": 0}).status_code == 400


@pytest.mark.parametrize("query", ["", "   ", "x" * 1025, "ü" * 513])
def test_a_query_has_words_and_at_most_a_kibibyte(finder: httpx.Client, query: str) -> None:
    """Counted in bytes."""
    assert finder.get("/api/search", params={"q": query}).status_code == 400


@pytest.mark.parametrize("service", ["clip_embeddings", "image_similarity"])
def test_without_a_service_words_are_still_searched_and_it_is_said(
    world: World, finder: httpx.Client, service: str
) -> None:
    """A stopped service is no error of the search."""
    world.models.down.add(service)
    try:
        answer = finder.get("/api/search", params={"q": "rocket"}).json()
    finally:
        world.models.down.clear()

    assert [hit["photo"]["name"] for hit in answer["hits"]] == ["3.jpg"]
    assert service in answer["notes"][0]


def test_similar_photos_are_those_near_in_the_vectors(finder: httpx.Client) -> None:
    """Best first, without the photo itself, without missing ones."""
    first = found(finder, q="cat sofa")[0]["photo"]["photo_id"]

    answer = finder.get(f"/api/photos/{first}/similar", params={"limit": 3}).json()

    names = [hit["photo"]["name"] for hit in answer["hits"]]
    assert names[0] == "2.jpg"
    assert not {"1.jpg", "4.jpg"} & set(names)
    scores = [hit["score"] for hit in answer["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_a_photo_without_a_vector_says_what_to_do(world: World, finder: httpx.Client) -> None:
    """409, not an empty list that looks like an answer."""
    photo_id = world.photo("flora", "new.jpg", clip_rev="")

    answer = finder.get(f"/api/photos/{photo_id}/similar")

    assert answer.status_code == 409
    assert "clip_embeddings" in answer.json()["detail"]


def test_similarity_without_its_service_is_unavailable(world: World, finder: httpx.Client) -> None:
    """503, with the service's name."""
    first = found(finder, q="rocket")[0]["photo"]["photo_id"]
    world.models.down.add("image_similarity")
    try:
        answer = finder.get(f"/api/photos/{first}/similar")
    finally:
        world.models.down.clear()

    assert answer.status_code == 503
    assert "image_similarity" in answer.json()["detail"]


@pytest.fixture(scope="module")
def crowd(world: World) -> httpx.Client:
    """A user with 150 photos of the same, of which few are in Oslo, in 2019, tagged, videos, or of two people."""
    world.user("freya")
    odd: dict[int, dict[str, Any]] = {
        149: {"place": "Oslo"}, 148: {"taken_at": NOON - timedelta(days=365 * 5)}, 147: {"kind": "video"},
        146: {"tags": ["Mia", "sofa"], "tag_scores": [1.0, 1.0]}, 145: {"tags": ["Mia"], "tag_scores": [1.0]},
    }  # fmt: skip
    for number in range(150):
        columns = {"search_text": "cat " * (1 + number % 3), "place": "Rome", **odd.get(number, {})}
        world.photo("freya", f"{number:03}.jpg", **columns)
    library = world.library("freya")
    ids = library.photos.rows(None, ["photo_id", "name"]).to_pylist()
    by_name = {row["name"]: row["photo_id"] for row in ids}
    people = [{"person_id": name, "name": name, "name_key": name, "kind": "person", "created_at": NOON,
               "changed_at": NOON} for name in ("kim", "lee")]  # fmt: skip
    library.people.upsert(rows_of(people, library.people.schema))
    shown = [("kim", "144.jpg"), ("kim", "143.jpg"), ("lee", "143.jpg"), ("lee", "142.jpg")]
    faces = [{"face_id": f"{by_name[name]}-{who}", "photo_id": by_name[name], "left": 0.1, "top": 0.1, "right": 0.2,
              "bottom": 0.2, "score": 0.9, "landmarks": [0.5] * 10, "model": "f@1", "person_id": who,
              "standing": "inferred", "probability": 0.95} for who, name in shown]  # fmt: skip
    library.faces.upsert(rows_of(faces, library.faces.schema))
    return world.as_user("freya")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"place": "oslo"}, {"149.jpg"}),
        ({"date_to": "2020-01-01"}, {"148.jpg"}),
        ({"kind": "video"}, {"147.jpg"}),
        ({"tag": "mia"}, {"145.jpg", "146.jpg"}),
        ({"tag": ["mia", "sofa"]}, {"146.jpg"}),
        ({"person": "kim"}, {"143.jpg", "144.jpg"}),
        ({"person": ["kim", "lee"]}, {"143.jpg"}),
        ({"person": "kim", "place": "oslo"}, set()),
        ({"place": "' OR 1=1 --"}, set()),
    ],
)
def test_what_few_photos_fit_is_found_among_many(
    crowd: httpx.Client, filters: dict[str, Any], expected: set[str]
) -> None:
    """In both rankings, though a hundred others fit the text as well; the same photos as in a list of photos."""
    hits = found(crowd, q="cat", **filters)

    assert {hit["photo"]["name"] for hit in hits} == expected
    assert all(hit["picture"] and hit["text"] for hit in hits)
    listed = crowd.get("/api/photos", params=filters).json()["photos"]
    assert {photo["name"] for photo in listed} == expected


def test_a_picture_is_looked_for_among_what_filters_let_through(crowd: httpx.Client) -> None:
    """By the same filters."""
    picture = simplejpeg.encode_jpeg(skimage.data.chelsea())

    answer = crowd.post("/api/search/image", params={"person": "lee"}, files={"file": ("c.jpg", picture)})

    assert {hit["photo"]["name"] for hit in answer.json()["hits"]} == {"142.jpg", "143.jpg"}


@pytest.mark.parametrize(
    ("filters", "status"),
    [({"kind": "film"}, 400), ({"date_from": "x"}, 400), ({"person": ["kim"] * 21}, 400), ({"person": "nobody"}, 404)],
)
def test_a_filter_that_makes_no_sense_is_refused(crowd: httpx.Client, filters: dict[str, Any], status: int) -> None:
    """As in a list of photos; a person of another library is nobody."""
    assert crowd.get("/api/search", params={"q": "cat", **filters}).status_code == status


def test_another_owners_person_filters_nothing_of_ones_own(world: World, crowd: httpx.Client) -> None:
    """404, like an id that never was."""
    assert world.as_user("ben").get("/api/search", params={"q": "cat", "person": "kim"}).status_code == 404
