"""Which face of today is which of yesterday, and what people said of it: detections and facts made rows.

A face keeps its id as long as something in its place is found; what was said of a face holds whatever a model finds.
Who a face is that nobody labeled is `people.py`'s business.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from batch import rows
from batch.rows import Row
from cluster.store.database import Library
from cluster.store.faces import LABELED, UNKNOWN, face_id
from cluster.store.facts import ADD, DELETE, LABEL, REJECT
from cluster.store.people import LONGEST_NAME, PERSON, SCHEMA, id_of, key_of
from cluster.store.schema import rows_of
from cluster.store.titles import visible
from cluster.store.vectors import Embeddings
from cluster.store.writer import Replace, Upsert, Write
from serve_apps.models.protocol import Box

SAME = 0.5  # overlap of two boxes of one face, by detectors
MEANT = 0.3  # overlap of a box that somebody drew by hand, or another program, with the face that is meant
SIDES = ("left", "top", "right", "bottom")
DRAWN_BY_USER, DRAWN_IN_XMP = "user", "xmp"
NOBODY: Row = {"person_id": "", "standing": UNKNOWN, "probability": 0.0}


class Remembered(msgspec.Struct, frozen=True):
    """What is known of a photo's faces beside what a model finds in it now."""

    photo_id: str
    content_id: str
    regions: list[Row]  # named boxes of its sidecar
    before: list[Row]  # of `faces`
    facts: list[Row]  # of `facts`

    def said(self, kind: str) -> dict[str, Row]:
        """The facts of a kind by the face they are about."""
        return {fact["face_id"]: fact for fact in self.facts if fact["kind"] == kind}

    def rejected(self) -> dict[str, set[str]]:
        """Whom each face is not."""
        found: dict[str, set[str]] = defaultdict(set)
        for fact in self.facts:
            if fact["kind"] == REJECT:
                found[fact["face_id"]].add(fact["person_id"])
        return found


class Roster:
    """Who is who: the people of a library, whom they were merged into, and those whom names bring in."""

    def __init__(self, library: Library) -> None:
        people = library.people.rows(None, ["person_id", "merged_into", "name_key", "kind"]).to_pylist()
        self.merged = {row["person_id"]: row["merged_into"] for row in people}
        named = [row for row in people if row["kind"] == PERSON and not row["merged_into"]]
        self.called = {row["name_key"]: row["person_id"] for row in named}
        self.new: dict[str, Row] = {}  # by id

    def who(self, person_id: str) -> str:
        """The person an id stands for today."""
        for _ in range(len(self.merged)):
            if not (into := self.merged.get(person_id)):
                break
            person_id = into
        return person_id

    def of_name(self, name: str, now: datetime) -> str:
        """The person of a name in a sidecar: whoever first had it, else who has it now, else somebody new."""
        person_id = id_of(name)
        if person_id not in self.merged:
            person_id = self.called.get(key_of(name), person_id)
        if person_id not in self.merged and person_id not in self.new:
            self.new[person_id] = {
                "person_id": person_id, "name": name, "name_key": key_of(name), "kind": PERSON,
                "created_at": now, "changed_at": now,
            }  # fmt: skip
        return self.who(person_id)

    def writes(self) -> list[Write]:
        """The writes that make people of the new names."""
        return [Upsert("people", rows_of(self.new.values(), SCHEMA))] if self.new else []


def settled(known: Remembered, detected: Sequence[Row], roster: Roster, now: datetime) -> list[Row]:
    """A photo's faces: those detected, under the ids they had, those that were drawn, and what was said of each.

    `detected` are rows without ids; what else they hold, such as a vector, stays with them.
    """
    before = {face["face_id"]: face for face in known.before}
    faces = identified(known, detected)
    for face in faces.values():
        face.update(carried(before.get(face["face_id"])))
    content = known.content_id
    for key, fact in {**known.said(ADD), **known.said(LABEL)}.items():
        if key not in faces and fact["content_id"] == content:
            faces[key] = drawn(known.photo_id, key, fact, DRAWN_BY_USER) | carried(before.get(key))
    name_regions(known, faces, roster, now)
    for key, fact in known.said(LABEL).items():
        if key in faces:
            faces[key].update(labeled(roster.who(fact["person_id"])))
    refuse(known, faces, roster)
    return [faces[key] for key in sorted(faces.keys() - known.said(DELETE).keys())]


def identified(known: Remembered, detected: Sequence[Row]) -> dict[str, Row]:
    """Detections by the ids they had; new ones get ids that no face of the photo ever had."""
    places = {row["face_id"]: box_of(row) for row in [*known.facts, *known.before]}
    ids = matched({str(i): box_of(row) for i, row in enumerate(detected)}, places, SAME)
    numbers = [int(end) for end in (key.rpartition("-")[2] for key in places) if end.isdigit()]
    following = max(numbers, default=-1) + 1
    faces: dict[str, Row] = {}
    for i, row in enumerate(detected):
        if not (key := ids.get(str(i), "")):
            key, following = face_id(known.photo_id, following), following + 1
        faces[key] = {**row, "face_id": key, "photo_id": known.photo_id}
    return faces


def matched(boxes: Mapping[str, Box], places: Mapping[str, Box], least: float) -> dict[str, str]:
    """Which box is in which place: each in one at most, the greatest overlaps first."""
    overlaps = [(overlap(box, place), key, name) for key, box in boxes.items() for name, place in places.items()]
    found: dict[str, str] = {}
    taken: set[str] = set()
    for share, key, name in sorted(overlaps, key=lambda one: (-one[0], one[1], one[2])):
        if share >= least and key not in found and name not in taken:
            found[key] = name
            taken.add(name)
    return found


