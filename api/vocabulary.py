"""The terms of a library: everything in it that has a name people may type. How they are matched is `suggestions.py`'s.

Read from narrow columns when a table has changed, and kept: pages ask at every key.
"""

import calendar
import re
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col, lit

from api.pages.words import WORDS
from api.person_view import counted
from batch.faces import Roster
from cluster.store.database import Library
from cluster.store.events import shown
from cluster.store.people import PERSON
from cluster.store.photos import word
from cluster.store.timeline import PLACES

MOST = 20_000  # terms of a kind: the commonest
REST = 20  # times as long as it took to read them, terms are not read again
PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
KINDS = ("video", "raw")  # that are looked for; pictures are the rest


class Term(msgspec.Struct, frozen=True):
    """Something that has a name."""

    kind: str  # person, event, place, tag, time or kind
    text: str
    value: str  # what a filter takes: an id, a name, or two days with a / between
    count: int  # photos; of a person, faces
    detail: str = ""  # what tells it from others of the same name
    minor: bool = False  # a part of something that has a name too, and only of interest to who types it
    key: str = ""  # what is matched: each word after a space, without case and accents


Terms: TypeAlias = list[Term]


def folded(text: str) -> str:
    """A text as it is matched: each of its words after a space, without case, accents and signs."""
    parted = unicodedata.normalize("NFKD", text.casefold()).translate(PLAIN)
    plain = "".join(letter for letter in parted if not unicodedata.combining(letter))
    return "".join(f" {one}" for one in re.findall(r"\w+", plain))


def term(kind: str, text: str, value: str, count: int, detail: str = "", more: str = "", minor: bool = False) -> Term:
    """A term that is found by its text, and by `more`."""
    return Term(kind, text, value, count, detail, minor, folded(f"{text} {more}"))


class Vocabularies:
    """The terms of libraries by user id, read anew when tables have changed. Asked from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[tuple[int, ...], float, Terms]] = {}  # version, not before, terms
        self._turns: dict[tuple[str, str], threading.Lock] = {}

    def of(self, user_id: str, library: Library) -> Terms:
        """Everything in a user's library that has a name; blocks."""
        return [
            *self._part((user_id, "people"), (library.people.version, library.faces.version), lambda: people(library)),
            *self._part((user_id, "events"), (library.events.version,), lambda: events(library)),
            *self._part((user_id, "photos"), (library.photos.version,), lambda: photos(library)),
        ]

    def _part(self, key: tuple[str, str], version: tuple[int, ...], read: Callable[[], Terms]) -> Terms:
        """Some terms; as they were while somebody else reads them, or shortly after they were read."""
        turn, known = self._turns.setdefault(key, threading.Lock()), self._known.get(key)
        if known and (known[0] == version or self._clock() < known[1]):
            return known[2]
        if not turn.acquire(blocking=known is None):
            return known[2] if known else []
        try:
            if known is None and (fresh := self._known.get(key)):  # read by whoever this waited for
                return fresh[2]
            began = self._clock()
            terms = read()
            self._known[key] = version, self._clock() + REST * (self._clock() - began), terms
            return terms
        finally:
            turn.release()


def people(library: Library) -> Terms:
    """Those who have a name and are not hidden."""
    counts = counted(library, Roster(library))
    named = (col("kind") == lit(PERSON)) & (col("merged_into") == lit("")) & ~col("hidden")
    rows = library.people.narrow(named, ["person_id", "name"]).to_pylist()
    return [
        term("person", row["name"], row["person_id"], sum(counts.get(row["person_id"], {}).values())) for row in rows
    ]


def events(library: Library) -> Terms:
    """Those that are shown, with the month they were in."""
    rows = library.events.narrow(shown(), ["event_id", "title", "own_title", "photos", "first_at"]).to_pylist()
    return [event(row, row["first_at"]) for row in rows]


def event(row: Mapping[str, Any], first_at: datetime) -> Term:
    """An event, found by its title and by its month."""
    when = month_name(first_at.year, first_at.month)
    return term("event", row["own_title"] or row["title"], row["event_id"], row["photos"], when, more=when)


def photos(library: Library) -> Terms:
    """Where, when and of what kind photos are, and their tags."""
    columns = [*PLACES, "tags", "keywords", "taken_at", "kind"]
    rows = library.photos.narrow(~col("missing"), columns)
    return [*places(rows), *tags(rows), *times(rows), *kinds(rows)]


def places(rows: pa.Table) -> Terms:
    """The names of places, counties, states and countries, each once, with the country they are in."""
    found: Counter[str] = Counter()
    within: dict[str, Counter[str]] = {}
    major: set[str] = set()
    for group in rows.group_by(list(PLACES)).aggregate([([], "count_all")]).to_pylist():
        for name in {group[level] for level in PLACES} - {""}:
            found[name] += group["count_all"]
            within.setdefault(name, Counter())[group["country"]] += group["count_all"]
        major |= {group["place"], group["country"]}
    countries = {name: places_within.most_common(1)[0][0] for name, places_within in within.items()}
    return [
        term("place", name, name, count, countries[name] if countries[name] != name else "", minor=name not in major)
        for name, count in found.most_common(MOST)
    ]


def tags(rows: pa.Table) -> Terms:
    """Tags and keywords, those that differ in case once, as they are written most often."""
    spelled: Counter[str] = Counter()
    for name in ("tags", "keywords"):
        for one in pc.value_counts(pc.list_flatten(rows[name])).to_pylist():
            spelled[one["values"]] += one["counts"]
    found: Counter[str] = Counter()
    spelling: dict[str, str] = {}
    for text, count in spelled.most_common():
        found[word(text)] += count
        spelling.setdefault(word(text), text)
    return [term("tag", spelling[key], key, count) for key, count in found.most_common(MOST) if key]


def times(rows: pa.Table) -> Terms:
    """The years and months in which photos were taken, as filters know days: in UTC."""
    dated = rows["taken_at"].drop_null()
    months = pa.table({"year": pc.year(dated), "month": pc.month(dated)})
    groups = months.group_by(["year", "month"]).aggregate([([], "count_all")]).to_pylist()
    counts = {(group["year"], group["month"]): group["count_all"] for group in groups}
    years: Counter[int] = Counter()
    for (year, _), count in counts.items():
        years[year] += count
    of_years = [term("time", str(year), f"{year:04}-01-01/{year:04}-12-31", count) for year, count in years.items()]
    return [*of_years, *(month(*when, count) for when, count in counts.items())]


def month(year: int, number: int, count: int) -> Term:
    """A month, found by its name and by its number."""
    first, last = f"{year:04}-{number:02}-01", f"{year:04}-{number:02}-{calendar.monthrange(year, number)[1]:02}"
    return term("time", month_name(year, number), f"{first}/{last}", count, more=f"{year:04} {number:02}", minor=True)


def month_name(year: int, number: int) -> str:
    """A month in words."""
    return WORDS("search.month_of", month=WORDS(f"search.month_{number}"), year=str(year))


def kinds(rows: pa.Table) -> Terms:
    """Videos and RAW photos, where there are any."""
    counts = {one["values"]: one["counts"] for one in pc.value_counts(rows["kind"]).to_pylist()}
    return [term("kind", WORDS(f"search.kind_{kind}"), kind, counts[kind]) for kind in KINDS if counts.get(kind)]
