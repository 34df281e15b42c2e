"""The timeline in stretches: months, days of very full months, and the photos of each."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from typing import Any

import pyarrow as pa
import pytest

from cluster.errors import Invalid
from cluster.store import stretches as module
from cluster.store.database import Library
from cluster.store.stretches import Stretch, stretches, within
from cluster.store.timeline import PhotoFilter, page

Rows = Callable[..., pa.Table]
EVERY = PhotoFilter(missing=None)
JUNE = datetime(2024, 6, 1, tzinfo=UTC)


def photos_of(library: Library, one: Stretch, wanted: PhotoFilter = EVERY) -> list[str]:
    """The ids of a stretch's photos."""
    rows = within(library.photos, wanted, one.after, one.last, 100_000, ["photo_id"])
    return [str(photo_id) for photo_id in rows["photo_id"].to_pylist()]


def whole(library: Library, wanted: PhotoFilter = EVERY) -> list[str]:
    """All ids as the timeline's pages have them."""
    return [row["photo_id"] for row in page(library.photos, wanted, 100_000).rows]


def many(dice: random.Random, count: int, days: int) -> list[dict[str, Any]]:
    """Photos at few moments of some days, some of them without a time, some without an offset."""
    times = [JUNE - timedelta(hours=dice.randrange(24 * days)) for _ in range(count // 2)]
    return [
        {
            "photo_id": f"{dice.getrandbits(64):032x}", "taken_at": dice.choice([*times, None]),
            "taken_offset_min": dice.choice([None, -720, 0, 840]), "kind": dice.choice(["image", "video"]),
        }
        for _ in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("most", [1, 3, 40, 1000])
def test_stretches_are_the_timeline_cut_into_pieces(
    library: Library, photo_rows: Rows, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """In its order, with nothing twice and nothing left out; none is longer than it may be, no month comes twice."""
    monkeypatch.setattr(module, "MOST", most)
    library.photos.upsert(photo_rows(*many(random.Random(most), 200, 100)))
    for wanted in (EVERY, PhotoFilter(missing=None, kind="video")):
        found = stretches(library.photos, wanted)

        shown = [photos_of(library, one, wanted) for one in found]
        assert [*chain(*shown)] == whole(library, wanted)
        assert [len(ids) for ids in shown] == [one.count for one in found]
        assert max(one.count for one in found) <= most
        assert all(before.month >= after.month for before, after in pairwise(found))
        assert all(before.last == after.after for before, after in pairwise(found))


def test_a_month_is_that_of_the_clocks_where_photos_were_taken(library: Library, photo_rows: Rows) -> None:
    """An hour before midnight in London it is June in Berlin, and still May in New York."""
    late = datetime(2024, 5, 31, 23, tzinfo=UTC)
    library.photos.upsert(
        photo_rows(
            {"photo_id": "berlin", "taken_at": late, "taken_offset_min": 120},
            {"photo_id": "new york", "taken_at": late - timedelta(minutes=1), "taken_offset_min": -240},
            {"photo_id": "nobody knows", "taken_at": late - timedelta(minutes=2), "taken_offset_min": None},
            {"photo_id": "undated", "taken_at": None},
        )
    )

    assert Counter({one.month: one.count for one in stretches(library.photos, EVERY)}) == {
        "2024-06": 1, "2024-05": 2, "": 1,
    }  # fmt: skip


def test_a_photo_of_another_clock_stays_with_its_neighbours(library: Library, photo_rows: Rows) -> None:
    """So that a month does not come in many pieces; the order is the timeline's."""
    rows = [
        {"photo_id": f"p{n}", "taken_at": JUNE - timedelta(minutes=n), "taken_offset_min": 120 if n % 2 else 0}
        for n in range(10)
    ]
    library.photos.upsert(photo_rows(*rows))

    found = stretches(library.photos, EVERY)

    assert [(one.month, one.count) for one in found] == [("2024-06", 2), ("2024-05", 8)]


def test_very_full_months_are_cut_between_days_where_that_can_be(
    library: Library, photo_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day that is too full alone is cut, and what comes after says that it goes on."""
    monkeypatch.setattr(module, "MOST", 10)
    counts = {20: 4, 19: 4, 18: 4, 17: 25, 16: 1}
    rows = [
        {"photo_id": f"{day}-{n:02}", "taken_at": datetime(2024, 6, day, 12, n, tzinfo=UTC)}
        for day, count in counts.items()
        for n in range(count)
    ]
    library.photos.upsert(photo_rows(*rows))

    found = stretches(library.photos, EVERY)

    days = [sorted({photo_id[:2] for photo_id in photos_of(library, one)}, reverse=True) for one in found]
    assert days == [["20", "19"], ["18"], ["17"], ["17"], ["17", "16"]]
    assert [one.continued for one in found] == [False, False, False, True, True]
    assert {one.month for one in found} == {"2024-06"}


def test_photos_that_come_into_a_stretch_meanwhile_are_in_it(library: Library, photo_rows: Rows) -> None:
    """It goes from one photo to another, not for so many."""
    library.photos.upsert(photo_rows(*[{"photo_id": f"p{n}", "taken_at": JUNE + timedelta(n)} for n in range(5)]))
    (one,) = stretches(library.photos, EVERY)

    library.photos.upsert(photo_rows({"photo_id": "new", "taken_at": JUNE + timedelta(1.5)}))

    assert photos_of(library, one) == ["p4", "p3", "p2", "new", "p1", "p0"]


def test_the_first_and_the_last_moments_of_the_calendar_have_months_too(library: Library, photo_rows: Rows) -> None:
    """Whatever clock they were taken by."""
    ends = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)]
    rows = [
        {"photo_id": f"{moment.year}", "taken_at": moment, "taken_offset_min": 840 if moment.year > 1 else -840}
        for moment in ends
    ]
    library.photos.upsert(photo_rows(*rows))

    assert [one.month for one in stretches(library.photos, EVERY)] == ["10000-01", "0000-12"]


def test_an_empty_library_has_none(library: Library) -> None:
    """Nothing is there to be cut."""
    assert stretches(library.photos, EVERY) == []
    assert len(within(library.photos, EVERY, "", "", 10, ["photo_id"])) == 0


def test_cursors_of_nobodys_are_refused(library: Library) -> None:
    """As the timeline's pages do."""
    for after, last in (("nonsense", ""), ("", "nonsense")):
        with pytest.raises(Invalid, match="cursor"):
            within(library.photos, EVERY, after, last, 10, ["photo_id"])
