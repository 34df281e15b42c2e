"""Training: whose the faces are that nobody labeled, found from those that somebody did, and from one another.

What people said is put into the faces' rows again first, so that a training also ends what a killed request began.
Never moves a labeled face. How faces are compared is `recognition.py`'s business.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col, lit
from numpy.typing import NDArray

from batch.faces import NOBODY, Roster, remembered, settled
from batch.plan import Plan
from batch.recognition import Recognised, recognise
from batch.rows import Row, now_utc
from batch.said import alone
from batch.sink import Commits
from cluster.store.database import Library
from cluster.store.faces import INFERRED, LABELED, UNKNOWN
from cluster.store.faces import SCHEMA as FACES
from cluster.store.facts import REJECT
from cluster.store.people import CLUSTER
from cluster.store.photos import SCHEMA as PHOTOS
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Delete, Replace, Update, Upsert, Write

PHOTOS_AT_ONCE = 1000  # whose facts are looked at together
FACES_AT_ONCE = 20_000  # that are committed together
MEANWHILE = 5  # times that what people said is put in again, while they go on
WHOSE = ("person_id", "standing", "probability")


class Faces(msgspec.Struct):
    """All faces of a library as columns, in the order of their ids, with their vectors by one model."""

    ids: NDArray[np.object_]
    written: NDArray[np.object_]  # persons as the rows have them
    person: NDArray[np.object_]  # whom those were merged into
    standing: NDArray[np.object_]
    probability: NDArray[np.float32]
    vectors: NDArray[np.float32]  # (N, D) of unit length

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, standing: str) -> NDArray[np.bool_]:
        """Which faces are labeled, inferred or unknown."""
        which: NDArray[np.bool_] = self.standing == standing
        return which


class Training:
    """One training over one library."""

    def __init__(self, library: Library, writer: Commits, model: str, now: Callable[[], datetime] = now_utc) -> None:
        """`model` is the name of the face model in use: vectors of another are not looked at."""
        self.library, self.writer, self.model, self.now = library, writer, model, now

    def run(self) -> dict[str, int]:
        """Train; returns what a job tells: how many faces moved, and how they stand.

        What people say meanwhile is put in again afterwards: faces may just have been written as they were before.
        """
        said = self.said()
        moved = self.restate()
        faces = read(self.library, self.model)
        if len(faces):
            moved += self.assign(faces)
        for _ in range(MEANWHILE):
            before, said = said, self.said()
            if before == said:
                break
            moved += self.restate()
        self.tidy()
        return {"faces_moved": moved, **{f"faces_{name}": n for name, n in self.library.faces.standings().items()}}

    def said(self) -> int:
        """The version of what people said."""
        self.library.facts.lance.checkout_latest()
        return self.library.facts.version

    def restate(self) -> int:
        """Put what people and sidecars say into faces' rows, where it is not there; returns how many changed."""
        roster, changed = Roster(self.library), 0
        for photo_ids in spoken_of(self.library):
            for known in remembered(self.library, photo_ids).values():
                detected = [face for face in known.before if not face["origin"]]
                changed += self.put(known.photo_id, known.before, settled(known, detected, roster, self.now()))
        self.writer.commit(roster.writes())
        return changed

    def put(self, photo_id: str, before: Sequence[Row], faces: Sequence[Row]) -> int:
        """Commit a photo's faces if they are other than before; returns how many are."""
        rows = rows_of(faces, FACES).to_pylist()
        different = [row for row in rows if row not in before]
        if not different and len(rows) == len(before):
            return 0
        count = changes_of([{"photo_id": photo_id, "face_count": len(rows)}], PHOTOS)
        self.writer.commit([Replace("faces", rows_of(faces, FACES), "photo_id", [photo_id]), Update("photos", count)])
        return max(len(different), 1)

    def assign(self, faces: Faces) -> int:
        """Say of each face that nobody labeled whose it is, or which cluster's; returns how many changed."""
        people, labels, clusters = indexed(self.library, faces)
        rejected = rejected_pairs(self.library)
        found = recognise(faces.vectors, labels, clusters, rejections(rejected, faces, people), self.library.confidence)
        new = new_clusters(faces, found, people.clusters, not_clusters(self.library))
        self.writer.commit(self.clusters(new))
        groups = np.array([*people.clusters, *new, ""], object)  # -1, no cluster, is the last
        names = np.array([*people.named, ""], object)
        changed = changes(faces, found, names, groups, self.library.confidence, rejected)
        for start in range(0, len(changed), FACES_AT_ONCE):
            rows = changes_of(changed[start : start + FACES_AT_ONCE], FACES)
            self.writer.commit([Update("faces", rows, sparing=("standing", LABELED))])
        return len(changed)

    def clusters(self, cluster_ids: Sequence[str]) -> list[Write]:
        """The writes that make clusters."""
        now = self.now()
        made = [{"person_id": one, "kind": CLUSTER, "created_at": now, "changed_at": now} for one in cluster_ids]
        return [Upsert("people", rows_of(made, self.library.people.schema))] if made else []

    @alone
    def tidy(self) -> None:
        """Forget clusters that no face is in any more; whoever was merged into one is remembered by it.

        While nobody says anything: a cluster that is just being named stays. Faces of somebody who was taken back while
        this training thought of them are nobody's.
        """
        for table in (self.library.people, self.library.faces):
            table.lance.checkout_latest()
        everybody = self.library.people.rows(None, ["person_id", "kind", "merged_into"]).to_pylist()
        kept = {row["merged_into"] for row in everybody}
        used = set(pc.unique(self.library.faces.rows(None, ["person_id"])["person_id"]).to_pylist())
        clusters = {row["person_id"] for row in everybody if row["kind"] == CLUSTER and not row["merged_into"]}
        if empty := sorted(clusters - kept - used):
            self.writer.commit([Delete("people", "person_id", empty)])
        if absent := sorted(used - {"", *(row["person_id"] for row in everybody)}):
            lost = self.library.faces.rows(col("person_id").isin(absent), ["face_id"])["face_id"].to_pylist()
            rows = changes_of([{"face_id": key, **NOBODY} for key in lost], FACES)
            self.writer.commit([Update("faces", rows, sparing=("standing", LABELED))])


