"""One table: rows by key, writes, conditional changes, upkeep."""

import pickle
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lancedb.expr import col, lit

from cluster.store.connection import Connection, Tidying
from cluster.store.database import Library
from cluster.store.faces import SCHEMA as FACES
from cluster.store.schema import changes_of, rows_of
from cluster.store.table import Table

Rows = Callable[..., pa.Table]


def ids(rows: pa.Table) -> list[str]:
    """The ids of rows, in their order."""
    return list(rows["id"].to_pylist())


def test_an_upsert_adds_new_rows_and_replaces_known_ones(table: Table, things: Rows) -> None:
    """It returns how many are new; of two rows with one key the later counts."""
    assert table.upsert(things("a", "b", text="old")) == 2
    again = pa.concat_tables([things("b", text="lost"), things("b", "c", text="new")])
    assert table.upsert(again) == 1
    assert {row["id"]: row["text"] for row in table.rows().to_pylist()} == {"a": "old", "b": "new", "c": "new"}


def test_an_update_changes_named_columns_of_known_rows_only(table: Table, things: Rows) -> None:
    """Keys that are not there stay away, and other columns keep their values."""
    table.upsert(things("a", text="kept", count=1))
    assert table.update(changes_of([{"id": "a", "count": 5}, {"id": "b", "count": 6}], table.schema)) == 1
    row = table.get("a")
    assert (table.count(), row and row["count"], row and row["text"]) == (1, 5, "kept")


def test_insert_new_leaves_known_rows_alone(table: Table, things: Rows) -> None:
    """It returns how many rows it wrote."""
    table.upsert(things("a", text="first"))
    assert table.insert_new(things("a", "b", text="second")) == 1
    assert {row["id"]: row["text"] for row in table.rows().to_pylist()} == {"a": "first", "b": "second"}


def test_replace_deletes_only_what_it_should(table: Table, things: Rows) -> None:
    """Rows of the named groups that are not given again go; those of other groups stay, whatever their key."""
    table.upsert(things("a1", "a2", "a3", group="a"))
    table.upsert(things("b1", "b2", group="b"))
    table.upsert(things("c1", group="it's"))
    table.replace(pa.concat_tables([things("a2", "a9", group="a"), things("c2", group="it's")]), "group", ["a", "it's"])
    assert sorted(ids(table.rows())) == ["a2", "a9", "b1", "b2", "c2"]


def test_replace_by_nothing_deletes_the_groups(table: Table, things: Rows) -> None:
    """No rows and some values is a deletion; no values is an upsert; neither is nothing."""
    table.upsert(things("a1", "a2", group="a"))
    table.replace(things(), "group", ["a"])
    assert table.count() == 0
    table.replace(things("b1", group="b"), "group", [])
    before = table.version
    table.replace(things(), "group", [])
    assert (ids(table.rows()), table.version) == (["b1"], before)


def test_empty_writes_make_no_version(table: Table, things: Rows) -> None:
    """Nothing to write costs nothing."""
    before = table.version
    assert (table.upsert(things()), table.insert_new(things()), table.update(things())) == (0, 0, 0)
    assert table.version == before


def test_delete_says_how_many_rows_went(table: Table, things: Rows) -> None:
    """Only those that the filter lets through."""
    table.upsert(things("a", "b", "c"))
    assert table.delete(col("id").isin(["a", "c", "z"])) == 2
    assert ids(table.rows()) == ["b"]


def test_rows_come_ordered_limited_and_with_the_columns_asked_for(table: Table, things: Rows) -> None:
    """Rows of one value of the ordering column are ordered by key, in the same direction."""
    table.upsert(pa.concat_tables([things("c", "a", count=1), things("b", count=2), things("d", count=0)]))
    assert ids(table.rows(order_by="count")) == ["d", "a", "c", "b"]
    newest = table.rows(columns=["text", "id"], limit=3, order_by="count", descending=True)
    assert (newest.column_names, ids(newest)) == (["text", "id"], ["b", "c", "a"])
    assert table.rows(col("count") > lit(0), ["text"], order_by="count").column_names == ["text"]
    assert len(table.rows(limit=0)) == 0


def test_rows_by_keys_come_in_the_order_of_the_keys(table: Table, things: Rows) -> None:
    """Unknown keys are left out and repeated ones come once, also when there are more than one filter takes."""
    table.upsert(things(*[f"{number:05d}" for number in range(5000)]))
    wanted = [f"{number:05d}" for number in random.Random(7).sample(range(5000), 4500)]
    assert ids(table.by_keys(["nobody", *wanted, *wanted[:9]])) == wanted
    assert ids(table.by_keys(["nobody"])) == ids(table.by_keys([])) == []
    assert table.by_keys(["00001"], ["count"]).column_names == ["count"]


def test_batches_hold_every_row_once(table: Table, things: Rows) -> None:
    """Streaming gives what reading at once gives."""
    table.upsert(things(*[f"{number:05d}" for number in range(20_000)], count=1))
    batches = list(table.batches(col("id") >= lit("00100"), ["id"]))
    assert len(batches) > 1
    assert sorted(ids(pa.Table.from_batches(batches))) == [f"{number:05d}" for number in range(100, 20_000)]


def test_an_absent_key_is_none(table: Table, things: Rows) -> None:
    """`get` gives the row of exactly that key."""
    table.upsert(things("a", note="x"))
    assert table.get("A") is None
    assert table.get("a") == {"id": "a", "group": "", "text": "", "count": 0, "note": "x"}


