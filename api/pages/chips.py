"""What a search's address says, as chips of the search box: each a filter with a name, and the address without it."""

import calendar
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, TypeAlias
from urllib.parse import urlencode

import msgspec

from api.pages.dates import day, span
from api.pages.words import WORDS
from api.vocabulary import month_name

SEARCH = "/search"
ONCE, OFTEN = ("q", "place", "kind", "date_from", "date_to"), ("person", "tag")  # the last one counts, or all
BEGINS = "T00:00:00Z"  # a day as a time of the API
Fields: TypeAlias = list[tuple[str, str]]


class Chip(msgspec.Struct, frozen=True):
    """A filter as people see it."""

    kind: str  # person, place, tag, time or kind
    text: str
    fields: Fields  # what it is in an address
    without: str  # the address of the search without it
    cover: Any = None  # of a person


class Sought(msgspec.Struct, frozen=True):
    """What an address of the search page asks for."""

    q: str = ""
    person: tuple[str, ...] = ()
    place: str = ""
    tag: tuple[str, ...] = ()
    kind: str = ""
    date_from: str = ""
    date_to: str = ""

    @property
    def filters(self) -> dict[str, Any]:
        """The parameters of `GET /api/photos`."""
        given = {"person": list(self.person), "place": self.place, "tag": list(self.tag), "kind": self.kind,
                 "date_from": self.date_from, "date_to": self.date_to}  # fmt: skip
        return {name: value for name, value in given.items() if value}

    @property
    def fields(self) -> Fields:
        """The parameters of the search page."""
        texts = [("q", self.q)] if self.q else []
        return texts + [(name, one) for name, value in self.filters.items() for one in listed(value)]

    def address(self, without: Collection[tuple[str, str]] = (), **more: str) -> str:
        """The search's address, without some of its parameters, and with more."""
        query = urlencode([*(field for field in self.fields if field not in without), *more.items()])
        return f"{SEARCH}?{query}" if query else SEARCH

    @property
    def query(self) -> str:
        """What goes on to a photo's page: the filters, and that it comes from a search."""
        return f"?{urlencode([('q', self.q), *(field for field in self.fields if field[0] != 'q')])}"


def sought(parameters: Iterable[tuple[str, str]]) -> Sought:
    """What the parameters of an address ask for; those that mean nothing to a search are left out."""
    given: dict[str, list[str]] = {}
    for name, value in parameters:
        if value.strip():
            given.setdefault(name, []).append(value.strip())
    last = {name: values[-1] for name, values in given.items() if name in ONCE}
    many = {name: tuple(dict.fromkeys(values)) for name, values in given.items() if name in OFTEN}
    return msgspec.convert({**last, **many}, Sought)


def listed(value: Any) -> list[str]:
    """A parameter's values."""
    return value if isinstance(value, list) else [value]


def chips_of(asked: Sought, people: Iterable[Mapping[str, Any]]) -> list[Chip]:
    """The filters of a search as chips; `people` are those that it names, as the API tells them, in its order."""
    made = [
        chip(asked, "person", one["name"] or WORDS("search.somebody"), [("person", given)], one["cover"])
        for given, one in zip(asked.person, people, strict=True)
    ]
    if asked.place:
        made.append(chip(asked, "place", asked.place, [("place", asked.place)]))
    if asked.date_from or asked.date_to:
        days = [("date_from", asked.date_from), ("date_to", asked.date_to)]
        fields = [(name, value) for name, value in days if value]
        made.append(chip(asked, "time", time_text(asked.date_from, asked.date_to), fields))
    made += [chip(asked, "tag", tag, [("tag", tag)]) for tag in asked.tag]
    if asked.kind:
        made.append(chip(asked, "kind", WORDS.named("search", f"kind_{asked.kind}"), [("kind", asked.kind)]))
    return made


def chip(asked: Sought, kind: str, text: str, fields: Fields, cover: Any = None) -> Chip:
    """A filter as a chip."""
    return Chip(kind, text, fields, asked.address(fields), cover)


def time_text(first: str, last: str) -> str:
    """A stretch of days in words: a year or a month by its name, or from when until when."""
    if not (first and last):
        return WORDS("search.since" if first else "search.until", day=day((first or last) + BEGINS))
    begins, ends = date.fromisoformat(first), date.fromisoformat(last)
    if (begins.month, begins.day, ends.month, ends.day, begins.year) == (1, 1, 12, 31, ends.year):
        return str(begins.year)
    whole = begins.day == 1 and ends.day == calendar.monthrange(ends.year, ends.month)[1]
    if whole and (begins.year, begins.month) == (ends.year, ends.month):
        return month_name(begins.year, begins.month)
    return span(first + BEGINS, last + BEGINS)