class Index(msgspec.Struct, frozen=True):
    """Which person and which cluster a number stands for."""

    named: list[str]
    clusters: list[str]


def spoken_of(library: Library) -> Iterator[list[str]]:
    """The photos of whose faces somebody, or a sidecar, says or said something; some at a time."""
    found = set(pc.unique(library.facts.rows(None, ["photo_id"])["photo_id"]).to_pylist())
    labeled = library.faces.rows(col("standing") == lit(LABELED), ["photo_id"])
    found.update(labeled["photo_id"].to_pylist())
    for batch in library.photos.batches(None, ["photo_id", "regions"]):
        named = batch.filter(pc.greater(pc.list_value_length(batch["regions"]), 0))
        found.update(named["photo_id"].to_pylist())
    ordered = sorted(found)
    for start in range(0, len(ordered), PHOTOS_AT_ONCE):
        yield ordered[start : start + PHOTOS_AT_ONCE]


def read(library: Library, model: str) -> Faces:
    """The faces that have a vector by a model."""
    table, roster = library.registry.find(model), Roster(library)
    rows = library.faces.rows(None, ["face_id", *WHOSE], order_by="face_id")
    width = table.width if table else 0
    found = table.rows(None, ["id", "vector"]) if table else None
    ids = found["id"].combine_chunks() if found else pa.array([], pa.string())
    place = pc.index_in(rows["face_id"].combine_chunks(), ids)
    rows = rows.filter(pc.is_valid(place))
    flat = found["vector"].combine_chunks().flatten().to_numpy() if found else np.zeros(0, np.float32)
    vectors = np.asarray(flat, np.float32).reshape(-1, max(width, 1))[place.drop_null().to_numpy()]
    person = [roster.who(one) for one in rows["person_id"].to_pylist()]
    ids, written, standing = (np.array(rows[name].to_pylist(), object) for name in ("face_id", *WHOSE[:2]))
    return Faces(ids, written, np.array(person, object), standing, rows["probability"].to_numpy(), vectors)


