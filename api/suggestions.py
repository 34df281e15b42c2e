"""What somebody may mean who types: people, events, places, tags and times of their own library."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated, TypeAlias
from urllib.parse import urlencode

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from api.access import USER
from api.deps import Me, Owned
from api.person_view import Cover, viewed
from api.vocabulary import Term, Terms, Vocabularies, folded
from batch.faces import Roster
from cluster.store.database import Library

LONGEST = 1000  # characters
TAILS = 12  # words at the end of a text that are taken for a name's beginning
INSIDE = 3  # letters that are looked for in the middle of words too
KINDS = ("person", "place", "time", "tag", "kind", "event")  # in this order where they fit equally well
NAMES = ("person", "place", "tag")  # that are known by their middle as well
FILTERS = {"place": "place", "tag": "tag", "kind": "kind"}

Text = Annotated[str, QueryParameter(max_length=LONGEST, description="what is typed so far; empty for the commonest")]
Each = Annotated[int, QueryParameter(ge=1, le=20, description="suggestions of a kind at most")]
Known: TypeAlias = NamedDependency[SkipValidation[Vocabularies]]
Fit: TypeAlias = tuple[int, Term]  # how well a term fits, 0 best


class Suggestion(msgspec.Struct, frozen=True):
    """Something that may be meant."""

    kind: str  # person, event, place, tag, time or kind
    text: str
    detail: str  # what tells it from others of the same name
    value: str  # what the filter of this kind takes: an id, a name, or a first and a last day with a / between
    href: str  # the page about it
    count: int  # photos; of a person, faces
    rest: str  # what was typed before it and is not about it
    cover: Cover | None  # of a person


class Suggestions(msgspec.Struct, frozen=True):
    """What may be meant, those that fit best first, the kinds together."""

    suggestions: list[Suggestion]


@get("/", opt=USER, sync_to_thread=True, summary="What somebody may mean who types")
def suggest(owned: Owned, user: Me, vocabularies: Known, q: Text = "", each: Each = 3) -> Suggestions:
    """A few people, events, places, tags and times whose names begin like what is typed, or like its last words.

    Case, accents and signs do not matter. Without any text, the commonest of each kind.
    """
    terms = vocabularies.of(user.user_id, owned)
    rest, fits = fitting(terms, q)
    best = [one for group in chosen(fits, each) for one in group]
    covers = faces_of(owned, [one.value for one in best if one.kind == "person"])
    return Suggestions([told(one, rest, covers.get(one.value)) for one in best])


def fitting(terms: Terms, text: str) -> tuple[str, list[Fit]]:
    """The terms that a text's last words fit, as many words as possible, and what comes before these."""
    if not folded(text):
        return "", [] if text.strip() else [(0, one) for one in terms if not one.minor]
    for rest, tail in tails(text):
        if fits := list(matched(terms, folded(tail))):
            return rest, fits
    return text.strip(), []


def tails(text: str) -> Iterator[tuple[str, str]]:
    """A text's beginnings and ends, the longest end first; only ends that have letters or digits."""
    words = text.split()
    for start in range(max(0, len(words) - TAILS), len(words)):
        tail = " ".join(words[start:])
        if folded(tail):
            yield " ".join(words[:start]), tail


def matched(terms: Terms, phrase: str) -> Iterator[Fit]:
    """The terms that fit: as a beginning, by the beginnings of their words, or somewhere inside."""
    begun = terms
    for one in dict.fromkeys(phrase.split()):  # once each: a text may be one word, five hundred times
        begun = [fit for fit in begun if f" {one}" in fit.key]
    yield from ((0 if fit.key.startswith(phrase) else 1, fit) for fit in begun)
    inside = phrase.strip()
    if len(inside) >= INSIDE or not inside.isascii():
        there = {id(fit) for fit in begun}
        named = (fit for fit in terms if fit.kind in NAMES and inside in fit.key)
        yield from ((2, fit) for fit in named if id(fit) not in there)


def chosen(fits: Sequence[Fit], each: int) -> list[list[Term]]:
    """The best of each kind, those first that fit best, then by their weight; the kinds by their best."""
    order = sorted(fits, key=lambda fit: (fit[1].kind, fit[0], -weight(fit[1]), fit[1].text))
    groups = [list(group)[:each] for _, group in groupby(order, key=lambda fit: fit[1].kind)]
    groups.sort(key=lambda group: (group[0][0], KINDS.index(group[0][1].kind)))
    return [[one for _, one in group] for group in groups]


def weight(one: Term) -> int:
    """What comes first of those that fit equally well: the commonest, of times the latest."""
    return int(one.value[:7].replace("-", "")) if one.kind == "time" else one.count


def faces_of(library: Library, person_ids: Sequence[str]) -> dict[str, Cover | None]:
    """The faces that some people are shown by."""
    known = list(library.people.of_ids(person_ids).values()) if person_ids else []
    return {one.person_id: one.cover for one in viewed(library, known, {}, Roster(library))} if known else {}


def told(one: Term, rest: str, cover: Cover | None) -> Suggestion:
    """A term as a suggestion."""
    return Suggestion(one.kind, one.text, one.detail, one.value, address(one), one.count, rest, cover)


def address(one: Term) -> str:
    """The page about a term."""
    if one.kind in ("person", "event"):
        return f"/{'people' if one.kind == 'person' else 'events'}/{one.value}"
    if one.kind == "time":
        first, last = one.value.split("/")
        return f"/search?{urlencode({'date_from': first, 'date_to': last})}"
    return f"/search?{urlencode({FILTERS[one.kind]: one.value})}"


ROUTES = Router("/api/suggestions", route_handlers=[suggest], tags=["search"])
