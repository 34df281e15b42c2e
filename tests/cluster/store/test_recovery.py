"""What a power loss can leave: empty and cut newest files. The version before them serves, and can be written to."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from lancedb.expr import col, lit

from cluster.errors import StoreError
from cluster.store.recovery import manifests, set_torn_aside, torn
from cluster.store.schema import changes_of
from cluster.store.table import Table

Rows = Callable[..., pa.Table]
Open = Callable[[], Table]

HINTS = ("kept", "missing", "empty", "garbage", "stale", "ahead")


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


def test_a_cut_data_file_takes_its_version_with_it(written: Path, open_things: Open) -> None:
    """A manifest can reach the disk before the rows it names; such a version would fail at every read."""
    newest = max((written / "data").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    newest.write_bytes(b"")
    assert keys(open_things()) == ["0", "1", "2", "3", "4"]


def test_a_cut_deletion_takes_its_version_with_it(written: Path, table: Table, things: Rows, open_things: Open) -> None:
    """Deleted rows come back, rather than the table failing at every read."""
    table.upsert(things("x", "y", "z"))
    table.delete(col("id") == lit("y"))
    [deletion] = (written / "_deletions").iterdir()
    assert "y" not in keys(table)
    deletion.write_bytes(b"")
    assert keys(open_things()) == ["0", "1", "2", "3", "4", "5", "x", "y", "z"]


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
