"""Work to do is a query: what the ledger lacks, newest photos first."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batch.work import pending, work_table
from cluster.settings import Settings, StoreSettings
from cluster.store.database import Library, open_library
from cluster.store.photos import SCHEMA
from cluster.store.schema import rows_of

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
AT = {"clip": "clip@1", "tags": "tags@1"}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Six photos: new, half done, done, failed, missing, without a preview; the first is the oldest."""
    library = open_library(Settings(root=tmp_path, store=StoreSettings(fresh_s=0)), "somebody")
    done = {"clip_rev": "clip@1", "tags_rev": "tags@1"}
    ledgers = {
        "new": {},
        "half": {"clip_rev": "clip@1"},
        "done": done,
        "failed": {**done, "tags_error": "the model failed on this photo"},
        "missing": {"missing": True},
        "blind": {"media_rev": ""},
    }
    photos = [
        {"photo_id": name, "media_rev": "media-1", "taken_at": NOON + timedelta(days=day), "added_at": NOON,
         "changed_at": NOON, "tags": ["x"], **ledger}
        for day, (name, ledger) in enumerate(ledgers.items())
    ]  # fmt: skip
    library.photos.upsert(rows_of(photos, SCHEMA))
    return library


def test_what_lacks_a_stage_is_pending_newest_first(library: Library):
    """Done, failed, missing and previewless photos are not; each stage has its own count."""
    todo = pending(library.photos, AT)

    assert todo.photo_ids == ["half", "new"]
    assert todo.counts == {"clip": 1, "tags": 2}


def test_a_new_revision_makes_everything_work_again(library: Library):
    """Also what failed with the old one."""
    assert pending(library.photos, {"tags": "tags@2"}).photo_ids == ["failed", "done", "half", "new"]


def test_only_named_photos_when_asked(library: Library):
    """A rescan of some files computes only theirs."""
    assert pending(library.photos, AT, only=["new", "done"]).photo_ids == ["new"]


def test_a_row_of_work_says_what_to_compute_and_what_went_wrong_before(library: Library):
    """Stages without a model are never to do."""
    (half,) = work_table(library.photos, ["half"], AT).to_pylist()

    assert (half["clip_todo"], half["tags_todo"], half["ocr_todo"]) == (False, True, False)
    assert half["tags_was"] == ""
    assert half["tags"] == ["x"]
