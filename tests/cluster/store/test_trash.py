"""The trash: its list in order, by job, by content and by age."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cluster.settings import Settings
from cluster.store.database import open_library
from cluster.store.schema import rows_of
from cluster.store.trash import SCHEMA, Action, Trash

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def trash(tmp_path: Path) -> Trash:
    """Seven photos, two deleted at each moment, by two jobs in turn."""
    library = open_library(Settings(root=tmp_path), "somebody")
    made = [
        {
            "photo_id": f"p{number}", "record_id": f"r{number}", "action_id": f"job-{number % 2}", "bytes": number,
            "content_id": f"c{number // 2}", "deleted_at": NOON - timedelta(days=number // 2), "deleted_by": "ann",
            "rows": b"much",
        }
        for number in range(7)
    ]  # fmt: skip
    library.trash.upsert(rows_of(made, SCHEMA))
    return library.trash


def test_pages_are_complete_without_repetition_and_last_deleted_first(trash: Trash):
    """Also where several were deleted at one moment; the rows themselves are not read."""
    pages, after = [], None
    while page := trash.newest(3, after):
        pages.append([row["photo_id"] for row in page])
        after = (page[-1]["deleted_at"], page[-1]["photo_id"])
        assert all("rows" not in row for row in page)

    assert pages == [["p1", "p0", "p3"], ["p2", "p5", "p4"], ["p6"]]


def test_jobs_are_told_with_their_sums_the_last_one_first(trash: Trash):
    """How many photos of each are still there."""
    assert trash.actions() == [
        Action("job-1", 3, 9, NOON, "ann"),
        Action("job-0", 4, 12, NOON, "ann"),
    ]
    assert sorted(trash.of_action("job-1", ["photo_id"])["photo_id"].to_pylist()) == ["p1", "p3", "p5"]


def test_photos_are_found_by_content_and_by_age(trash: Trash):
    """Nothing for no content; the moment itself is not before it."""
    assert sorted(trash.of_contents(["c1", "c9"])) == ["p2", "p3"]
    assert trash.of_contents([]) == []
    assert trash.older(NOON - timedelta(days=2), ["photo_id"])["photo_id"].to_pylist() == ["p6"]


def test_an_empty_trash_has_no_jobs(tmp_path: Path):
    """And no page."""
    empty = open_library(Settings(root=tmp_path), "somebody").trash

    assert (empty.actions(), empty.newest(5)) == ([], [])
