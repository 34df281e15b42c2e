"""Tables that an older Brightroom made get the columns they lack."""

import threading
from pathlib import Path

import pyarrow as pa
import pytest
from lancedb.expr import col, lit

from cluster.errors import StoreError
from cluster.settings import Settings
from cluster.store.connection import Connection
from cluster.store.database import open_library, open_system
from cluster.store.jobs import SCHEMA as JOBS
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.photos import Photos
from cluster.store.schema import TIME, changes_of, column, key, maybe, rows_of, texts
from cluster.store.table import Table
from tests.cluster.store.conftest import START

OWNER = "a" * 32
NEW = ("derived_bytes", "placeholder")
OLD = pa.schema([field for field in PHOTOS if field.name not in NEW])
FIRST = pa.schema([key("id"), *texts("text")])
USUAL = {"kind": "image", "media_rev": "media-1", "added_at": START, "changed_at": START}


def old_photos(settings: Settings) -> None:
    """A library's photos as an older Brightroom left them, indexed, one with a word to find."""
    database = Connection(f"{settings.store_uri}/libraries/{OWNER}", 0)
    table = Table(database, "photos", OLD, "photo_id", text_column="search_text")
    table.upsert(rows_of([{**USUAL, "photo_id": "a", "search_text": "a lighthouse"}, {**USUAL, "photo_id": "b"}], OLD))
    table.build_index("photo_id")


def test_a_library_of_an_older_brightroom_opens_with_all_its_photos(settings: Settings) -> None:
    """What it says of them stays, what it could not say is null or blank, and text search still finds them."""
    old_photos(settings)

    library = open_library(settings, OWNER)

    rows = library.photos.rows(order_by="photo_id").to_pylist()
    assert [(row["photo_id"], row["derived_bytes"], row["placeholder"]) for row in rows] == [
        ("a", None, ""),
        ("b", None, ""),
    ]
    assert rows[0]["search_text"] == "a lighthouse"
    assert library.photos.lance.schema.field("derived_bytes") == PHOTOS.field("derived_bytes")
    assert [photo for photo, _ in library.text_search("lighthouse", 5)] == ["a"]


def test_it_is_written_to_as_a_new_one_is(settings: Settings) -> None:
    """Whole rows and single columns, of old photos and of new ones; and its versions are tidied up."""
    old_photos(settings)
    photos = open_library(settings, OWNER).photos

    photos.upsert(rows_of([{**USUAL, "photo_id": "a", "derived_bytes": 7}, {**USUAL, "photo_id": "c"}], PHOTOS))
    photos.update(changes_of([{"photo_id": "b", "derived_bytes": 9}], PHOTOS))
    photos.optimize(START - START)

    rows = open_library(settings, OWNER).photos.rows(order_by="photo_id").to_pylist()
    assert [(row["photo_id"], row["derived_bytes"]) for row in rows] == [("a", 7), ("b", 9), ("c", None)]
    assert photos.count(col("photo_id") == lit("b")) == 1


def test_of_many_that_open_it_at_once_one_adds_the_columns(settings: Settings) -> None:
    """The others find them added."""
    old_photos(settings)
    uri, counts, start = f"{settings.store_uri}/libraries/{OWNER}", [], threading.Barrier(6)

    def count() -> None:
        photos = Photos(Connection(uri, 0))
        start.wait()
        counts.append(len(photos.rows(columns=["photo_id", "derived_bytes"])))

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert counts == [2] * 6


def test_a_column_that_allows_no_null_is_blank_in_old_rows(tmp_path: Path) -> None:
    """As it is in a new row that says nothing of it; and it comes in a table without rows too."""
    kinds = [pa.string(), pa.bool_(), pa.binary(), pa.int8(), pa.int32(), pa.int64(), pa.float32(), pa.float64()]
    named = {f"c{place}": kind for place, kind in enumerate(kinds)}
    schema = pa.schema([key("id"), *[column(name, kind) for name, kind in named.items()], *texts("text")])
    for name, ids in {"full": ["a"], "empty": []}.items():
        Table(Connection(str(tmp_path)), name, FIRST, "id").upsert(
            rows_of([{"id": id_, "text": "t"} for id_ in ids], FIRST)
        )

        table = Table(Connection(str(tmp_path)), name, schema, "id")

        assert table.rows().to_pylist() == rows_of([{"id": id_, "text": "t"} for id_ in ids], schema).to_pylist()
        assert all(table.lance.schema.field(field.name) == field for field in schema)


def test_columns_that_allow_null_may_be_of_any_kind(tmp_path: Path) -> None:
    """Times and lists too."""
    Table(Connection(str(tmp_path)), "t", FIRST, "id").upsert(rows_of([{"id": "a"}], FIRST))
    schema = pa.schema([*FIRST, maybe("at", TIME), maybe("words", pa.list_(pa.string()))])

    assert Table(Connection(str(tmp_path)), "t", schema, "id").rows().to_pylist() == [
        {"id": "a", "text": "", "at": None, "words": None}
    ]


def test_a_new_column_for_which_nothing_can_stand_is_refused(tmp_path: Path) -> None:
    """Rather than dated 1970."""
    Table(Connection(str(tmp_path)), "t", FIRST, "id").upsert(rows_of([{"id": "a"}], FIRST))
    table = Table(Connection(str(tmp_path)), "t", pa.schema([*FIRST, column("at", TIME)]), "id")

    with pytest.raises(StoreError, match=r"a new column at of timestamp.* must allow null"):
        table.rows()


def test_jobs_of_an_older_brightroom_are_jobs(settings: Settings) -> None:
    """Nobody knows who asked for them, and they have waited since they were asked for."""
    old = JOBS.remove(JOBS.get_field_index("queued_at")).remove(JOBS.get_field_index("by"))
    row = {
        "job_id": "a", "owner": "ann", "action": "scan", "arguments": "{}", "state": "queued", "wanted": "run",
        "stages": "[]", "counts": "{}", "created_at": START,
    }  # fmt: skip
    Table(Connection(f"{settings.store_uri}/system.lance-db", 0), "jobs", old, "job_id").upsert(rows_of([row], old))

    jobs = open_system(settings).jobs

    (job,) = jobs.list()
    assert (job.by, job.waits_since, job.in_background) == ("", START, False)
    assert jobs.start(job.job_id).state == "running"
    assert jobs.create("ben", "scan", {}, "watch").in_background
