"""Text that means something to SQL, to file systems or to C means nothing to the store: it finds the row it names."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lancedb.expr import col, lit

from cluster.errors import NotFound
from cluster.store.connection import Connection
from cluster.store.database import System
from cluster.store.paths import display
from cluster.store.schema import key, rows_of, texts
from cluster.store.table import Table
from cluster.store.timeline import somewhere

Rows = Callable[..., pa.Table]

HOSTILE = [
    "",
    " ",
    "'",
    "''",
    '"',
    "`",
    "' OR 1=1 --",
    "' OR '1'='1",
    "'; DROP TABLE things; --",
    "a' OR id != 'a",
    "\\",
    "\\'",
    "\\\\'",
    "%",
    "_",
    "*",
    "nul\0nul",
    "\0",
    "line\nline\r\n",
    "\t",
    "E'\\x41'",
    "$1",
    ":name",
    "?",
    "{0}",
    "X'00'",
    "NULL",
    "null",
    "true",
    "CAST('x' AS INT)",
    "/* */",
    "--",
    "ÄÖÜß ẞ",
    "İstanbul",
    "東京タワー",
    "مرحبا",
    "e\u0301",
    "é",
    "\u202eevil",
    "\ufeff",
    "👩‍👩‍👧‍👦",
    "\U0010ffff",
    "../../etc/passwd",
    "x" * 100_000,
    "'" * 5_000,
]


@pytest.fixture
def full(table: Table, things: Rows) -> Table:
    """A table with a row for each hostile text, as its key and as its text."""
    table.upsert(pa.concat_tables([things(text, text=text, group="g") for text in HOSTILE]))
    return table


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("café 東京 مرحبا e\u0301.jpg", None),
        ("👩\u200d👩\u200d👧\u200d👦 ❤\ufe0f.jpg", None),
        ("می\u200cخواهم.jpg", None),
        ("a\u202f\u00a0b.jpg", None),
        ("\x1b[31m\x07\x7f.jpg", "\\x1b[31m\\x07\\x7f.jpg"),
        ("\x9b31m\x85\x80\x9f.jpg", "\\u009b31m\\u0085\\u0080\\u009f.jpg"),
        ("holiday\u202egpj.exe", "holiday\\u202egpj.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c", "\\u2066a\\u2069\\u200e\\u200f\\u061c"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
    ],
)
def test_a_hostile_name_is_shown_and_does_nothing(name: str, shown: str | None) -> None:
    """Nothing in it moves a cursor, ends a line or turns it round; ordinary names stay; shown again it is the same."""
    assert display(name.encode()) == (shown or name)
    assert display(display(name.encode()).encode()) == (shown or name)


def test_hostile_keys_name_exactly_one_row(full: Table) -> None:
    """As a key, in a list of keys, compared, and in a count."""
    for text in HOSTILE:
        row = full.get(text)
        assert row is not None
        assert row["text"] == text
        assert full.by_keys([text])["id"].to_pylist() == [text]
        assert full.rows(col("text") == lit(text))["id"].to_pylist() == [text]
        assert full.count(col("text") == lit(text)) == 1


def test_all_hostile_keys_fit_one_filter(full: Table) -> None:
    """A list of them finds them all, in order."""
    assert full.by_keys(HOSTILE)["id"].to_pylist() == HOSTILE
    assert full.count(~col("id").isin(HOSTILE)) == 0


def test_hostile_filters_change_exactly_one_row(full: Table) -> None:
    """In the filter of a change, in its value, and in the list of a replacement."""
    for number, text in enumerate(HOSTILE):
        assert full.change(col("id") == lit(text), {"count": number + 1, "note": text}) == 1
    assert {row["id"]: row["note"] for row in full.rows().to_pylist()} == {text: text for text in HOSTILE}
    assert sorted(full.rows()["count"].to_pylist()) == list(range(1, len(HOSTILE) + 1))


def test_hostile_filters_delete_exactly_one_row(full: Table, things: Rows) -> None:
    """By a filter, and by a replacement."""
    for left, text in zip(range(len(HOSTILE) - 1, -1, -1), HOSTILE, strict=True):
        if left % 2:
            assert full.delete(col("text") == lit(text)) == 1
        else:
            full.replace(things(), "text", [text])
        assert (full.count(), full.get(text)) == (left, None)


def test_hostile_parts_are_found_where_they_are(full: Table) -> None:
    """`contains` takes no wildcard: it finds the texts that have the part in them."""
    for part in ("'", "%", "\\", "\0", "OR 1=1", "_", "東京"):
        found = full.rows(col("text").contains(lit(part)))["id"].to_pylist()
        assert sorted(found) == sorted(text for text in HOSTILE if part in text)


def test_hostile_names_log_nobody_in(system: System) -> None:
    """Neither as a user's name, nor as a token, nor as an id."""
    system.users.create("admin", "hash", admin=True)
    assert system.users.by_name("\ud800") is None
    for text in [*HOSTILE, "admin' --"]:
        assert system.users.by_name(text) is None
        assert system.sessions.list(text) == []
    with pytest.raises(NotFound):
        system.users.get("' OR 1=1 --")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts_=st.lists(st.text(max_size=40), min_size=1, max_size=8, unique=True))
def test_any_text_finds_its_own_row(texts_: list[str]) -> None:
    """Whatever hypothesis thinks of, as key, value and filter."""
    table = SHARED.table()
    table.replace(rows_of([{"id": text, "text": text} for text in texts_], SCHEMA), "marker", [""])
    for number, text in enumerate(texts_):
        assert table.rows(col("text") == lit(text))["id"].to_pylist() == [text]
        assert table.change((col("id") == lit(text)) & (col("text") == lit(text)), {"value": f"{number}{text}"}) == 1
    assert {row["id"]: row["value"] for row in table.rows().to_pylist()} == {
        text: f"{number}{text}" for number, text in enumerate(texts_)
    }


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=30))
def test_any_part_of_a_place_is_an_expression(text: str) -> None:
    """Building a filter from any text succeeds, and the text is a value in it."""
    assert somewhere(text).to_sql().count("contains") == 4


SCHEMA = pa.schema([key("id"), *texts("text", "value", "marker")])


class SharedTable:
    """One table for all of hypothesis' examples: making one takes longer than using it."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._table: Table | None = None

    def table(self) -> Table:
        """The table, made at first use."""
        if self._table is None:
            self._table = Table(Connection(str(Path(self._folder.name) / "database"), 0), "texts", SCHEMA, "id")
        return self._table


SHARED = SharedTable()
