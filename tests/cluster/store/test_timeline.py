"""The timeline: pages, filters, sums."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import pyarrow as pa
import pytest

from cluster.errors import Invalid
from cluster.store.database import Library
from cluster.store.faces import SCHEMA as FACES
from cluster.store.files import SCHEMA as FILES
from cluster.store.schema import rows_of
from cluster.store.timeline import Overview, PhotoFilter, overview, page
from tests.cluster.store.conftest import START

Rows = Callable[..., pa.Table]
EVERY = PhotoFilter(missing=None)


def walk(library: Library, wanted: PhotoFilter, limit: int) -> list[list[str]]:
    """The ids on each page."""
    pages, cursor = [], None
    while True:
        found = page(library.photos, wanted, limit, cursor)
        pages.append([row["photo_id"] for row in found.rows])
        if (cursor := found.next) is None:
            return pages


def shown(library: Library, **wanted: Any) -> list[str]:
    """The ids that a filter lets through, in order."""
    return [row["photo_id"] for row in page(library.photos, PhotoFilter(**wanted), 500).rows]


def test_paging_visits_every_photo_once_in_order(library: Library, photo_rows: Rows) -> None:
    """Newest first, equal times by id, undated last; whatever a page's size, also with indexes and after upkeep."""
    dice = random.Random(3)
    times = [START + timedelta(microseconds=dice.randrange(5), days=dice.randrange(-20_000, 100)) for _ in range(9)]
    photos = [{"photo_id": f"{dice.randrange(2**64):032x}", "taken_at": dice.choice([*times, None])} for _ in range(97)]
    library.photos.upsert(photo_rows(*photos))
    dated = sorted((p for p in photos if p["taken_at"]), key=lambda p: (p["taken_at"], p["photo_id"]), reverse=True)
    undated = sorted((p for p in photos if not p["taken_at"]), key=lambda p: p["photo_id"], reverse=True)
    order = [photo["photo_id"] for photo in [*dated, *undated]]
    for size in (1, 10, 96, 97, 500):
        pages = walk(library, EVERY, size)
        assert [*chain(*pages)] == order
        assert all(len(ids) == size for ids in pages[:-1])
    library.build_indexes()
    library.photos.optimize(timedelta(0))
    assert [*chain(*walk(library, EVERY, 10))] == order


def test_photos_that_come_meanwhile_disturb_no_page(library: Library, photo_rows: Rows) -> None:
    """Those already passed are not shown again, and none of the rest is left out."""
    rows = [{"photo_id": f"p{number:02d}", "taken_at": START + timedelta(hours=number)} for number in range(20)]
    library.photos.upsert(photo_rows(*rows))
    first = page(library.photos, EVERY, 8)
    library.photos.upsert(photo_rows({"photo_id": "newest", "taken_at": START + timedelta(days=9)}))
    rest = page(library.photos, EVERY, 50, first.next)
    assert [row["photo_id"] for row in [*first.rows, *rest.rows]] == [f"p{number:02d}" for number in range(19, -1, -1)]


def test_an_empty_library_has_one_empty_page(library: Library) -> None:
    """And nothing after it."""
    assert walk(library, EVERY, 10) == [[]]


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "AAAA", "' OR 1=1", "\ud800", "MTIz", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OSx4", "é"]
)
def test_a_cursor_that_is_none_of_ours_is_refused(library: Library, cursor: str) -> None:
    """With a sentence that says what to do."""
    with pytest.raises(Invalid, match="first page"):
        page(library.photos, EVERY, 10, cursor)


@pytest.fixture
def travelled(library: Library, photo_rows: Rows) -> Library:
    """Six photos that differ in what can be filtered by."""
    rows: list[dict[str, Any]] = [
        {"photo_id": "a", "place": "Zürich", "country": "Switzerland", "tags": ["lake"], "camera_model": "X-T5"},
        {"photo_id": "b", "place": "Genève", "country": "Switzerland", "keywords": ["Lake"], "kind": "raw"},
        {"photo_id": "c", "state": "Île-de-France", "country": "France", "tags": ["laketown"], "kind": "video"},
        {"photo_id": "d", "county": "King's County", "country": "United States", "missing": True},
        {"photo_id": "e", "place": "100% Café_", "country": "France"},
        {"photo_id": "f", "taken_at": None},
    ]
    dated = [{"taken_at": START + timedelta(days=number), **row} for number, row in enumerate(rows)]
    library.photos.upsert(photo_rows(*dated))
    return library


