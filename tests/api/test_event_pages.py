"""The pages of events without scripts: covers by year, one event, its title and cover, and deleting it."""

import httpx
import pytest

from api.pages.events import bands
from tests.api.album import face, naming
from tests.api.browsing import Page, browser, sent
from tests.api.test_events import generated, told
from tests.api.world import World

HOSTILE = "<img src=x onerror=alert(1)> & {{7*7}}"


@pytest.fixture(scope="module")
def trips(world: World) -> dict[str, str]:
    """Edda's two events by the place where they were, Kim on one of them."""
    world.user("edda")
    world.user("egon")
    found = told(world, "edda", {"Oslo": (3, 3), "Rome": (400, 2)})
    photos = world.library("edda").photos.rows().to_pylist()
    oslo = next(row["photo_id"] for row in photos if row["event_id"] == found["Oslo"])
    naming(world, "edda").label([face(world, "edda", oslo)], name="Kim")
    generated(world, "edda")
    return found


@pytest.fixture
def edda(world: World, trips: dict[str, str]) -> httpx.Client:
    """Edda's browser."""
    return browser(world, "edda")


def page(client: httpx.Client, path: str) -> Page:
    """A page."""
    return Page(client.get(path).raise_for_status())


def test_events_are_shown_with_their_covers_and_facts(edda: httpx.Client, trips: dict[str, str]) -> None:
    """Newest first, below their years; the covers can be fetched."""
    events = page(edda, "/events")

    linked = [has["href"] for has in events.all("a") if has["href"].startswith("/events/")]
    assert linked == [f"/events/{trips['Oslo']}", f"/events/{trips['Rome']}"]
    assert "14 May 2024" in events.text
    assert "3 photos" in events.text
    assert "2023 – 2024" in events.text
    covers = [has["src"] for has in events.all("img") if "thumbnail" in has["src"]]
    assert [edda.get(one).status_code for one in covers] == [200, 200]


def test_years_of_few_events_share_a_band() -> None:
    """So that rows are full; a year of many stands alone."""
    events = [{"first_at": f"{year}-01-01T00:00:00Z"} for year in (2024, 2023, 2022, 2021, 2021, 2021, 2020)]

    assert [(years, len(found)) for years, found in bands(events)] == [
        (["2022", "2024"], 3), (["2021"], 3), (["2020"], 1),
    ]  # fmt: skip
    assert bands([]) == []


def test_an_event_is_shown_with_its_people_and_photos(edda: httpx.Client, trips: dict[str, str]) -> None:
    """Each person and photo linked."""
    event = page(edda, f"/events/{trips['Oslo']}")

    assert "Kim" in event.text
    assert len([has for has in event.all("a") if has["href"].startswith("/people/")]) == 1
    assert len(event.all("a", **{"class": "photo"})) == 3


def test_a_title_is_given_and_taken_back(edda: httpx.Client, trips: dict[str, str]) -> None:
    """A hostile one is text; an empty one gives Brightroom's back."""
    path, to = f"/events/{trips['Rome']}", f"PATCH /api/events/{trips['Rome']}"
    ours = page(edda, path).all("input", name="title")[0]["value"]

    named = sent(edda, path, to, title=HOSTILE)
    assert HOSTILE in named.text
    assert HOSTILE in page(edda, "/events").text
    assert not [has for has in named.all("img") if "onerror" in has]
    assert named.all("input", name="title")[0]["value"] == HOSTILE
    assert HOSTILE not in sent(edda, path, to, title="").text
    assert ours == ""


def test_a_cover_is_chosen_from_the_photos(edda: httpx.Client, trips: dict[str, str], world: World) -> None:
    """And Brightroom's choice had back."""
    path, to = f"/events/{trips['Oslo']}", f"PATCH /api/events/{trips['Oslo']}"
    buttons = page(edda, f"{path}?cover=true").all("button", name="cover_photo_id")
    other = next(has["value"] for has in buttons if has.get("aria-pressed") != "true")

    after = sent(edda, f"{path}?cover=true", to, cover_photo_id=other, title="")
    assert other in next(has["src"] for has in after.all("img", **{"class": "event-front"}))
    sent(edda, f"{path}?cover=true", to, cover_photo_id="", title="")
    told_now = world.as_user("edda").get(f"/api/events/{trips['Oslo']}").json()
    assert not told_now["event"]["cover_chosen"]


def test_an_event_is_deleted_and_restored(edda: httpx.Client, trips: dict[str, str]) -> None:
    """Its photos stay; meanwhile it is among the deleted ones."""
    path = f"/events/{trips['Rome']}"

    after = sent(edda, path, f"DELETE /api/events/{trips['Rome']}")
    assert "The event is deleted" in after.text
    assert after.all("a", href="/events?deleted=true")
    assert edda.get(path).status_code == 404
    back = sent(edda, "/events?deleted=true", f"POST /api/events/{trips['Rome']}/restore")
    assert "No deleted events" in back.text
    assert edda.get(path).status_code == 200


def test_another_owners_events_are_no_pages(world: World, trips: dict[str, str]) -> None:
    """404 like one that never was; the list says what to do first."""
    egon = browser(world, "egon")

    assert egon.get(f"/events/{trips['Oslo']}").status_code == 404
    assert egon.get(f"/events/{'0' * 32}").status_code == 404
    assert "No events yet" in page(egon, "/events").text
    assert "No deleted events" in page(egon, "/events?deleted=true").text