def test_a_change_sets_values_where_its_filter_holds(table: Table, things: Rows) -> None:
    """It returns how many rows it changed; a value may come from the row itself, and None is null."""
    table.upsert(things("a", "b", count=1, note="x"))
    assert table.change((col("id") == lit("a")) & (col("count") == lit(2)), {"text": "no"}) == 0
    assert table.change(col("id") == lit("a"), {"count": col("count") + lit(41), "note": None, "text": "it's"}) == 1
    assert table.get("a") == {"id": "a", "group": "", "text": "it's", "count": 42, "note": None}
    assert table.change(lit(True), {"count": 0}) == 2


def test_an_open_table_does_not_travel(table: Table) -> None:
    """Pickling one says to open it where it is used, instead of failing far away."""
    with pytest.raises(TypeError, match="open it where it is used"):
        pickle.dumps(table.database)
    with pytest.raises(TypeError):
        pickle.dumps(table)


def test_optimizing_keeps_rows_and_cleans_versions(table: Table, things: Rows, folder: Path) -> None:
    """Afterwards there are few files and versions, and every row is what it was."""
    for number in range(30):
        table.upsert(things(f"{number}", text=f"text {number}"))
        table.change(col("id") == lit(f"{number // 2}"), {"count": number})
    before = sorted(table.rows().to_pylist(), key=str)
    table.optimize(timedelta(0))
    files = {name: len(list((folder / "things.lance" / name).iterdir())) for name in ("_versions", "data")}
    assert sorted(table.rows().to_pylist(), key=str) == before
    assert files["_versions"] <= 3
    assert files["data"] <= 2


def test_optimizing_keeps_young_versions(table: Table, things: Rows, folder: Path) -> None:
    """A reader that began before may go on for as long as versions are kept."""
    for number in range(5):
        table.upsert(things(f"{number}"))
    reader = table.batches(columns=["id"])
    table.optimize(timedelta(hours=1))
    assert len(list((folder / "things.lance" / "_versions").glob("*.manifest"))) > 5
    assert sum(len(batch) for batch in reader) == 5


def test_a_database_without_a_writer_tidies_itself(folder: Path, things: Rows) -> None:
    """After so many commits of a process the old versions go."""
    database = Connection(str(folder), 0, Tidying(every=10, keep=timedelta(0)))
    table = Table(database, "things", things().schema, "id")
    for number in range(45):
        table.upsert(things(f"{number}"))
    assert len(list((folder / "things.lance" / "_versions").glob("*.manifest"))) < 25
    assert table.count() == 45


def test_indexes_and_upkeep_never_change_what_is_found(table: Table, things: Rows) -> None:
    """Two hundred random writes, indexed and optimized in between, leave what the same writes leave in a dictionary."""
    dice = random.Random(11)
    truth: dict[str, dict[str, Any]] = {}
    for turn in range(200):
        random_write(table, truth, things, dice, turn)
        if turn == 40:
            assert table.build_index("id")
            assert table.build_index("group")
            assert not table.build_index("group")
        if turn % 25 == 0:
            table.optimize(timedelta(0))
            agree(table, truth)
    agree(table, truth)


def random_write(table: Table, truth: dict[str, dict[str, Any]], things: Rows, dice: random.Random, turn: int) -> None:
    """The same write to the table and to the dictionary."""
    chosen = [f"k{dice.randrange(40)}" for _ in range(dice.randrange(1, 6))]
    group = f"g{dice.randrange(5)}"
    rows = things(*chosen, group=group, count=turn)
    new = {row["id"]: row for row in rows.to_pylist()}
    match dice.randrange(6):
        case 0 | 1:
            table.upsert(rows)
            truth |= new
        case 2:
            table.insert_new(rows)
            truth |= {id_: row for id_, row in new.items() if id_ not in truth}
        case 3:
            table.update(rows.select(["id", "count"]))
            for id_ in new.keys() & truth.keys():
                truth[id_] = {**truth[id_], "count": turn}
        case 4:
            table.replace(rows, "group", [group])
            for id_ in [id_ for id_, row in truth.items() if row["group"] == group]:
                del truth[id_]
            truth |= new
        case 5:
            table.delete(col("id").isin(chosen[:1]))
            truth.pop(chosen[0], None)


def agree(table: Table, truth: dict[str, dict[str, Any]]) -> None:
    """Every way of reading finds what the dictionary has."""
    assert {row["id"]: row for row in table.rows().to_pylist()} == truth
    assert table.count() == len(truth)
    assert table.by_keys(sorted(truth)).to_pylist() == [truth[id_] for id_ in sorted(truth)]
    for group in range(5):
        mine = sorted(id_ for id_, row in truth.items() if row["group"] == f"g{group}")
        assert sorted(ids(table.rows(col("group") == lit(f"g{group}")))) == mine
        assert table.count(col("group") == lit(f"g{group}")) == len(mine)


def test_an_update_spares_rows_that_have_a_value_by_now(library: Library) -> None:
    """What somebody said meanwhile stays; the other rows change."""
    faces = [{"face_id": "a", "standing": "labeled"}, {"face_id": "b"}]
    library.faces.upsert(rows_of(faces, library.faces.schema))
    guessed = changes_of([{"face_id": key, "person_id": "kim", "standing": "inferred"} for key in "ab"], FACES)

    changed = library.faces.update(guessed, sparing=("standing", "labeled"))

    found = library.faces.rows(columns=["face_id", "standing"], order_by="face_id").to_pylist()
    assert changed == 1
    assert [row["standing"] for row in found] == ["labeled", "inferred"]
    with pytest.raises(ValueError, match="plain value"):
        library.faces.update(guessed, sparing=("standing", "it's"))
