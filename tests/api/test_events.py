"""Events over HTTP: pages, their photos, one's own title and cover, deletion; and nobody else's."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from batch.events import generate
from cluster.store.writer import Writer
from tests.api.world import NOON, World


def told(world: World, owner: str, days: dict[str, tuple[int, int]], **columns: Any) -> dict[str, str]:
    """Photos of some events, each by its name: (days before noon, how many photos); the events' ids by name."""
    firsts = {}
    for name, (before, count) in days.items():
        for at in range(count):
            taken = NOON - timedelta(days=before) + timedelta(minutes=at)
            photo_id = world.photo(owner, f"{name}/{at:04}.jpg", taken_at=taken, place=name, **columns)
            firsts.setdefault(name, photo_id)
    generated(world, owner)
    rows = {row["photo_id"]: row["event_id"] for row in world.library(owner).photos.rows().to_pylist()}
    return {name: rows[photo_id] for name, photo_id in firsts.items()}


def generated(world: World, owner: str) -> dict[str, int]:
    """Events brought up to date."""
    library = world.library(owner)
    return generate(library, Writer(library, world.settings.store), NOON)


def event(client: httpx.Client, event_id: str) -> dict[str, Any]:
    """What is told of an event."""
    answer = client.get(f"/api/events/{event_id}").json()["event"]
    assert isinstance(answer, dict)
    return answer


def test_pages_of_events_are_complete_and_newest_first(world: World) -> None:
    """Each event once, whatever the size of the page; one photo alone is none."""
    world.user("eva")
    told(world, "eva", {"Oslo": (3, 2), "Bergen": (9, 3), "Rome": (6, 2), "Paris": (20, 2), "alone": (30, 1)})
    client, found, cursor = world.as_user("eva"), [], ""
    while cursor is not None:
        answer = client.get("/api/events", params={"limit": 3, "cursor": cursor}).json()
        found.append([(one["title"], one["photos"]) for one in answer["events"]])
        cursor = answer["next_cursor"]

    assert found == [
        [("Tuesday Afternoon in Oslo", 2), ("Saturday Afternoon in Rome", 2), ("Wednesday Afternoon in Bergen", 3)],
        [("Saturday Afternoon in Paris", 2)],
    ]
    assert client.get("/api/library/stats").json()["events"] == 4
    assert client.get("/api/events", params={"cursor": "AAAA"}).status_code == 400


def test_an_event_tells_its_photos_page_by_page(world: World) -> None:
    """Newest first, those that are missing too, and no other event's."""
    world.user("elsa")
    ids = told(world, "elsa", {"Oslo": (3, 7), "Rome": (9, 2)})
    library = world.library("elsa")
    gone = library.photos.rows(limit=1, order_by="taken_at", descending=True).to_pylist()[0]["photo_id"]
    world.photo(
        "elsa", "Oslo/0006.jpg", taken_at=NOON - timedelta(days=3, minutes=-6), event_id=ids["Oslo"], missing=True
    )
    client = world.as_user("elsa")

    first = client.get(f"/api/events/{ids['Oslo']}").json()
    rest = client.get(f"/api/events/{ids['Oslo']}", params={"cursor": first["next_cursor"]}).json()

    names = [photo["name"] for page in (first, rest) for photo in page["photos"]]
    assert names == [f"Oslo/{at:04}.jpg" for at in reversed(range(7))]
    assert (len(first["photos"]), rest["next_cursor"]) == (5, None)
    assert first["photos"][0]["missing"]
    assert first["photos"][0]["photo_id"] == gone
    assert first["event"] == rest["event"]
    assert first["event"]["first_at"] == "2024-05-14T12:00:00Z"
    assert first["event"]["last_at"] == "2024-05-14T12:06:00Z"
    assert first["event"]["places"] == ["Oslo"]


def test_ones_own_title_stays_until_it_is_taken_back(world: World) -> None:
    """Over generations; an empty title gives the made one back."""
    world.user("erik")
    ids = told(world, "erik", {"Oslo": (3, 2)})
    client, path = world.as_user("erik"), f"/api/events/{ids['Oslo']}"
    given = "Grandma's 90th \U0001f468\u200d\U0001f469\u200d\U0001f467"

    named = client.patch(path, json={"title": f"  {given.replace(' ', '   ')} "}).json()
    world.photo("erik", "late.jpg", taken_at=NOON - timedelta(days=2, minutes=5))
    generated(world, "erik")

    assert (named["title"], named["own_title"]) == (given, given)
    assert (event(client, ids["Oslo"])["title"], event(client, ids["Oslo"])["photos"]) == (given, 3)
    client.patch(path, json={"title": ""})
    assert event(client, ids["Oslo"])["title"] == "Tuesday Afternoon in Oslo"


