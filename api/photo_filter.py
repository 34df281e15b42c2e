"""Which photos a request is about: the filters that lists and searches share, read out of its parameters."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from typing import Annotated, Literal, TypeAlias

import msgspec
from lancedb.expr import col, lit
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter, SkipValidation

from api.deps import Owned
from api.person_view import known_as
from batch.faces import Roster
from cluster.store.database import Library
from cluster.store.faces import UNKNOWN
from cluster.store.timeline import PhotoFilter

MOST = 20  # people, or tags

Day = Annotated[date | None, QueryParameter(description="a day, like 2024-05-17, in UTC")]
Words = Annotated[str, QueryParameter(max_length=200, description="part of the name of a place, state or country")]
Tags = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=200)]] | None,
    QueryParameter(max_items=MOST, description="a whole tag or keyword; repeat it for photos that have all"),
]
Kind = Annotated[
    Literal["", "image", "raw", "video", "live"],
    QueryParameter(description="only this kind; `raw` and `live` also those that have such a file beside another"),
]
People = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=128)]] | None,
    QueryParameter(max_items=MOST, description="a person's id, with a face of theirs; repeat it for photos of all"),
]


def photo_filter(
    owned: Owned,
    date_from: Day = None,
    date_to: Day = None,
    place: Words = "",
    tag: Tags = None,
    kind: Kind = "",
    person: People = None,
) -> PhotoFilter:
    """The filter that a request's parameters make: all of them at once, and no photo whose file is gone; blocks."""
    shown = [photos_of(owned, person_id) for person_id in given(person)]
    photo_ids = reduce(frozenset.intersection, shown) if shown else None
    tags = tuple(given(tag))
    return PhotoFilter(beginning(date_from), ending(date_to), place.strip(), tags, kind, photo_ids=photo_ids)


def unless_all(wanted: PhotoFilter) -> PhotoFilter | None:
    """A filter for a search; None where it lets all photos through, which need not be listed then."""
    return None if wanted == PhotoFilter() else wanted


def given(values: Iterable[str] | None) -> list[str]:
    """A parameter's values, each once; an empty one, as forms send them, is none."""
    return list(dict.fromkeys(value.strip() for value in values or () if value.strip()))


def photos_of(library: Library, person_id: str) -> frozenset[str]:
    """The photos that a person is on; raises NotFound for one who is not there."""
    person, roster = library.people.person(person_id), Roster(library)
    theirs = col("person_id").isin(sorted(known_as([person.person_id], roster)))
    faces = library.faces.rows(theirs & (col("standing") != lit(UNKNOWN)), ["photo_id"])
    return frozenset(faces["photo_id"].to_pylist())


def beginning(day: date | None) -> datetime | None:
    """The moment a day begins, in UTC."""
    return datetime.combine(day, time(), UTC) if day else None


def ending(day: date | None) -> datetime | None:
    """The moment a day is over, in UTC: the next one begins, if the calendar has one."""
    last = datetime.combine(date.max, time.max, UTC)
    return (beginning(day + timedelta(days=1)) if day < date.max else last) if day else None


# How a route asks for it; the route's router provides it.
Wanted: TypeAlias = NamedDependency[SkipValidation[PhotoFilter]]
FILTERS = {"wanted": Provide(photo_filter, sync_to_thread=True)}
