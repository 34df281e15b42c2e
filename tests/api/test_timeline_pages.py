"""The timeline: months and tiles of it for scripts, pages of it for browsers without any."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.browsing import Page, browser
from tests.api.world import NOON, World

HOSTILE = "trip/<img src=x onerror=alert(1)>\"'&.jpg"


@pytest.fixture(scope="module")
def tess(world: World) -> httpx.Client:
    """A user with 150 photos: three a day from May back into March, of all kinds, the oldest ten without a time."""
    world.user("tessa")
    for number in range(150):
        world.photo(
            "tessa",
            f"tess/{number:03d}.jpg",
            taken_at=NOON - timedelta(hours=8 * number) if number < 140 else None,
            taken_offset_min=(None, 120, -300)[number % 3],
            kind={7: "raw", 8: "video"}.get(number, "image"),
            duration_s=75.5 if number == 8 else None,
            has_raw=number == 9,
            has_live=number == 10,
            missing=number == 11,
            caption="A <b>cat</b>" if number == 1 else "",
            media_error="cannot be decoded" if number == 2 else "",
            content_id="0" * 32 if number == 3 else f"{number:032x}",
            placeholder="A" * 32 if number == 4 else "",
        )
    world.photo("ben", "not of tess.jpg")
    return world.as_user("tessa")


def listed(client: httpx.Client, **filters: Any) -> list[str]:
    """The ids of all photos as the pages of `GET /api/photos` have them."""
    photos: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get("/api/photos", params={**filters, "cursor": cursor, "limit": 60}).json()
        photos += [photo["photo_id"] for photo in answer["photos"]]
        cursor = answer["next_cursor"]
    return photos


def tiled(client: httpx.Client, **filters: Any) -> list[str]:
    """The ids of all photos as the tiles of each stretch of the timeline have them."""
    photos: list[str] = []
    for one in client.get("/api/photos/months", params=filters).json()["stretches"]:
        ends = {"cursor": one["after"], "last": one["last"]}
        ids = client.get("/api/photos/tiles", params={**filters, **ends}).json()["photo_ids"]
        assert len(ids) == one["count"]
        photos += ids
    return photos


@pytest.mark.parametrize(
    "filters",
    [
        {}, {"kind": "video"}, {"kind": "raw"}, {"kind": "live"}, {"missing": True}, {"date_to": "2024-04-10"},
        {"date_from": "2024-05-01", "date_to": "2024-05-03"}, {"tag": "nothing has it"}, {"place": "nowhere"},
    ],
)  # fmt: skip
def test_tiles_are_the_photos_of_the_list_in_its_order(tess: httpx.Client, filters: dict[str, Any]) -> None:
    """Under every filter, stretch by stretch."""
    assert tiled(tess, **filters) == listed(tess, **filters)


def test_months_come_newest_first_with_their_numbers(tess: httpx.Client) -> None:
    """Those without a time last; a missing photo does not count, nor do other people's."""
    answer = tess.get("/api/photos/months").json()

    months = [one["month"] for one in answer["stretches"]]
    assert months == ["2024-05", "2024-04", ""]
    assert answer["photos"] == sum(one["count"] for one in answer["stretches"]) == 149
    assert answer["stretches"][-1]["count"] == 10


def test_raw_and_live_are_also_files_beside_the_main_one(tess: httpx.Client) -> None:
    """A RAW photo, and a JPEG with its RAW; a picture with its moving half."""
    assert len(listed(tess, kind="raw")) == 2
    assert len(listed(tess, kind="live")) == 1
    assert tess.get("/api/photos", params={"kind": "sculpture"}).status_code == 400


def test_a_tile_says_what_is_drawn_of_a_photo(tess: httpx.Client) -> None:
    """In lists that are all as long; times in seconds, what it is as letters."""
    tiles = tess.get("/api/photos/tiles", params={"limit": 12}).json()

    assert {len(values) for values in tiles.values()} == {12}
    assert tiles["taken_at"][0] == NOON.timestamp()
    assert tiles["taken_offset_min"][:3] == [None, 120, -300]
    assert tiles["ratios"][0] == pytest.approx(4 / 3, abs=0.001)
    assert tiles["alts"][:2] == ["000.jpg", "A <b>cat</b>"]
    assert tiles["versions"][2:4] == ["-", "0" * 32]
    assert tiles["placeholders"][3:5] == ["", "A" * 32]
    assert tiles["marks"][8:11] == ["v", "r", "l"]
    assert tiles["durations"][8] == 75.5
    assert tess.get("/api/photos/tiles", params={"missing": True}).json()["marks"] == ["m"]


def test_what_is_no_cursor_or_no_number_is_refused(tess: httpx.Client) -> None:
    """With a problem that says so."""
    wrong = [{"cursor": "nonsense"}, {"last": "nonsense"}, {"last": "x" * 600}, {"limit": 0}, {"limit": 2001}]
    for params in wrong:
        assert tess.get("/api/photos/tiles", params=params).status_code == 400, params
    assert tess.get("/api/photos/months", params={"person": "nobody"}).status_code == 404


