"""The search page over HTTP, as a browser without scripts sees it: chips, results, notes, searching by a picture."""

from html import unescape
from html.parser import HTMLParser

import httpx
import pytest
import simplejpeg
import skimage.data

from api.pages.chips import sought, time_text
from cluster.store.people import id_of
from tests.api.test_suggestions import person
from tests.api.world import NOON, World

HOSTILE = "<img src=x onerror=alert(1)>\"'"
CAT = simplejpeg.encode_jpeg(skimage.data.chelsea(), quality=85)
HTML = {"Accept": "text/html"}


class Page(HTMLParser):
    """What of a page tests look at: its fields, links, photos, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []  # hidden and visible, of the search box
        self.links: dict[str, str] = {}  # by label
        self.photos: list[str] = []  # addresses
        self.tags: list[str] = []
        self.text = ""
        self._box = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self._box = "data-find" in given or (self._box and tag != "main")
        if tag == "input" and self._box and "name" in given:
            self.fields.append((given["name"], given.get("value", "")))
        if tag == "a":
            self.links[given.get("aria-label") or given.get("href", "")] = given.get("href", "")
            if "data-photo" in given:
                self.photos.append(given["href"])

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


@pytest.fixture(scope="module")
def finder(world: World) -> httpx.Client:
    """A user with photos in two places, with hostile words, and a person on two of them; asks for pages."""
    world.user("perdita")
    for number in range(6):
        world.photo(
            "perdita", f"{number}.jpg", search_text=f"cat sofa {number}" if number else f"cat {HOSTILE}",
            place="Kraków" if number < 3 else HOSTILE, country="Poland", taken_at=NOON, tags=["cat"], tag_scores=[1.0],
            kind="video" if number == 5 else "image", caption=HOSTILE if number == 0 else "",
        )  # fmt: skip
    person(world, "perdita", "Zoë & Kraus")
    return world.client(world.token("perdita"), **HTML)


def page(client: httpx.Client, path: str, status: int = 200, **params: str | list[str]) -> Page:
    """A page."""
    answer = client.get(path, params=params or None)
    assert answer.status_code == status, answer.text[:500]
    return Page(answer.text)


def test_a_search_shows_its_hits_with_why_they_were_found(finder: httpx.Client) -> None:
    """Best first; the text stays in the box, and photos lead back here."""
    shown = page(finder, "/search", q="cat sofa")

    assert shown.fields == [("q", "cat sofa")]
    assert len(shown.photos) == 6
    assert shown.photos[0].endswith("?q=cat+sofa")
    assert "6 photos, best first" in shown.text
    assert "Looks fit: no. 1" in shown.text
    assert "Words fit: no. 1" in shown.text


def test_filters_are_chips_that_can_be_taken_out(finder: httpx.Client) -> None:
    """Hidden fields of the box, so that a further text keeps them; a person has their name."""
    zoe = id_of("Zoë & Kraus")
    shown = page(finder, "/search", q="cat", person=zoe, place="Kraków", date_from="2024-05-01", date_to="2024-05-31")

    assert ("person", zoe) in shown.fields
    assert ("place", "Kraków") in shown.fields
    assert ("date_from", "2024-05-01") in shown.fields
    assert len(shown.photos) == 1
    without = page(finder, shown.links["Remove Zoë & Kraus"])
    assert len(without.photos) == 3
    assert ("person", zoe) not in without.fields
    assert ("place", "Kraków") in without.fields
    assert ("q", "cat") in without.fields
    assert "May 2024" in shown.text


def test_filters_alone_show_the_newest_photos_that_they_let_through(finder: httpx.Client) -> None:
    """With how many there are."""
    shown = page(finder, "/search", place="krak")

    assert len(shown.photos) == 3
    assert "3 photos" in shown.text
    assert "best first" not in shown.text


def test_more_leads_on_without_scripts(world: World) -> None:
    """By pages of a timeline; by a higher limit for hits."""
    world.user("verity")
    for number in range(130):
        world.photo("verity", f"{number:03}.jpg", search_text="dune", place="Erg")
    client = world.client(world.token("verity"), **HTML)

    timeline = page(client, "/search", place="Erg")
    more = [link for link in timeline.links.values() if "cursor=" in link]
    following = page(client, more[0])
    assert len(timeline.photos) == len(following.photos) == 60
    assert not set(timeline.photos) & set(following.photos)
    assert "130 photos" in timeline.text

    hits = page(client, "/search", q="dune")
    more = [link for link in hits.links.values() if "limit=" in link]
    assert len(hits.photos) == 60
    assert len(page(client, more[0]).photos) == 130


def test_nothing_found_says_what_to_try(finder: httpx.Client) -> None:
    """The same search without each of its parts."""
    shown = page(finder, "/search", q="cat", kind="raw", place="Kraków")

    assert shown.photos == []
    assert "No photo fits all of this" in shown.text
    assert {"/search?q=cat&place=Krak%C3%B3w", "/search?q=cat&kind=raw"} <= set(shown.links.values())


def test_without_a_query_examples_of_ones_own_library_are_shown(finder: httpx.Client, world: World) -> None:
    """People, places, times and tags; where nothing was scanned, the way to a scan."""
    shown = page(finder, "/search")

    assert "Zoë & Kraus" in shown.text
    assert f"/search?person={id_of('Zoë & Kraus')}" in shown.links.values()
    assert "/search?place=Krak%C3%B3w" in shown.links.values()
    world.user("nemo")
    empty = page(world.client(world.token("nemo"), **HTML), "/search")
    assert "There is nothing to find yet" in empty.text
    assert page(finder, "/search", q="  ", place="").text == shown.text


@pytest.mark.parametrize("q", [HOSTILE, "{{ 7*7 }}", "</title><script>alert(1)</script>", "\u202e", "'; DROP TABLE"])
def test_hostile_text_stays_text(finder: httpx.Client, q: str) -> None:
    """In the box, the heading, the title, chips, captions and places."""
    plain = page(finder, "/search", q="cat")
    answer = finder.get("/search", params={"q": q, "place": HOSTILE, "tag": q})
    shown = Page(answer.text)

    assert ("q", q) in shown.fields
    assert ("place", HOSTILE) in shown.fields
    assert shown.tags.count("script") == plain.tags.count("script")
    assert shown.tags.count("img") == answer.text.count("<img ")
    assert "<img src=x" not in answer.text
    assert q in shown.text


@pytest.mark.parametrize(
    ("params", "status", "sentence"),
    [
        ({"kind": "film"}, 400, "kind"),
        ({"date_from": "yesterday"}, 400, "date_from"),
        ({"person": "nobody"}, 404, "There is no such person"),
        ({"person": "../photos"}, 404, "There is no such person"),
        ({"person": "acts"}, 404, "There is no such person"),
        ({"q": "x" * 1025}, 400, "q: "),
        ({"q": "cat", "limit": "0"}, 400, "limit"),
    ],
)
def test_an_address_that_makes_no_sense_says_so(
    finder: httpx.Client, params: dict[str, str], status: int, sentence: str
) -> None:
    """On the page, with a way on."""
    shown = page(finder, "/search", status, **params)

    assert sentence in unescape(shown.text)


def test_another_owners_people_and_photos_are_not_there(finder: httpx.Client, world: World) -> None:
    """A person's id of somebody else is like one that never was."""
    world.user("ottilie")
    otto = world.client(world.token("ottilie"), **HTML)

    assert page(otto, "/search", 404, person=id_of("Zoë & Kraus")).photos == []
    assert page(otto, "/search", q="cat").photos == []


