"""What an event is called: when it was, with whom, where. `5 days with Ada and Kim in Porto and Lisbon`.

Asks the library for the photos, faces and people of some spans; decides nothing about which photos are together.

When: by the clock of the place. From three days on `5 days`, the first and the last counted; a Saturday with the Sunday
after it is a `Weekend`; anything else is the weekday and part of the day of the first photo. Who: the two people on
most photos, labeled or inferred, who have a name and are not hidden. Where: the two places of most photos.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col

from cluster.store.database import Library
from cluster.store.faces import INFERRED, LABELED
from cluster.store.people import PERSON, People
from cluster.store.timeline import PLACES

AT_ONCE = 2000  # photos asked for by their ids in one filter
MANY = 5 * AT_ONCE  # from so many on, all photos are read instead
MOST = 20  # places and people kept of an event
IN_TITLE = 2
HOUR_US = 3_600_000_000
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
THURSDAY, SATURDAY = 3, 5  # 1 January 1970 was a Thursday
PARTS = ((5, "Early Morning"), (12, "Morning"), (18, "Afternoon"), (24, "Evening"))  # each until its hour
COLUMNS = ("photo_id", "taken_offset_min", "missing", "media_rev", "media_error", *PLACES)
WHO = ("person_id", "name", "kind", "merged_into", "hidden")


@dataclass(frozen=True)
class Told:
    """What is told of an event."""

    title: str
    places: list[str]  # commonest first
    people: list[str]
    front_photo_id: str  # whose picture stands for it


def told(library: Library, parts: pa.Table) -> dict[int, Told]:
    """What is told of spans. `parts`: photo_id, taken_us and span of all their photos, in order."""
    looked = seen(library, parts["photo_id"])
    at = pc.index_in(parts["photo_id"].combine_chunks(), looked["photo_id"].combine_chunks())
    parts = parts.filter(pc.is_valid(at))  # one that went this moment is not counted
    looked = looked.take(pc.drop_null(at))
    if not len(parts):
        return {}
    where, who = places_of(parts["span"], looked), people_of(library, parts)
    when, fronts = times_of(parts, looked), fronts_of(parts, looked)
    return {
        span: Told(title(when[span], who[span], where[span]), where[span][:MOST], who[span][:MOST], fronts[span])
        for span in when
    }


def title(when: str, who: Sequence[str], where: Sequence[str]) -> str:
    """A title of when, with whom and where."""
    people = f" with {' and '.join(who[:IN_TITLE])}" if who else ""
    places = f" in {' and '.join(where[:IN_TITLE])}" if where else ""
    return f"{when}{people}{places}"


def when_was(first_us: int, last_us: int) -> str:
    """When something was that lasted from one moment to another, both microseconds of the clock there."""
    first, last = first_us // (24 * HOUR_US), last_us // (24 * HOUR_US)
    weekday = (first + THURSDAY) % 7
    if last - first >= 2:
        return f"{last - first + 1} days"
    if weekday == SATURDAY and last > first:
        return "Weekend"
    hour = first_us // HOUR_US % 24
    return f"{DAYS[weekday]} {next(part for until, part in PARTS if hour < until)}"


def times_of(parts: pa.Table, looked: pa.Table) -> dict[int, str]:
    """When each span was."""
    minutes = pc.fill_null(looked["taken_offset_min"], 0).to_numpy().astype(np.int64)
    local = parts["taken_us"].to_numpy() + minutes * (HOUR_US // 60)
    spans, starts = np.unique(parts["span"].to_numpy(), return_index=True)
    ends = np.append(starts[1:], len(local)) - 1
    edges = zip(spans.tolist(), local[starts].tolist(), local[ends].tolist(), strict=True)
    return {span: when_was(first, last) for span, first, last in edges}


def fronts_of(parts: pa.Table, looked: pa.Table) -> dict[int, str]:
    """The first photo of each span that is there and has a picture, else the first."""
    bare = pc.or_(looked["missing"], pc.or_(pc.equal(looked["media_rev"], ""), pc.not_equal(looked["media_error"], "")))
    order = np.lexsort((np.arange(len(parts)), bare.to_numpy(zero_copy_only=False), parts["span"].to_numpy()))
    spans, starts = np.unique(parts["span"].to_numpy()[order], return_index=True)
    return dict(zip(spans.tolist(), parts["photo_id"].take(pa.array(order[starts])).to_pylist(), strict=True))


def places_of(spans: pa.ChunkedArray, looked: pa.Table) -> dict[int, list[str]]:
    """The places of each span's photos, commonest first: the finest name that each photo has."""
    names = [pc.if_else(pc.equal(looked[name], ""), None, looked[name]) for name in PLACES]
    return ranked(pa.table({"span": spans, "name": pc.coalesce(*names)}))


def people_of(library: Library, parts: pa.Table) -> dict[int, list[str]]:
    """The people with a name on each span's photos, commonest first, counted by photos."""
    names = names_of(library.people)
    faces = faces_in(library, parts["photo_id"])
    known = pc.index_in(faces["person_id"].combine_chunks(), pa.array(list(names), pa.string()))
    named = pa.array(list(names.values()), pa.string()).take(known)
    span = parts["span"].combine_chunks().take(pc.index_in(faces["photo_id"], parts["photo_id"].combine_chunks()))
    once = pa.table({"photo_id": faces["photo_id"], "span": span, "name": named})
    return ranked(once.group_by(["photo_id", "span", "name"]).aggregate([]))


def ranked(table: pa.Table) -> dict[int, list[str]]:
    """The names of each span, commonest first, then by the alphabet; rows without either are left out."""
    table = table.filter(pc.and_(pc.is_valid(table["span"]), pc.is_valid(table["name"])))
    counts = table.group_by(["span", "name"]).aggregate([("name", "count")])
    order = [("span", "ascending"), ("name_count", "descending"), ("name", "ascending")]
    found: defaultdict[int, list[str]] = defaultdict(list)
    for row in counts.take(pc.sort_indices(counts, order)).to_pylist():
        found[row["span"]].append(row["name"])
    return found


def names_of(people: People) -> Mapping[str, str]:
    """The names to tell by person id; of somebody who was merged, the name of whom they turned out to be."""
    rows = {row["person_id"]: row for row in people.rows(None, WHO).to_pylist()}
    found = {}
    for person_id in rows:
        row, passed = rows[person_id], {person_id}
        while row["merged_into"] in rows and row["merged_into"] not in passed:
            passed.add(row["merged_into"])
            row = rows[row["merged_into"]]
        if row["kind"] == PERSON and row["name"] and not row["hidden"] and not row["merged_into"]:
            found[person_id] = row["name"]
    return found


def seen(library: Library, photo_ids: pa.ChunkedArray) -> pa.Table:
    """What titles need to know of some photos."""
    if len(photo_ids) >= MANY:
        return library.photos.rows(None, COLUMNS)
    return library.photos.by_keys(photo_ids.to_pylist(), COLUMNS)


def faces_in(library: Library, photo_ids: pa.ChunkedArray) -> pa.Table:
    """Whose faces are in some photos; of many photos, all faces that are somebody's."""
    whose, columns = col("standing").isin([LABELED, INFERRED]), ["photo_id", "person_id"]
    if len(photo_ids) >= MANY:
        return library.faces.rows(whose, columns)
    pieces = [photo_ids[at : at + AT_ONCE].to_pylist() for at in range(0, len(photo_ids), AT_ONCE)]
    found = [library.faces.rows(whose & col("photo_id").isin(piece), columns) for piece in pieces]
    return pa.concat_tables(found) if found else library.faces.rows(whose, columns, limit=0)
