"""The photos beside one, over HTTP: in the order of the timeline, under its filters, and nobody else's."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.api.album import face, naming
from tests.api.world import NOON, World


@pytest.fixture(scope="module")
def row(world: World) -> httpx.Client:
    """A user with ten photos: two of each moment, the last four without any."""
    world.user("nora")
    for number in range(10):
        world.photo(
            "nora", f"{number}.jpg", taken_at=NOON - timedelta(days=number // 2) if number < 6 else None,
            place="Oslo" if number % 2 else "Rome", tags=["cat"] if number in (0, 5, 9) else [],
            tag_scores=[1.0] if number in (0, 5, 9) else [], kind="video" if number == 4 else "image",
            missing=number == 3, event_id="e" * 32 if number in (1, 8) else "",
        )  # fmt: skip
    return world.as_user("nora")


def listed(client: httpx.Client, **filters: Any) -> list[str]:
    """The photos of the timeline, in its order."""
    return [one["photo_id"] for one in client.get("/api/photos", params={**filters, "limit": 50}).json()["photos"]]


def beside(client: httpx.Client, photo_id: str, **filters: Any) -> tuple[str | None, str | None]:
    """The ids of what is newer and older than a photo."""
    told = client.get(f"/api/photos/{photo_id}/neighbours", params=filters).raise_for_status().json()
    newer, older = (told[which] and told[which]["photo_id"] for which in ("newer", "older"))
    return newer, older


@pytest.mark.parametrize(
    "filters",
    [{}, {"place": "oslo"}, {"tag": "Cat"}, {"kind": "image"}, {"date_from": "2024-05-16"}, {"missing": True}],
)
def test_neighbours_are_those_of_the_timeline_under_the_same_filters(
    row: httpx.Client, filters: dict[str, Any]
) -> None:
    """From the first, which has nothing newer, to the last; photos of one moment and undated ones too."""
    ids = listed(row, **filters)
    found = [beside(row, one, **filters) for one in ids]

    assert len(ids) >= 1
    assert [newer for newer, _ in found] == [None, *ids[:-1]]
    assert [older for _, older in found] == [*ids[1:], None]


def test_a_photo_that_no_filter_lets_through_has_neighbours_too(row: httpx.Client) -> None:
    """Those that it would have in its place: a video's, among pictures."""
    everything, images = listed(row), listed(row, kind="image")
    video = next(one for one in everything if one not in images)
    place = everything.index(video)

    assert beside(row, video, kind="image") == (everything[place - 1], everything[place + 1])


def test_an_event_and_a_person_have_neighbours_of_their_own(row: httpx.Client, world: World) -> None:
    """Of an event's two photos one comes after the other; so of a person's."""
    ids = listed(row)
    of_event = [one for one in ids if row.get(f"/api/photos/{one}").json()["photo"]["name"] in ("1.jpg", "8.jpg")]
    hers = [ids[1], ids[4], ids[7]]
    naming(world, "nora").label([face(world, "nora", one) for one in hers], name="Kim")
    kim = row.get("/api/people").json()["people"][0]["person_id"]

    assert beside(row, of_event[0], event="e" * 32) == (None, of_event[1])
    assert beside(row, of_event[1], event="e" * 32) == (of_event[0], None)
    assert all(beside(row, one, person=kim)[1] == other for one, other in pairwise(hers))


def test_neighbours_are_ones_own(row: httpx.Client, world: World) -> None:
    """Another owner's photo is not there; a filter that makes no sense is refused."""
    theirs = world.photo("ben", "between.jpg", taken_at=NOON)
    mine = listed(row)[0]

    assert row.get(f"/api/photos/{theirs}/neighbours").status_code == 404
    assert theirs not in {one for photo in listed(row) for one in beside(row, photo)}
    assert row.get(f"/api/photos/{mine}/neighbours", params={"kind": "film"}).status_code == 400
    assert row.get(f"/api/photos/{mine}/neighbours", params={"person": "nobody"}).status_code == 404
