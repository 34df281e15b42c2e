"""Pages of photos, their filters, and one photo with everything known of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cluster.store.schema import rows_of
from tests.api.standins import MODEL
from tests.api.world import NOON, World


def pages(client: httpx.Client, **params: Any) -> list[list[dict[str, Any]]]:
    """All pages from the first to the last."""
    found: list[list[dict[str, Any]]] = []
    cursor = ""
    while True:
        answer = client.get("/api/photos", params={**params, "cursor": cursor}).json()
        found.append(answer["photos"])
        cursor = answer["next_cursor"]
        if cursor is None:
            return found


def names(client: httpx.Client, **params: Any) -> list[str]:
    """The names of all photos that fit, in order."""
    return [photo["name"] for page in pages(client, **params) for photo in page]


@pytest.fixture(scope="module")
def gallery(world: World) -> httpx.Client:
    """A user with a dozen photos: two a day, the oldest without a date, in two places, of three kinds."""
    world.user("gala")
    for number in range(11):
        world.photo(
            "gala",
            f"trip/{number:02d}.jpg",
            taken_at=NOON - timedelta(days=number // 2),
            place="Kraków" if number < 4 else "Oslo",
            country="Poland" if number < 4 else "Norway",
            tags=["Cat"] if number == 3 else [],
            tag_scores=[0.9] if number == 3 else [],
            keywords=["holiday"] if number == 4 else [],
            kind={5: "raw", 6: "video"}.get(number, "image"),
            missing=number == 7,
        )
    world.photo("gala", "undated.jpg", taken_at=None)
    return world.as_user("gala")


def test_pages_are_complete_without_repetition_and_newest_first(gallery: httpx.Client) -> None:
    """Every photo that is there comes exactly once; photos of the same moment and undated ones too."""
    found = pages(gallery, limit=4)

    taken = [photo["taken_at"] for page in found for photo in page]
    assert [len(page) for page in found] == [4, 4, 3]
    assert sorted(names(gallery, limit=4)) == sorted(
        [f"trip/{number:02d}.jpg" for number in range(11) if number != 7] + ["undated.jpg"]
    )
    assert taken[:-1] == sorted(taken[:-1], reverse=True)
    assert taken[-1] is None


def test_a_page_has_the_size_of_the_settings_unless_asked(gallery: httpx.Client) -> None:
    """Five in these settings; up to 500 when asked; 501 is refused."""
    assert len(gallery.get("/api/photos").json()["photos"]) == 5
    assert len(gallery.get("/api/photos", params={"limit": 500}).json()["photos"]) == 11
    assert gallery.get("/api/photos", params={"limit": 501}).status_code == 400
    assert gallery.get("/api/photos", params={"limit": 0}).status_code == 400


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"date_from": "2024-05-17"}, {"00", "01"}),
        ({"date_from": "2024-05-16", "date_to": "2024-05-16"}, {"02", "03"}),
        ({"date_to": "2024-05-13"}, {"08", "09", "10"}),
        ({"date_from": "9999-12-31"}, set()),
        ({"date_to": "0001-01-01"}, set()),
        ({"place": "krak"}, {"00", "01", "02", "03"}),
        ({"place": "NORWAY", "date_from": "2024-05-15"}, {"04", "05"}),
        ({"tag": "cat"}, {"03"}),
        ({"tag": "ca"}, set()),
        ({"tag": "Holiday"}, {"04"}),
        ({"kind": "raw"}, {"05"}),
        ({"kind": "video"}, {"06"}),
        ({"missing": True}, {"07"}),
        ({"place": "' OR 1=1 --"}, set()),
        ({"tag": "Cat\n"}, {"03"}),
    ],
)
def test_filters_let_through_what_fits_all_of_them(
    gallery: httpx.Client, filters: dict[str, Any], expected: set[str]
) -> None:
    """Days include both ends; places match in part, tags and keywords as a whole, all without case."""
    found = names(gallery, **filters)

    assert {name.removeprefix("trip/").removesuffix(".jpg") for name in found} == expected


def test_the_last_day_of_the_calendar_is_a_day(gallery: httpx.Client) -> None:
    """It has none after it, and lets everything before it through."""
    assert len(names(gallery, date_to="9999-12-31", limit=500)) == 10


@pytest.mark.parametrize(
    "params", [{"date_from": "yesterday"}, {"kind": "film"}, {"missing": "maybe"}, {"tag": "x" * 201}]
)
def test_a_filter_that_makes_no_sense_is_refused(gallery: httpx.Client, params: dict[str, str]) -> None:
    """With the parameter's name."""
    answer = gallery.get("/api/photos", params=params)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in params


@pytest.mark.parametrize("cursor", ["x", "AAAA", "ffff" * 100, "MTIz", "é", "LDAw" + "=" * 3])
def test_a_cursor_that_is_none_of_ours_is_refused(gallery: httpx.Client, cursor: str) -> None:
    """Or harmless; never an error inside."""
    assert gallery.get("/api/photos", params={"cursor": cursor}).status_code in (200, 400)