def test_missing_photos_are_shown_only_when_asked_for(travelled: Library) -> None:
    """Alone, or among the others."""
    assert shown(travelled) == ["e", "c", "b", "a", "f"]
    assert shown(travelled, missing=True) == ["d"]
    assert shown(travelled, missing=None) == ["e", "d", "c", "b", "a", "f"]


def test_dates_filter_from_a_moment_to_before_another(travelled: Library) -> None:
    """In any zone; undated photos have no date to match."""
    assert shown(travelled, taken_from=START + timedelta(days=1), taken_to=START + timedelta(days=4)) == ["c", "b"]
    east = START.astimezone(tz=datetime.strptime("+0530", "%z").tzinfo)
    assert shown(travelled, taken_to=east + timedelta(days=1)) == ["a"]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("SWITZERLAND", ["b", "a"]),
        ("zürich", ["a"]),
        ("île", ["c"]),
        ("rance", ["e", "c"]),
        ("king's", []),
        ("100%", ["e"]),
        ("café_", ["e"]),
        ("%", ["e"]),
        ("' OR 1=1 --", []),
        ("\\", []),
    ],
)
def test_places_are_found_by_part_of_a_name(travelled: Library, place: str, expected: list[str]) -> None:
    """In any case, of any level, without wildcards; d is missing."""
    assert shown(travelled, place=place) == expected


def test_tags_kinds_and_cameras_filter(travelled: Library) -> None:
    """All conditions at once; a keyword counts as a tag."""
    assert shown(travelled, tags=("LAKE",)) == ["b", "a"]
    assert shown(travelled, kind="video") == ["c"]
    assert shown(travelled, camera="X-T5") == ["a"]
    assert shown(travelled, tags=("lake",), kind="raw", place="switz") == ["b"]
    assert shown(travelled, tags=("lake",), kind="video") == []


def test_the_overview_counts_what_is_there(library: Library, photo_rows: Rows) -> None:
    """Days are those of the places the photos were taken at."""
    late = datetime(2024, 5, 1, 23, 30, tzinfo=UTC)
    library.photos.upsert(
        photo_rows(
            {"photo_id": "a", "taken_at": late, "taken_offset_min": 120, "clip_rev": "clip@1"},
            {"photo_id": "b", "taken_at": late, "taken_offset_min": None, "kind": "video"},
            {"photo_id": "c", "taken_at": late + timedelta(hours=1)},
            {"photo_id": "d", "taken_at": datetime(1931, 12, 31, 23, tzinfo=UTC), "taken_offset_min": -60},
            {"photo_id": "e", "taken_at": None},
            {"photo_id": "f", "taken_at": datetime(1900, 1, 1, tzinfo=UTC), "missing": True, "kind": "video"},
        )
    )
    library.faces.upsert(rows_of([{"face_id": f"a-0{number}", "photo_id": "a"} for number in range(3)], FACES))
    sizes = {"one": (700, "ok"), "two": (300, "failed"), "gone": (5000, "missing")}
    files = [{"file_id": id_, "size": size, "state": state, "seen_at": START} for id_, (size, state) in sizes.items()]
    library.files.upsert(rows_of(files, FILES))
    first, last = date(1931, 12, 31), date(2024, 5, 2)
    assert overview(library, {"clip": "clip@1"}) == Overview(
        photos=5,
        videos=1,
        missing=1,
        days=3,
        days_spanned=(last - first).days + 1,
        first_day=first,
        last_day=last,
        people=0,
        faces=3,
        faces_labeled=0,
        faces_inferred=0,
        faces_unknown=3,
        events=0,
        storage_bytes=1000,
        pending={"clip": 4},
    )


def test_the_overview_of_nothing_is_zero(library: Library) -> None:
    """No days, and no fault."""
    told = overview(library, {"clip": "clip@1"})
    assert (told.photos, told.days, told.days_spanned, told.first_day, told.storage_bytes) == (0, 0, 0, None, 0)
