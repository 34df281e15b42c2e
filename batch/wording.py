"""The writes that say something of faces and people. Commits nothing; what is said when is `naming.py`'s business."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import msgspec

from batch.faces import SIDES, labeled
from batch.rows import Row
from batch.said import forget, refused
from cluster.store.database import Library
from cluster.store.faces import SCHEMA as FACES
from cluster.store.facts import LABEL, fact_id
from cluster.store.people import Person
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Update, Upsert, Write


class Wording:
    """How one user's words become rows of one library."""

    def __init__(self, library: Library, by: str, now: Callable[[], datetime]) -> None:
        """`by` is the user's id."""
        self.library, self.by, self.now = library, by, now

    def labels(self, faces: Sequence[Row], person_id: str) -> list[Write]:
        """The writes that say that some faces are a person's."""
        if not faces:
            return []
        said = [self.fact(face, LABEL, person_id) for face in faces]
        taken_back = [fact for facts in refused(self.library, faces, {person_id}).values() for fact in facts]
        return [*self.facts(said), *forget(taken_back), *changed(faces, labeled(person_id))]

    def fact(self, face: Row, kind: str, person_id: str = "") -> Row:
        """Something said of a face, as a row."""
        key = fact_id(face["face_id"], kind, person_id)
        about = {name: face[name] for name in ("photo_id", "face_id", *SIDES)}
        said = {"kind": kind, "person_id": person_id, "made_by": self.by, "made_at": self.now()}
        return {**about, "fact_id": key, **said}

    def facts(self, said: Sequence[Row]) -> list[Write]:
        """The writes of some facts, with the content of the photos they are about."""
        if not said:
            return []
        photos = self.library.photos.by_keys([fact["photo_id"] for fact in said], ["photo_id", "content_id"])
        contents = {row["photo_id"]: row["content_id"] for row in photos.to_pylist()}
        full = [{**fact, "content_id": contents.get(fact["photo_id"], "")} for fact in said]
        return [Upsert("facts", rows_of(full, self.library.facts.schema))]

    def people(self, people: Sequence[Person]) -> list[Write]:
        """The writes of some people."""
        rows = [msgspec.structs.asdict(person) for person in people]
        return [Upsert("people", rows_of(rows, self.library.people.schema))] if rows else []

    def vector(self, face: Row, vector: tuple[str, Sequence[float]] | None) -> list[Write]:
        """The writes of a face's vector, where there is one."""
        if vector is None:
            return []
        model, numbers = vector
        table = self.library.embeddings(model, len(numbers))
        row = {"id": face["face_id"], "photo_id": face["photo_id"], "vector": list(numbers)}
        return [Upsert(table.name, rows_of([row], table.schema))]

    def counted(self, photo_ids: set[str], more: Collection[str] = (), without: Collection[str] = ()) -> list[Write]:
        """The writes that say how many faces some photos have, when some more are theirs and others are not."""
        rows = self.library.faces.of_photos(sorted(photo_ids), ["face_id", "photo_id"]).to_pylist()
        others = {*without, *more}
        left = Counter(row["photo_id"] for row in rows if row["face_id"] not in others)
        counts = [{"photo_id": photo, "face_count": left[photo] + len(more)} for photo in sorted(photo_ids)]
        return [Update("photos", changes_of(counts, self.library.photos.schema))]


def changed(faces: Sequence[Row], values: Row) -> list[Write]:
    """The write that changes columns of some faces."""
    if not faces:
        return []
    rows = [{"face_id": face["face_id"], **values} for face in faces]
    return [Update("faces", changes_of(rows, FACES))]