def test_a_photo_tells_everything_known_of_it(world: World) -> None:
    """Files, faces, place, tags, caption, camera, ledger; fractions and units as stored."""
    world.user("hana")
    photo_id = world.photo(
        "hana", "day/one.jpg", place="Oslo", county="Oslo", state="Oslo", country="Norway", country_code="NO",
        latitude=59.9, longitude=10.7, altitude=12.0, camera_make="Canon", camera_model="R5", lens="50mm", iso=100,
        f_number=1.8, exposure_s=0.01, focal_mm=50.0, rating=4, tags=["cat", "sofa"], tag_scores=[0.75, 0.5],
        caption="A cat.", caption_by="template", keywords=["pet"], title="Mia", flags=["truncated"], ocr="EXIT",
        regions=[{"name": "Ann", "left": 0.25, "top": 0.5, "right": 0.75, "bottom": 1.0}],
        taken_offset_min=120, has_raw=True, variants=2, face_count=1,
    )  # fmt: skip
    library = world.library("hana")
    face = {
        "face_id": f"{photo_id}-00", "photo_id": photo_id, "left": 0.25, "top": 0.25, "right": 0.5, "bottom": 0.5,
        "score": 0.5, "landmarks": [0.5] * 10, "model": "faces@1",
    }  # fmt: skip
    library.faces.upsert(rows_of([face], library.faces.schema))
    raw = {
        "file_id": "f" * 32, "source": "folder", "path": b"day/one.dng", "name": "day/one.dng", "kind": "raw",
        "size": 9, "photo_id": photo_id, "state": "missing", "error": "", "seen_at": NOON,
    }  # fmt: skip
    library.files.upsert(rows_of([raw], library.files.schema))

    told = world.as_user("hana").get(f"/api/photos/{photo_id}").json()

    assert told["photo"]["name"] == "day/one.jpg"
    assert told["photo"]["taken_at"] == "2024-05-17T12:00:00Z"
    assert told["photo"]["taken_offset_min"] == 120
    assert told["place"] == {
        "place": "Oslo", "county": "Oslo", "state": "Oslo", "country": "Norway", "country_code": "NO",
    }  # fmt: skip
    assert told["position"] == {"latitude": 59.9, "longitude": 10.7, "altitude": 12.0}
    assert told["exif"]["f_number"] == 1.8
    assert told["exif"]["camera_model"] == "R5"
    assert told["tags"] == [{"label": "cat", "score": 0.75}, {"label": "sofa", "score": 0.5}]
    assert told["faces"][0] == {
        "face_id": f"{photo_id}-00", "left": 0.25, "top": 0.25, "right": 0.5, "bottom": 0.5, "score": 0.5,
        "person_id": "", "name": "", "standing": "unknown", "probability": 0.0, "origin": "",
    }  # fmt: skip
    assert told["regions"][0]["name"] == "Ann"
    assert [(one["name"], one["main"], one["state"]) for one in told["variants"]] == [
        ("day/one.jpg", True, "ok"),
        ("day/one.dng", False, "missing"),
    ]
    assert {one["name"]: one["revision"] for one in told["stages"]}["clip"] == MODEL
    assert (told["caption_by"], told["ocr"], told["title"], told["flags"]) == ("template", "EXIT", "Mia", ["truncated"])


def test_a_photo_with_nothing_known_of_it_is_told_too(world: World) -> None:
    """Without date, place, picture or vector."""
    photo_id = world.photo("ann", "bare.jpg", taken_at=None, media_rev="", clip_rev="", taken_source="")

    told = world.as_user("ann").get(f"/api/photos/{photo_id}").json()

    assert told["photo"]["thumbnails"] == {}
    assert told["position"] is None
    assert told["photo"]["taken_at"] is None


def test_thumbnails_of_a_page_can_be_fetched_as_told(world: World) -> None:
    """The addresses in a page lead to the pictures."""
    photo_id = world.photo("ann", "linked.jpg")
    client = world.as_user("ann")

    thumbnails = client.get(f"/api/photos/{photo_id}").json()["photo"]["thumbnails"]

    assert set(thumbnails) == {"preview", "big", "square", "small"}
    for size, address in thumbnails.items():
        assert client.get(address).text == f"{size} of {photo_id}"


OTHERS = [
    "/api/photos/{photo_id}",
    "/api/photos/{photo_id}/thumbnail/small",
    "/api/photos/{photo_id}/original",
    "/api/photos/{photo_id}/similar",
]


@pytest.mark.parametrize("path", OTHERS)
def test_another_owners_photo_is_like_one_that_never_was(world: World, path: str) -> None:
    """Same status, same body, for other users and for administrators; the owner does see it."""
    photo_id = world.photo("ann", "private.jpg")

    for other in ("ben", "root"):
        theirs = world.as_user(other).get(path.format(photo_id=photo_id))
        unknown = world.as_user(other).get(path.format(photo_id="0" * 32))
        assert (theirs.status_code, theirs.content) == (404, unknown.content)
    assert world.as_user("ann").get(path.format(photo_id=photo_id)).status_code == 200


def test_another_owners_photos_are_in_no_list(world: World) -> None:
    """Pages, searches, sums and cursors of one user show nothing of another."""
    world.user("ida")
    world.photo("ann", "ann-only-unicorn.jpg", taken_at=datetime(2031, 1, 1, tzinfo=UTC))
    anns_cursor = world.as_user("ann").get("/api/photos", params={"limit": 1}).json()["next_cursor"]
    ida = world.as_user("ida")

    assert ida.get("/api/photos").json()["photos"] == []
    assert ida.get("/api/photos", params={"cursor": anns_cursor}).json()["photos"] == []
    assert ida.get("/api/search", params={"q": "unicorn"}).json()["hits"] == []
    assert ida.get("/api/library/stats").json()["photos"] == 0