def indexed(library: Library, faces: Faces) -> tuple[Index, NDArray[np.int32], NDArray[np.int32]]:
    """Numbers for the people and clusters there are, and of each face which labels it and which cluster it is in."""
    clusters = set(library.people.rows(col("kind") == lit(CLUSTER), ["person_id"])["person_id"].to_pylist())
    known = faces.of(LABELED)
    index = Index(
        sorted(set(faces.person[known]) | set(faces.person[faces.of(INFERRED)])),
        sorted(clusters & set(faces.person[faces.of(UNKNOWN)])),
    )
    labels = numbered(faces.person, index.named, known)
    return index, labels, numbered(faces.person, index.clusters, faces.of(UNKNOWN))


def numbered(of: NDArray[np.object_], names: Sequence[str], where: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The numbers of names, -1 for one that is none of them, and elsewhere."""
    number = {name: i for i, name in enumerate(names)}
    return np.array([number.get(one, -1) if there else -1 for one, there in zip(of, where, strict=True)], np.int32)


def rejected_pairs(library: Library) -> set[tuple[str, str]]:
    """Which faces are not whose, and in which clusters not."""
    roster = Roster(library)
    said = library.facts.rows(col("kind") == lit(REJECT), ["face_id", "person_id"]).to_pylist()
    return {(row["face_id"], roster.who(row["person_id"])) for row in said}


def rejections(rejected: Collection[tuple[str, str]], faces: Faces, people: Index) -> list[tuple[int, int]]:
    """Which faces are not whose, as numbers."""
    face = {key: i for i, key in enumerate(faces.ids)}
    person = {key: i for i, key in enumerate(people.named)}
    pairs = ((face.get(key), person.get(person_id)) for key, person_id in rejected)
    return sorted({(one, other) for one, other in pairs if one is not None and other is not None})


def not_clusters(library: Library) -> set[str]:
    """The ids that stand for somebody else by now: clusters that were named, or merged."""
    rows = library.people.rows(None, ["person_id", "kind", "merged_into"]).to_pylist()
    return {row["person_id"] for row in rows if row["kind"] != CLUSTER or row["merged_into"]}


def new_clusters(faces: Faces, found: Recognised, known: Sequence[str], used: Collection[str]) -> list[str]:
    """Ids for the clusters that are new, in the order of their numbers: the same whenever it is run again.

    None of `used`: a face that was in a cluster which has a name by now may be the first of another.
    """
    ids, taken = [], {*known, *used}
    for number in range(len(known), int(found.cluster.max(initial=-1)) + 1):
        members = faces.ids[found.cluster == number]
        key = cluster_id(f"{min(members, default='')}\0{number}")
        while key in taken:
            key = cluster_id(key)
        ids.append(key)
        taken.add(key)
    return ids


def cluster_id(origin: str) -> str:
    """The id of a cluster that something leads to."""
    return hashlib.sha256(f"cluster\0{origin}".encode()).hexdigest()[:32]


def changes(
    faces: Faces,
    found: Recognised,
    names: NDArray[np.object_],
    groups: NDArray[np.object_],
    confidence: float,
    rejected: Collection[tuple[str, str]],
) -> list[Row]:
    """What is to change in faces' rows: of those that nobody labeled, whose they are now and how sure that is.

    A face that was put out of a cluster does not come back to it.
    """
    sure = (found.person >= 0) & (found.probability >= confidence)
    person = np.where(sure, names[found.person], groups[found.cluster])
    out = [pair in rejected for pair in zip(faces.ids, person, strict=True)]
    person = np.where(np.array(out, bool) & ~sure, "", person)
    standing = np.where(sure, INFERRED, UNKNOWN)
    probability = np.where(sure, found.probability, 0).astype(np.float32)
    same = (person == faces.written) & (standing == faces.standing) & (np.abs(probability - faces.probability) < 1e-4)
    return [
        {"face_id": faces.ids[i], "person_id": person[i], "standing": standing[i], "probability": float(probability[i])}
        for i in np.flatnonzero(~same & ~faces.of(LABELED))
    ]


def foresee(library: Library, model: str) -> Plan:
    """What a training would look at."""
    standings, faces = library.faces.standings(), library.faces.count()
    table = library.registry.find(model)
    return Plan(
        action="train-faces",
        counts={"faces": faces, "with_vectors": table.count() if table else 0, "kept": standings[LABELED]},
    )
