"""One's own library as a whole: its sums. What works on it is in `actions.py`."""

from collections.abc import Mapping
from datetime import date

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col, lit
from litestar import Router, get

from api.access import USER
from api.deps import Given, Owned
from cluster.store.database import Library
from cluster.store.photos import STAGES
from cluster.store.timeline import PLACES, overview

LEDGER = [f"{stage}_{what}" for stage in STAGES for what in ("rev", "error")]


class StageSum(msgspec.Struct, frozen=True):
    """How many photos a stage has done, failed in, and still to see: together, those that have a preview."""

    name: str
    done: int
    failed: int
    pending: int


class LibraryStats(msgspec.Struct, frozen=True):
    """The sums of a library."""

    photos: int  # videos too, missing ones not
    images: int
    raws: int
    videos: int
    missing: int
    files: int  # there now, sidecars too
    failed_files: int  # that could not be read
    size: int  # bytes of the files that are there
    people: int  # with a name and a face
    faces: int  # labeled, inferred and unknown ones together
    faces_labeled: int  # somebody said whose they are
    faces_inferred: int  # training says so, surely enough
    faces_unknown: int
    events: int
    places: int  # different ones
    countries: int
    days: int  # with photos
    days_spanned: int  # from the first day to the last, both counted
    first_day: date | None
    last_day: date | None
    stages: list[StageSum]


@get("/stats", opt=USER, sync_to_thread=True, summary="The sums of one's library")
def library_stats(deps: Given, owned: Owned) -> LibraryStats:
    """Photos, files, people, faces, events, places, days, and how far each stage has come."""
    return stats(owned, deps.revisions())


def stats(library: Library, revisions: Mapping[str, str]) -> LibraryStats:
    """The sums of a library; reads narrow columns of all its photos and faces."""
    sums = overview(library, {})  # what is pending is among the stages' sums
    rows = library.photos.narrow(None, ["missing", "kind", *PLACES, *LEDGER])
    there = pc.invert(rows["missing"])
    placed = rows.select(PLACES).filter(pc.and_(there, pc.not_equal(rows["place"], "")))
    countries = pc.unique(rows["country"].filter(pc.and_(there, pc.not_equal(rows["country"], ""))))
    images, raws = (counted(pc.and_(there, pc.equal(rows["kind"], kind))) for kind in ("image", "raw"))
    return LibraryStats(
        photos=sums.photos, images=images, raws=raws, videos=sums.videos,
        missing=sums.missing, files=library.files.count(col("state") != lit("missing")),
        failed_files=library.files.count(col("state") == lit("failed")), size=sums.storage_bytes,
        people=sums.people, faces=sums.faces, faces_labeled=sums.faces_labeled,
        faces_inferred=sums.faces_inferred, faces_unknown=sums.faces_unknown,
        events=sums.events, places=len(placed.group_by(list(PLACES)).aggregate([])), countries=len(countries),
        days=sums.days, days_spanned=sums.days_spanned, first_day=sums.first_day, last_day=sums.last_day,
        stages=[stage_sum(rows, there, stage, revisions.get(stage)) for stage in STAGES],
    )  # fmt: skip


def counted(which: pa.ChunkedArray) -> int:
    """How many are true."""
    return int(pc.sum(which).as_py() or 0)


def stage_sum(rows: pa.Table, there: pa.ChunkedArray, stage: str, revision: str | None) -> StageSum:
    """What the ledger says of a stage; pending is what was not tried, or not at the revision its model is at."""
    if stage != "media":
        there = pc.and_(there, pc.and_(pc.not_equal(rows["media_rev"], ""), pc.equal(rows["media_error"], "")))
    tried, error = rows[f"{stage}_rev"], rows[f"{stage}_error"]
    behind = pc.equal(tried, "") if revision is None else pc.not_equal(tried, revision)
    pending = counted(pc.and_(there, behind))
    failed = counted(pc.and_(pc.and_(there, pc.not_equal(error, "")), pc.invert(behind)))
    return StageSum(stage, counted(there) - failed - pending, failed, pending)


ROUTES = Router("/api/library", route_handlers=[library_stats], tags=["library"])
