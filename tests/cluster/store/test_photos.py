"""Photos: the ledger's questions, tags, and full-text search."""

from collections.abc import Callable
from datetime import timedelta

import pyarrow as pa
import pytest
from lancedb.expr import col, lit

from cluster.store.database import Library
from cluster.store.photos import SCHEMA, STAGES, tagged
from cluster.store.schema import changes_of, rows_of
from tests.cluster.store.conftest import START

Rows = Callable[..., pa.Table]

NOW = {"clip": "clip@1", "tags": "tags@1"}


def ids(rows: pa.Table) -> list[str]:
    """The photo ids of rows, in their order."""
    return list(rows["photo_id"].to_pylist())


@pytest.fixture
def library(library: Library, photo_rows: Rows) -> Library:
    """Photos a to e, e the newest: nothing done, CLIP done, all done, all at an older revision, failed at CLIP."""
    done = {"clip_rev": "clip@1", "tags_rev": "tags@1"}
    states = [
        {},
        {"clip_rev": "clip@1"},
        done,
        {"clip_rev": "clip@0", "tags_rev": "tags@0"},
        {**done, "clip_error": "The model's answer was empty."},
    ]
    dated = [{"taken_at": START + timedelta(days=day), **state} for day, state in enumerate(states)]
    library.photos.upsert(photo_rows(*[{"photo_id": id_, **row} for id_, row in zip("abcde", dated, strict=True)]))
    return library


def test_pending_photos_come_newest_first(library: Library) -> None:
    """Those that some stage has not seen at its revision; one that failed at it has been seen."""
    assert ids(library.photos.pending(NOW)) == ["d", "b", "a"]
    assert ids(library.photos.pending(NOW, limit=2)) == ["d", "b"]
    assert ids(library.photos.pending({"clip": "clip@1"}, columns=["photo_id"])) == ["d", "a"]
    assert ids(library.photos.pending({})) == []


def test_a_new_revision_makes_every_photo_pending(library: Library) -> None:
    """The failed one too."""
    assert ids(library.photos.pending({"clip": "clip@2"})) == ["e", "d", "c", "b", "a"]


def test_undated_photos_are_pending_last(library: Library, photo_rows: Rows) -> None:
    """But they are not forgotten."""
    library.photos.upsert(photo_rows({"photo_id": "z", "taken_at": None}))
    assert ids(library.photos.pending(NOW)) == ["d", "b", "a", "z"]


def test_missing_photos_and_those_without_preview_are_not_pending(library: Library, photo_rows: Rows) -> None:
    """There is nothing to look at; for the media stage itself a photo without preview is work."""
    library.photos.upsert(
        photo_rows(
            {"photo_id": "gone", "missing": True},
            {"photo_id": "unread", "media_rev": ""},
            {"photo_id": "cut", "media_error": "The file is cut."},
        )
    )
    assert ids(library.photos.pending(NOW)) == ["d", "b", "a"]
    assert ids(library.photos.pending({"media": "media-1"})) == ["unread"]


def test_counts_agree_with_what_is_pending(library: Library) -> None:
    """Stage by stage."""
    assert library.photos.pending_counts({**NOW, "ocr": "ocr@1"}) == {"clip": 2, "tags": 3, "ocr": 5}


def test_work_that_is_written_down_is_not_pending(library: Library) -> None:
    """Resuming is asking again."""
    done = {"clip_rev": "clip@1", "tags_rev": "tags@1"}
    while len(batch := library.photos.pending(NOW, limit=2)):
        library.photos.update(changes_of([{"photo_id": id_, **done} for id_ in ids(batch)], SCHEMA))
    assert library.photos.pending_counts(NOW) == {"clip": 0, "tags": 0}


def test_failed_photos_can_be_tried_again(library: Library) -> None:
    """Only those, at that stage."""
    assert library.photos.retry("clip") == 1
    assert ids(library.photos.pending(NOW)) == ["e", "d", "b", "a"]
    row = library.photos.get("e")
    assert row
    assert (row["clip_error"], row["tags_rev"]) == ("", "tags@1")


def test_stages_can_be_done_again_for_all_or_some(library: Library) -> None:
    """The other stages keep what they have."""
    assert library.photos.redo(["tags"], ["c", "nobody"]) == 1
    assert library.photos.pending_counts(NOW) == {"clip": 2, "tags": 4}
    assert library.photos.redo(["clip"]) == 5
    assert library.photos.pending_counts(NOW) == {"clip": 5, "tags": 4}


def test_every_stage_has_a_revision_and_an_error() -> None:
    """The ledger is complete."""
    assert {f"{stage}_{what}" for stage in STAGES for what in ("rev", "error")} <= set(SCHEMA.names)


