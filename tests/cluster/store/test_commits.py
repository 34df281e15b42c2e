"""Commits counted and timed, by what the writer really did."""

import pytest

from cluster.settings import StoreSettings
from cluster.store.commits import SECONDS, CommitCounts
from cluster.store.database import Library
from cluster.store.faces import SCHEMA
from cluster.store.schema import rows_of
from cluster.store.writer import Upsert, Writer


def faces(number: int) -> Upsert:
    """A write of one face."""
    return Upsert("faces", rows_of([{"face_id": f"p-{number:02d}", "photo_id": "p"}], SCHEMA))


def test_each_commit_is_counted_with_its_time(library: Library) -> None:
    """Each is in one bucket, and their times are in the sum."""
    writer = Writer(library, StoreSettings())

    for number in range(3):
        writer.commit([faces(number)])

    counts = writer.counts
    assert (counts.commits, counts.failures, sum(counts.by_seconds)) == (3, 0, 3)
    assert 0 < counts.seconds < 60
    assert len(counts.by_seconds) == len(SECONDS) + 1


def test_a_commit_that_fails_is_counted_as_one_that_failed(library: Library) -> None:
    """And raises what it raised."""
    writer = Writer(library, StoreSettings())
    wrong = rows_of([{"face_id": "p-00", "photo_id": "p"}], SCHEMA).rename_columns(["odd", *SCHEMA.names[1:]])

    with pytest.raises(KeyError, match="face_id"):
        writer.commit([Upsert("faces", wrong)])

    assert (writer.counts.commits, writer.counts.failures) == (1, 1)


def test_a_write_to_no_table_of_a_library_is_no_commit(library: Library) -> None:
    """It is refused before anything begins."""
    writer = Writer(library, StoreSettings())

    with pytest.raises(ValueError, match="nothing"):
        writer.commit([Upsert("nothing", faces(0).rows)])

    assert writer.counts == CommitCounts()


def test_compactions_are_counted(library: Library) -> None:
    """As often as the settings let a table be compacted."""
    writer = Writer(library, StoreSettings(optimize_every=2, keep_versions_s=0))

    for number in range(4):
        writer.commit([faces(number)])

    assert writer.counts.compactions == 2
    assert 0 < writer.counts.compaction_seconds < writer.counts.seconds


def test_a_writer_counts_on_from_what_a_former_one_counted(library: Library) -> None:
    """So that what is told of a library's commits never falls."""
    former = Writer(library, StoreSettings())
    former.commit([faces(0)])

    writer = Writer(library, StoreSettings(), former.counts)
    writer.commit([faces(1)])

    assert writer.counts.commits == 2


def test_counts_add_up_field_by_field() -> None:
    """Each with its like."""
    edges = len(SECONDS) + 1
    one = CommitCounts(1, 2, 3.5, [1] * edges, 4, 5.5)
    other = CommitCounts(10, 20, 30.0, [2] * edges, 40, 50.0)

    assert one.plus(other) == CommitCounts(11, 22, 33.5, [3] * edges, 44, 55.5)