def test_a_list_says_where_the_page_before_begins_when_asked(tess: httpx.Client) -> None:
    """Whether that is among dated or undated photos; empty where the first page is before."""
    cursors, cursor = [""], ""
    while cursor is not None:
        answer = tess.get("/api/photos", params={"cursor": cursor, "limit": 30, "before": True}).json()
        assert answer["previous_cursor"] == (None if len(cursors) == 1 else cursors[-2])
        cursor = answer["next_cursor"]
        cursors.append(cursor)

    assert len(cursors) == 6


def test_the_page_shows_photos_without_scripts(world: World, tess: httpx.Client) -> None:
    """By month and day of their own clocks, with sizes, words for pictures, badges, a way to older ones and back."""
    visitor = browser(world, "tessa")
    first = Page(visitor.get("/"))

    tiles = first.all("img", loading="lazy")
    assert len(tiles) == 59  # one cannot be decoded
    assert tiles[1]["alt"] == "A <b>cat</b>"
    assert (tiles[0]["width"], tiles[0]["height"]) == ("4", "3")
    assert "May 2024" in first.text
    assert "Fri 17 May" in first.text
    assert "1:15" in first.text
    (older,) = first.all("a", rel="next")
    second = Page(visitor.get(older["href"]))
    (newer,) = second.all("a", rel="prev")
    assert newer["href"] == "/"
    assert not {one["href"] for one in first.all("a", **{"class": "photo"})} & {
        one["href"] for one in second.all("a", **{"class": "photo"})
    }
    (older,) = second.all("a", rel="next")
    third = Page(visitor.get(older["href"]))
    assert "Without a date" in third.text
    assert third.all("a", rel="next") == []
    assert third.all("a", rel="prev")[0]["href"] != "/"


def test_filters_go_on_to_photos_and_to_other_pages(world: World, tess: httpx.Client) -> None:
    """Each filter but the kind can be taken away; the kind is chosen."""
    page = Page(browser(world, "tessa").get("/", params={"date_to": "2024-05-17", "kind": "image"}))

    to_photo, older = page.all("a", **{"class": "photo"})[0]["href"], page.all("a", rel="next")[0]["href"]
    assert "date_to=2024-05-17" in to_photo
    assert "kind=image" in to_photo
    assert "date_to=2024-05-17" in older
    assert "cursor=" in older
    assert {one["href"] for one in page.all("a", **{"aria-current": "true"})} == {"/?kind=image"}
    assert "Until 17 May 2024" in page.text


def test_of_a_filter_that_is_given_twice_the_last_counts(world: World, tess: httpx.Client) -> None:
    """As it does for the API, whatever the first one is; nothing else is shown as chosen."""
    page = Page(browser(world, "tessa").get("/?date_to=garbage&date_to=2024-05-17").raise_for_status())

    assert "Until 17 May 2024" in page.text
    assert "garbage" not in page.text


def test_a_scan_of_somebody_else_brings_no_photos(fresh: World) -> None:
    """Administrators hear of everybody's jobs; their own empty timeline still says how to scan."""
    fresh.user("chief", admin=True)
    fresh.as_user("ann").post("/api/library/actions/scan").raise_for_status()

    page = Page(browser(fresh, "chief").get("/"))

    assert page.all("form", **{"data-to": "POST /api/library/actions/scan"})


def test_hostile_names_are_text(world: World) -> None:
    """In the page and in the list; tags of the address, too."""
    world.user("hos")
    world.photo("hos", HOSTILE, taken_at=datetime(2024, 1, 1, tzinfo=UTC))

    page = Page(browser(world, "hos").get("/"))
    wrong = browser(world, "hos").get("/", params={"tag": "<script>alert(1)</script>"})

    name = HOSTILE.rpartition("/")[2]
    assert [one["alt"] for one in page.all("img", loading="lazy")] == [name]
    assert world.as_user("hos").get("/api/photos/tiles").json()["alts"] == [name]
    assert "<script>alert" not in wrong.text
    assert "Tagged <script>alert(1)</script>" in Page(wrong).text


def test_where_there_are_no_photos_it_says_what_to_do(world: World) -> None:
    """Choose a folder, ask for one, scan it, wait, or take a filter away."""
    world.users["nofo"] = world.system.users.create("nofo", "no password", True)
    world.users["poor"] = world.system.users.create("poor", "no password", False)
    world.user("newly")

    assert Page(browser(world, "nofo").get("/")).all("a", href="/welcome")
    assert "An administrator has to say" in Page(browser(world, "poor").get("/")).text
    unscanned = Page(browser(world, "newly").get("/"))
    assert unscanned.all("form", **{"data-to": "POST /api/library/actions/scan"})
    world.as_user("newly").post("/api/library/actions/scan")
    assert "within moments" in Page(browser(world, "newly").get("/")).text
    assert "No photo is missing" in Page(browser(world, "newly").get("/?missing=true")).text
    assert "No photos fit" in Page(browser(world, "newly").get("/?tag=nothing")).text


def test_nobody_sees_the_timeline_of_somebody_else(world: World, tess: httpx.Client) -> None:
    """Cursors of one library mean nothing to another."""
    one = tess.get("/api/photos/months").json()["stretches"][0]
    hers = set(listed(tess))

    found = world.as_user("ann").get("/api/photos/tiles", params={"cursor": one["after"], "last": one["last"]})

    assert not hers & set(found.json()["photo_ids"])
    assert world.client().get("/api/photos/tiles").status_code == 401