def name_regions(known: Remembered, faces: dict[str, Row], roster: Roster, now: datetime) -> None:
    """Label faces as a photo's sidecar says, and draw those it names where none was found; people's word goes before.

    Somebody who said of such a face that it is none, or not that person, is believed.
    """
    regions = [region for region in known.regions if visible(region["name"], LONGEST_NAME)]
    rejected, labels, deleted = known.rejected(), known.said(LABEL), known.said(DELETE)
    places = {fact["face_id"]: box_of(fact) for fact in known.facts} | {k: box_of(row) for k, row in faces.items()}
    meant = matched({str(i): box_of(region) for i, region in enumerate(regions)}, places, MEANT)
    before = {face["face_id"]: face for face in known.before}
    for i, region in enumerate(regions):
        person = roster.of_name(region["name"], now)
        key = meant.get(str(i)) or region_id(known.photo_id, region)
        if key in deleted:
            continue
        face = drawn(known.photo_id, key, region, DRAWN_IN_XMP) | carried(before.get(key))
        face = faces.setdefault(key, face)
        if key not in labels and person not in {roster.who(one) for one in rejected.get(key, ())}:
            face.update(labeled(person))


def refuse(known: Remembered, faces: dict[str, Row], roster: Roster) -> None:
    """Take faces from those whom they are not."""
    for key, people in known.rejected().items():
        face = faces.get(key)
        if face and face["standing"] != LABELED and face["person_id"] in {roster.who(one) for one in people}:
            face.update(NOBODY)


def carried(before: Row | None) -> Row:
    """Whose a face was, as far as nobody said it: what was said is said anew."""
    if before is None or before["standing"] == LABELED:
        return dict(NOBODY)
    return {name: before[name] for name in NOBODY}


def labeled(person_id: str) -> Row:
    """The columns of a face that somebody said is a person's."""
    return {"person_id": person_id, "standing": LABELED, "probability": 1.0}


def drawn(photo_id: str, key: str, box: Row, origin: str) -> Row:
    """A face that nobody detected, where somebody says it is."""
    sides = {side: box[side] for side in SIDES}
    return {"face_id": key, "photo_id": photo_id, **sides, "score": 1.0, "landmarks": [], "model": "", "origin": origin}


def region_id(photo_id: str, region: Row) -> str:
    """The id of a face that a sidecar alone knows of."""
    said = "\0".join([region["name"], *[f"{region[side]:.4f}" for side in SIDES]])
    return f"{photo_id}-x{hashlib.sha256(said.encode('utf8', 'surrogatepass')).hexdigest()[:8]}"


def box_of(row: Row) -> Box:
    """A row's box."""
    left, top, right, bottom = (float(row[side]) for side in SIDES)
    return left, top, right, bottom


def overlap(one: Box, other: Box) -> float:
    """How much of two boxes together is in both: 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (extent(one) + extent(other) - both)


def extent(box: Box) -> float:
    """A box's area, as a share of the picture."""
    return (box[2] - box[0]) * (box[3] - box[1])


def remembered(library: Library, photo_ids: Sequence[str]) -> dict[str, Remembered]:
    """What is known of the faces of some photos, by photo."""
    photos = library.photos.by_keys(photo_ids, ["photo_id", "content_id", "regions"]).to_pylist()
    before, facts = (by_photo(table.of_photos(photo_ids).to_pylist()) for table in (library.faces, library.facts))
    return {
        row["photo_id"]: Remembered(
            row["photo_id"], row["content_id"], row["regions"] or [], before[row["photo_id"]], facts[row["photo_id"]]
        )
        for row in photos
    }


def by_photo(found: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by the photo they are about."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in found:
        groups[row["photo_id"]].append(row)
    return groups


class Found(msgspec.Struct):
    """What a batch's detections come to."""

    writes: list[Write]
    counts: dict[str, int]  # faces by photo


def found(library: Library, work: Sequence[Row], model: str, now: datetime) -> Found:
    """The writes after which some photos have the faces that a model found, and all that was said of them.

    `work` are rows of a batch in which the stage ran: their `faces_output` is empty where it failed.
    """
    outputs = {row["photo_id"]: row["faces_output"] for row in work}
    roster = Roster(library)
    faces: dict[str, list[Row]] = {}
    for photo_id, known in remembered(library, list(outputs)).items():
        output = outputs[photo_id]
        detected = rows.face_rows(output, model) if output else []
        faces[photo_id] = settled(known, detected, roster, now)
    every = [face for some in faces.values() for face in some]
    vectors = vectors_of(library, model, every)
    plain = [{name: value for name, value in face.items() if name != "vector"} for face in every]
    writes = [*roster.writes(), Replace("faces", rows_of(plain, library.faces.schema), "photo_id", list(outputs))]
    if table := table_for(library, model, vectors):
        writes.append(Replace(table.name, rows_of(vectors, table.schema), "photo_id", list(outputs)))
    return Found(writes, {photo_id: len(some) for photo_id, some in faces.items()})


def vectors_of(library: Library, model: str, faces: Sequence[Row]) -> list[Row]:
    """The vectors of faces: those they come with, and of drawn ones those they have."""
    table = library.registry.find(model)
    kept = table.vectors([face["face_id"] for face in faces if "vector" not in face]) if table else {}
    known = {face["face_id"]: face.get("vector") or kept.get(face["face_id"]) for face in faces}
    photos = {face["face_id"]: face["photo_id"] for face in faces}
    return [{"id": key, "photo_id": photos[key], "vector": vector} for key, vector in known.items() if vector]


def table_for(library: Library, model: str, vectors: Sequence[Row]) -> Embeddings | None:
    """A model's table, made for the first vectors; None when there are none and never were."""
    return library.embeddings(model, len(vectors[0]["vector"])) if vectors else library.registry.find(model)