def test_tags_and_keywords_are_found_whole_and_in_any_case(library: Library) -> None:
    """A part of a tag is no tag; quotes, spaces and line ends in one are no harm."""
    given = {"a": ["Cat", "black  bird"], "b": ["catfish", "it's \\'"], "c": ["ÉTÉ\nà Nice"], "d": []}
    library.photos.update(changes_of([{"photo_id": id_, "tags": tags} for id_, tags in given.items()], SCHEMA))
    library.photos.update(changes_of([{"photo_id": "d", "keywords": ["CAT", "b\nc"]}], SCHEMA))
    for tag, expected in {
        "cat": ["a", "d"],
        "CATFISH": ["b"],
        "Black bird": ["a"],
        "bird": [],
        "IT'S \\'": ["b"],
        "été à nice": ["c"],
        "b": [],
        "": [],
    }.items():
        assert sorted(ids(library.photos.rows(tagged(tag)))) == expected, tag


def test_tags_are_found_after_every_kind_of_write(library: Library, photo_rows: Rows) -> None:
    """What the filter looks into follows from the tags, also where rows say otherwise or nothing of it."""
    library.photos.upsert(photo_rows({"photo_id": "new", "tags": ["dog"], "tag_keys": "\ncat\n"}))
    library.photos.insert_new(photo_rows({"photo_id": "newer", "tags": ["dog"]}))
    library.photos.replace(photo_rows({"photo_id": "newest", "tags": ["dog"]}), "photo_id", ["a"])
    assert sorted(ids(library.photos.rows(tagged("dog")))) == ["new", "newer", "newest"]
    library.photos.update(changes_of([{"photo_id": "new", "tags": ["cat"]}], SCHEMA))
    library.photos.update(changes_of([{"photo_id": "newer", "caption": "A dog."}], SCHEMA))
    assert sorted(ids(library.photos.rows(tagged("dog")))) == ["newer", "newest"]


TEXTS = {
    "a": "a cat on a mat Zürich Switzerland IMG 0001 jpg",
    "b": "two cats playing, it's a cat cafe",
    "c": "a rocket launch 東京",
    "d": "",
    "e": "cup of coffee; menu 'OR 1=1",
}


@pytest.fixture
def searchable(library: Library) -> Library:
    """Photos with something to search in."""
    rows = [{"photo_id": id_, "search_text": text} for id_, text in TEXTS.items()]
    library.photos.update(changes_of(rows, SCHEMA))
    return library


def test_text_search_finds_what_fits_best_first(searchable: Library) -> None:
    """Words in other forms and without accents; more of them score higher."""
    hits = searchable.text_search("cat", 10)
    assert [photo_id for photo_id, _ in hits] == ["b", "a"]
    assert hits[0][1] > hits[1][1] > 0
    assert [photo_id for photo_id, _ in searchable.text_search("zurich", 10)] == ["a"]
    assert [photo_id for photo_id, _ in searchable.text_search("東京", 10)] == ["c"]
    assert [photo_id for photo_id, _ in searchable.text_search("Cats", 1)] == ["b"]


@pytest.mark.parametrize("text", ["", " ", "'", '" OR "', "+-&|!(){}[]^~*?:\\/", "\0", "the", "x" * 10_000, "cat:*"])
def test_text_search_takes_any_text(searchable: Library, text: str) -> None:
    """It is words, never a query language; nothing in it fails."""
    assert all(photo_id in TEXTS for photo_id, _ in searchable.text_search(text, 10))


def test_text_search_heeds_a_filter_and_a_limit(searchable: Library) -> None:
    """The filter is applied first, so that a hit behind others is found."""
    assert [id_ for id_, _ in searchable.text_search("cat", 1, col("photo_id") == lit("a"))] == ["a"]
    assert searchable.text_search("cat", 10, col("missing")) == []
    assert searchable.text_search("cat", 0) == []


def test_text_search_sees_rows_before_and_after_upkeep(searchable: Library, photo_rows: Rows) -> None:
    """Rows that the index does not have yet are scanned; changed and deleted ones are not found by what they were."""
    searchable.photos.optimize(timedelta(0))
    searchable.photos.upsert(photo_rows({"photo_id": "new", "search_text": "a cat at last"}))
    searchable.photos.update(changes_of([{"photo_id": "a", "search_text": "a dog"}], SCHEMA))
    for _ in range(2):
        assert {id_ for id_, _ in searchable.text_search("cat", 10)} == {"b", "new"}
        searchable.photos.optimize(timedelta(0))
    searchable.photos.delete(col("photo_id") == lit("b"))
    assert {id_ for id_, _ in searchable.text_search("cat", 10)} == {"new"}


def test_regions_and_lists_survive(library: Library) -> None:
    """A row comes back as it was written."""
    region = {"name": "it's Ann", "left": 0.25, "top": 0.5, "right": 0.75, "bottom": 1.0}
    row = {"photo_id": "r", "regions": [region], "flags": ["truncated"], "tag_scores": [0.5], "tags": ["x"]}
    library.photos.upsert(rows_of([{**row, "added_at": START, "changed_at": START}], SCHEMA))
    found = library.photos.get("r")
    assert found
    assert {name: found[name] for name in row} == row
