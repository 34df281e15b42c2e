"""What a power loss can leave: empty, cut and lost newest files. The version before serves, and can be written to."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from lancedb.expr import col, lit

from cluster.errors import StoreError
from cluster.store.recovery import UNFLUSHED, manifests, named, set_torn_aside, torn
from cluster.store.schema import changes_of, rows_of
from cluster.store.table import Table
from tests.cluster.store.conftest import THINGS

Rows = Callable[..., pa.Table]
Open = Callable[[], Table]

HINTS = ("kept", "missing", "empty", "garbage", "stale", "ahead")
CUTS: dict[str, Callable[[bytes], bytes | None]] = {  # what is left of a file's bytes; None: no file
    "empty": lambda whole: b"",
    "half": lambda whole: whole[: len(whole) // 2],
    "without its end": lambda whole: whole[:-5],
    "zeros": lambda whole: bytes(len(whole)),
    "zeros at the end": lambda whole: whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2),
    "lost": lambda whole: None,
}


@pytest.fixture
def lance(folder: Path) -> Path:
    """The folder of the table `things`."""
    return folder / "things.lance"


@pytest.fixture
def written(table: Table, things: Rows, lance: Path) -> Path:
    """The table with the rows 0 to 5, one commit for each, and the version hint of the second beside it."""
    for number in range(6):
        table.upsert(things(str(number)))
        if number == 1:
            hint = lance / "_versions" / "latest_version_hint.json"
            (lance.parent / "old_hint").write_bytes(hint.read_bytes())
    return lance


def spoil_hint(lance: Path, state: str) -> None:
    """Leave the version hint in one of HINTS."""
    hint = lance / "_versions" / "latest_version_hint.json"
    contents = {"empty": b"", "garbage": b"\0\0\0", "ahead": json.dumps({"version": 99999}).encode()}
    if state == "missing":
        hint.unlink()
    elif state == "stale":
        hint.write_bytes((lance.parent / "old_hint").read_bytes())
    elif state in contents:
        hint.write_bytes(contents[state])


def cut(file: Path, how: str) -> None:
    """Leave of a file what one of CUTS says."""
    left = CUTS[how](file.read_bytes())
    file.unlink() if left is None else file.write_bytes(left)


def newest(folder: Path) -> Path:
    """The file of a folder that was written last."""
    return max(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)


def keys(table: Table) -> list[str]:
    """The ids of all rows."""
    return sorted(table.rows(columns=["id"])["id"].to_pylist())


@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize("lost", [1, 3])
def test_torn_newest_manifests_are_set_aside_at_open(
    written: Path, open_things: Open, things: Rows, lost: int, hint: str
) -> None:
    """Rows of the versions before are there, writing goes on, and another process sees all of it."""
    for manifest in manifests(written)[:lost]:
        manifest.write_bytes(b"")
    spoil_hint(written, hint)
    kept = [str(number) for number in range(6 - lost)]
    mended = open_things()
    assert keys(mended) == kept
    assert len(list((written / "_versions").glob("*.torn"))) == lost
    assert mended.upsert(things("new")) == 1
    assert keys(open_things()) == sorted([*kept, "new"])
    assert keys(mended) == sorted([*kept, "new"])


@pytest.mark.parametrize("left", [b"", b"\0" * 4096, b"half of a manifest"])
def test_a_manifest_is_torn_however_it_was_cut(written: Path, open_things: Open, left: bytes) -> None:
    """Empty, full of zeros, or ending early."""
    manifests(written)[0].write_bytes(left)
    assert torn(written) == manifests(written)[:1]
    assert keys(open_things()) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("how", CUTS)
def test_a_cut_data_file_takes_its_version_with_it(written: Path, open_things: Open, how: str) -> None:
    """A manifest can reach the disk before the rows it names; such a version would fail at every read."""
    cut(newest(written / "data"), how)
    assert keys(open_things()) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("how", CUTS)
def test_a_cut_deletion_takes_its_version_with_it(
    written: Path, table: Table, things: Rows, open_things: Open, how: str
) -> None:
    """Deleted rows come back, rather than the table failing at every read, and can be deleted again."""
    table.upsert(things("x", "y", "z"))
    table.delete(col("id") == lit("y"))
    [deletion] = (written / "_deletions").iterdir()
    assert deletion.suffix == ".arrow"
    cut(deletion, how)
    mended = open_things()
    assert keys(mended) == ["0", "1", "2", "3", "4", "5", "x", "y", "z"]
    assert mended.delete(col("id") == lit("y")) == 1
    assert "y" not in keys(open_things())


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize(("kept", "count"), [(1, 75_536), (62_000, 75_536), (62_000, 68_000)])
def test_a_cut_bitmap_of_many_deletions_takes_its_version_with_it(
    table: Table, lance: Path, open_things: Open, kept: int, count: int, how: str
) -> None:
    """From some thousands in a fragment on they are a Roaring bitmap, which ends in no mark.

    Its parts, of 65,536 rows each, are bits in both, numbers and bits, and numbers in both.
    """
    table.upsert(rows_of([{"id": str(number), "count": number} for number in range(count)], THINGS))
    table.delete(col("count") >= lit(kept))
    [deletion] = (lance / "_deletions").iterdir()
    assert deletion.suffix == ".bin"
    assert torn(lance) == []
    cut(deletion, how)
    assert open_things().count(col("count") >= lit(kept)) == count - kept


def test_two_lost_files_of_two_versions_take_both_with_them(written: Path, open_things: Open) -> None:
    """Commits that were not flushed yet can lose more than their last file."""
    for _ in range(2):
        newest(written / "data").unlink()
    assert keys(open_things()) == ["0", "1", "2", "3"]


def test_a_file_lost_long_ago_rolls_nothing_back(written: Path, table: Table, things: Rows, open_things: Open) -> None:
    """What an older version lacks as well is no trace of a power loss; what only the newest lacks is."""
    min((written / "data").iterdir(), key=lambda file: file.stat().st_mtime_ns).unlink()
    for age, manifest in enumerate(manifests(written)):
        os.utime(manifest, (1e9 - 1000 * age, 1e9 - 1000 * age))
    assert torn(written) == []
    table.upsert(things("new"))
    assert torn(written) == []
    newest(written / "data").unlink()
    assert torn(written) == manifests(written)[:1]


def test_a_file_that_many_versions_lack_rolls_none_of_them_back(written: Path, table: Table, things: Rows) -> None:
    """However quickly they were written: each commit was flushed before the next but few, so the file was deleted."""
    lost = newest(written / "data")
    for number in range(UNFLUSHED):
        table.upsert(things(f"more {number}"))
    lost.unlink()
    assert torn(written) == []


def test_the_files_a_manifest_names_are_those_that_lie_there(written: Path, table: Table, things: Rows) -> None:
    """As Lance writes manifests today: after a change of its format this says so, and nothing is set aside wrongly."""
    table.upsert(things(*"abcdef"))
    table.delete(col("id") == lit("b"))
    data = {f"data/{file.name}" for file in (written / "data").iterdir()}
    [deletion] = (written / "_deletions").iterdir()
    assert named(manifests(written)[0]) == data | {f"_deletions/{deletion.name}"}
    assert named(written / "_versions" / "none.manifest") == set()


def test_a_cut_index_takes_its_version_with_it(written: Path, table: Table, open_things: Open) -> None:
    """Without it, every filter on the column would fail."""
    table.build_index("count")
    for part in (written / "_indices").glob("*/*"):
        part.write_bytes(b"")
    mended = open_things()
    assert mended.count(col("count") == lit(0)) == 6
    assert mended.build_index("count")


def test_old_damage_rolls_nothing_back(written: Path, open_things: Open) -> None:
    """A data file that was on disk long before the newest commit is no trace of a power loss: no rows are given up."""
    oldest = min((written / "data").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    oldest.write_bytes(b"")
    os.utime(oldest, (0, 0))
    assert torn(written) == []
    assert open_things().version == len(manifests(written))


def test_a_table_torn_at_its_creation_is_made_anew(table: Table, open_things: Open, lance: Path, things: Rows) -> None:
    """Its first version had no rows, so none are lost."""
    assert table.count() == 0
    for manifest in manifests(lance):
        manifest.write_bytes(b"")
    assert open_things().upsert(things("a")) == 1
    assert keys(open_things()) == ["a"]


def test_a_table_without_a_readable_version_is_not_emptied(written: Path, table: Table, open_things: Open) -> None:
    """It says that a backup is needed, and touches nothing."""
    table.optimize(timedelta(0))
    for manifest in manifests(written):
        manifest.write_bytes(b"")
    count = len(manifests(written))
    with pytest.raises(StoreError, match="restore the store from a backup"):
        open_things().count()
    assert len(manifests(written)) == count


def test_a_whole_table_is_left_alone(written: Path, table: Table) -> None:
    """Opening renames nothing that is well."""
    table.update(changes_of([{"id": "1", "count": 3}], table.schema))
    table.delete(col("id") == lit("2"))
    table.build_index("group")
    assert torn(written) == []
    assert set_torn_aside(written) == 0
