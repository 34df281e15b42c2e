"""What was said of some faces before, and that one says something at a time. Says nothing itself."""

import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import msgspec
from lancedb.expr import col, lit

from batch.faces import Roster, remembered, settled
from batch.rows import Row
from cluster.store.database import Library
from cluster.store.faces import LABELED
from cluster.store.facts import LABEL, REJECT
from cluster.store.writer import Delete, Write
from serve_apps.models.protocol import Box

With = ParamSpec("With")
Answer = TypeVar("Answer")


class Speaker(Protocol):
    """Who says something of a library."""

    library: Library


Speaking = TypeVar("Speaking", bound=Speaker)


def alone(
    say: Callable[Concatenate[Speaking, With], Answer],
) -> Callable[Concatenate[Speaking, With], Answer]:
    """Say something while nobody else does of that library: what was looked at still holds when it is committed.

    Else two people, each merged into the other at the same moment, would both be gone.
    """

    @functools.wraps(say)
    def said(speaker: Speaking, /, *words: With.args, **named: With.kwargs) -> Answer:
        with speaker.library.database.writing("saying"):
            return say(speaker, *words, **named)

    return said


def added_id(photo_id: str, box: Box) -> str:
    """The id of a face that somebody drew: whoever draws it twice draws one."""
    place = ",".join(f"{side:.4f}" for side in box)
    return f"{photo_id}-u{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def refused(library: Library, faces: Sequence[Row], person_ids: Collection[str]) -> dict[str, list[str]]:
    """The ids of the facts that some faces are not these people's, by face; a fact about whom they were counts too."""
    roster, whom = Roster(library), set(person_ids)
    photos = sorted({face["photo_id"] for face in faces})
    where = col("photo_id").isin(photos) & (col("kind") == lit(REJECT))
    found: dict[str, list[str]] = defaultdict(list)
    for fact in library.facts.rows(where, ["fact_id", "face_id", "person_id"]).to_pylist() if photos else []:
        if whom & {fact["person_id"], roster.who(fact["person_id"])}:
            found[fact["face_id"]].append(fact["fact_id"])
    keys = {face["face_id"] for face in faces}
    return {key: facts for key, facts in found.items() if key in keys}


def named_by_sidecars(library: Library, faces: Sequence[Row], now: datetime) -> dict[str, str]:
    """Whose some faces would be if nobody had labeled them, by face."""
    keys, roster = {face["face_id"] for face in faces}, Roster(library)
    found: dict[str, str] = {}
    for known in remembered(library, sorted({face["photo_id"] for face in faces})).values():
        facts = [fact for fact in known.facts if fact["kind"] != LABEL or fact["face_id"] not in keys]
        detected = [face for face in known.before if not face["origin"]]
        left = settled(msgspec.structs.replace(known, facts=facts), detected, roster, now)
        found |= {one["face_id"]: one["person_id"] for one in left if one["standing"] == LABELED}
    return {key: person_id for key, person_id in found.items() if key in keys}


def forget(fact_ids: Sequence[str]) -> list[Write]:
    """The write that takes facts back."""
    return [Delete("facts", "fact_id", list(fact_ids))] if fact_ids else []