def test_a_cover_is_one_of_the_events_photos(world: World) -> None:
    """Ours until somebody chooses; another event's photo is refused; an empty one gives ours back."""
    world.user("emma")
    ids = told(world, "emma", {"Oslo": (3, 3), "Rome": (9, 2)})
    client, path = world.as_user("emma"), f"/api/events/{ids['Oslo']}"
    photos = [photo["photo_id"] for photo in client.get(path).json()["photos"]]
    other = client.get(f"/api/events/{ids['Rome']}").json()["photos"][0]["photo_id"]

    before = event(client, ids["Oslo"])
    chosen = client.patch(path, json={"cover_photo_id": photos[0]}).json()
    refused = client.patch(path, json={"cover_photo_id": other})
    unknown = client.patch(path, json={"cover_photo_id": "0" * 32})

    assert (before["cover_photo_id"], before["cover_chosen"]) == (photos[-1], False)
    assert (chosen["cover_photo_id"], chosen["cover_chosen"]) == (photos[0], True)
    assert (refused.status_code, unknown.status_code) == (400, 400)
    generated(world, "emma")
    assert event(client, ids["Oslo"]) == chosen
    assert client.get(chosen["cover"]["small"]).text == f"small of {photos[0]}"
    assert client.patch(path, json={"cover_photo_id": ""}).json() == before


def test_a_cover_that_left_the_event_is_not_shown_as_its_cover(world: World) -> None:
    """Its photo was dated anew and is in another event, or in none: ours stands in."""
    world.user("ella")
    ids = told(world, "ella", {"Oslo": (3, 3)})
    client, path = world.as_user("ella"), f"/api/events/{ids['Oslo']}"
    newest = client.get(path).json()["photos"][0]["photo_id"]
    client.patch(path, json={"cover_photo_id": newest})

    world.photo("ella", "Oslo/0002.jpg", taken_at=NOON - timedelta(days=99), event_id=ids["Oslo"])
    generated(world, "ella")

    assert event(client, ids["Oslo"])["cover_photo_id"] not in ("", newest)
    assert not event(client, ids["Oslo"])["cover_chosen"]


@pytest.mark.parametrize(
    "body",
    [
        {"title": "x" * 201},
        {"title": "a\u0007b"},
        {"title": "a\u202eb"},
        {"title": "\u200d"},
        {"titel": "x"},
        {"title": None},
        [],
    ],
)
def test_a_title_that_cannot_be_shown_is_refused(world: World, body: Any) -> None:
    """Too long, with invisible letters, or no title at all: 400, and nothing changes."""
    if "elsa" not in world.users:
        world.user("elsa")
        told(world, "elsa", {"Oslo": (3, 2)})
    client = world.as_user("elsa")
    event_id = client.get("/api/events").json()["events"][0]["event_id"]

    assert client.patch(f"/api/events/{event_id}", json=body).status_code == 400
    assert event(client, event_id)["own_title"] == ""


def test_a_deleted_event_is_gone_and_its_photos_are_not(world: World) -> None:
    """It is in no list, cannot be asked for, changed or deleted again, and does not come back."""
    world.user("ede")
    ids = told(world, "ede", {"Oslo": (3, 2), "Rome": (9, 2)})
    client, path = world.as_user("ede"), f"/api/events/{ids['Oslo']}"

    answers = [client.delete(path).status_code, client.delete(path).status_code, client.get(path).status_code]
    changed = client.patch(path, json={"title": "back?"}).status_code
    world.photo("ede", "late.jpg", taken_at=NOON - timedelta(days=3, minutes=-5))
    counts = generated(world, "ede")

    assert (answers, changed) == ([204, 404, 404], 404)
    assert [one["event_id"] for one in client.get("/api/events").json()["events"]] == [ids["Rome"]]
    assert (counts["events"], counts["new"]) == (1, 0)
    assert client.get("/api/library/stats").json()["events"] == 1
    assert client.get("/api/library/stats").json()["photos"] == 5


def test_a_deleted_event_that_is_restored_is_the_same_again(world: World) -> None:
    """With its id and its own title; until then it is in the list of deleted ones, afterwards not."""
    world.user("eri")
    ids = told(world, "eri", {"Oslo": (3, 2), "Rome": (9, 2)})
    client, path = world.as_user("eri"), f"/api/events/{ids['Oslo']}"
    client.patch(path, json={"title": "The fjord"})
    before = event(client, ids["Oslo"])
    assert client.post(f"{path}/restore").status_code == 404
    client.delete(path)
    assert [one["event_id"] for one in client.get("/api/events?deleted=true").json()["events"]] == [ids["Oslo"]]

    assert client.post(f"{path}/restore").status_code == 204

    assert event(client, ids["Oslo"]) == before
    assert client.get("/api/events?deleted=true").json()["events"] == []
    assert generated(world, "eri")["new"] == 0
    assert len(client.get("/api/events").json()["events"]) == 2


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"title": "mine"}), ("DELETE", None)])
def test_another_owners_event_is_like_one_that_never_was(world: World, method: str, body: Any) -> None:
    """Same status, same body, for other users and for administrators; the owner's stays as it is."""
    name = f"owner-{method.lower()}"
    world.user(name)
    ids = told(world, name, {"Oslo": (3, 2)})

    for other in ("ben", "root"):
        theirs = world.as_user(other).request(method, f"/api/events/{ids['Oslo']}", json=body)
        unknown = world.as_user(other).request(method, f"/api/events/{'0' * 32}", json=body)
        assert (theirs.status_code, theirs.content) == (404, unknown.content)
        assert ids["Oslo"] not in world.as_user(other).get("/api/events").text
    assert event(world.as_user(name), ids["Oslo"])["own_title"] == ""