def test_what_could_not_be_asked_is_said(world: World, finder: httpx.Client) -> None:
    """A stopped service leaves the words."""
    world.models.down.add("clip_embeddings")
    try:
        shown = page(finder, "/search", q="sofa")
    finally:
        world.models.down.clear()

    assert "Only words were searched" in shown.text
    assert len(shown.photos) == 5


def test_nobody_is_asked_to_log_in_and_comes_back(world: World) -> None:
    """To the same search."""
    answer = world.client(**HTML).get("/search?q=cat&place=Oslo")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?back=%2Fsearch%3Fq%3Dcat%26place%3DOslo"


def test_a_picture_is_searched_by_a_plain_form(world: World, finder: httpx.Client) -> None:
    """Its hits with how much they are alike; what is no picture says so."""
    assert "multipart/form-data" in finder.get("/search/image").text

    found = finder.post("/search/image", files={"file": ("cat.jpg", CAT)})
    shown = Page(found.text)
    assert found.status_code == 200
    assert len(shown.photos) == 6
    assert "% alike" in shown.text

    for data, status in ((b"words", 400), (b"", 400)):
        broken = finder.post("/search/image", files={"file": (HOSTILE, data)})
        assert broken.status_code == status
        assert 'role="alert"' in broken.text
        assert "<img src=x" not in broken.text

    world.models.down.add("image_similarity")
    try:
        stopped = finder.post("/search/image", files={"file": ("cat.jpg", CAT)})
    finally:
        world.models.down.clear()
    assert stopped.status_code == 503
    assert "start-service image_similarity" in stopped.text


def test_other_bodies_and_other_sites_are_refused(finder: httpx.Client) -> None:
    """As by the API."""
    assert finder.post("/search/image", json={}).status_code == 415
    foreign = finder.post("/search/image", files={"file": ("c.jpg", CAT)}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2024-01-01", "2024-12-31", "2024"),
        ("2024-02-01", "2024-02-29", "February 2024"),
        ("2024-05-17", "2024-05-17", "17 May 2024"),
        ("2024-05-17", "", "since 17 May 2024"),
        ("", "2024-05-17", "until 17 May 2024"),
    ],
)
def test_days_are_said_as_short_as_they_can_be(first: str, last: str, text: str) -> None:
    """Whole years and months by their names."""
    assert time_text(first, last) == text


def test_an_address_is_read_and_written_the_same() -> None:
    """Without what is empty, said twice, or means nothing to a search."""
    people = [("person", "x"), ("person", "x"), ("person", "y")]

    asked = sought([("q", " a "), *people, ("tag", ""), ("place", "Oslo"), ("z", "1")])

    assert asked.address() == "/search?q=a&person=x&person=y&place=Oslo"
    assert asked.address([("person", "x")], limit="5") == "/search?q=a&person=y&place=Oslo&limit=5"
    assert sought([]).address() == "/search"
