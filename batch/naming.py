"""What somebody says of faces and people - that is Kim, that is not, these two are one - committed as facts.

Facts and people are committed before the faces that follow from them: whatever is cut off in between, saying it again
or the next training brings to its end.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec
from lancedb.expr import col

from batch import acts
from batch.faces import DRAWN_BY_USER, NOBODY, SIDES, Roster, box_of, drawn, overlap
from batch.rows import Row, now_utc
from batch.said import added_id, alone, forget, named_by_sidecars, refused
from batch.sink import Commits
from batch.wording import Wording, changed
from cluster.errors import Conflict, Invalid, NotFound
from cluster.store.database import Library
from cluster.store.faces import INFERRED, LABELED, UNKNOWN
from cluster.store.facts import ADD, DELETE, LABEL, REJECT, fact_id
from cluster.store.people import CLUSTER, PERSON, Person, checked, id_of, key_of
from cluster.store.schema import rows_of
from cluster.store.writer import Delete, Upsert, Write
from serve_apps.models.protocol import Box

MOST_FACES = 10_000  # that one request may be about
CROWDED = 0.7  # a box that overlaps a face's so far is that face's


class Naming(Wording):
    """What one user says of one library. Every method raises NotFound for a face or person that is not there."""

    def __init__(self, library: Library, writer: Commits, by: str, now: Callable[[], datetime] = now_utc) -> None:
        """`by` is the user's id."""
        super().__init__(library, by, now)
        self.writer = writer

    @alone
    def label(self, face_ids: Sequence[str], person_id: str = "", name: str = "") -> Person:
        """These faces are somebody's: a known person's, or that of a name, who is made when nobody has it."""
        faces = self.faces(face_ids)
        person, made = self.whose(person_id, name)
        self.act(acts.LABEL, [person.name], [*made, *self.labels(faces, person.person_id)])
        return person

    @alone
    def confirm(self, face_ids: Sequence[str]) -> int:
        """These faces are whose they were thought to be; raises Conflict for one that nobody was thought of."""
        faces = self.faces(face_ids)
        if any(face["standing"] not in (INFERRED, LABELED) for face in faces):
            raise Conflict("Nobody is thought of for one of these faces; say whose it is.")
        roster = Roster(self.library)
        whose = groupby(sorted(faces, key=lambda face: face["person_id"]), key=lambda face: face["person_id"])
        by_person = [(roster.who(one), [*of_one]) for one, of_one in whose]
        writes = [write for one, of_one in by_person for write in self.labels(of_one, one)]
        self.act(acts.CONFIRM, self.names(one for one, _ in by_person), writes)
        return len(faces)

    @alone
    def reject(self, face_ids: Sequence[str], person_id: str = "") -> int:
        """These faces are not a person's, or not of whom they are thought to be: that is never offered again."""
        faces = self.faces(face_ids)
        roster = Roster(self.library)
        not_of = {face["face_id"]: roster.who(person_id or face["person_id"]) for face in faces}
        if "" in not_of.values():
            raise Conflict("Nobody is thought of for one of these faces; there is nothing to reject.")
        if person_id:
            self.library.people.person(person_id)
        of_them = [face for face in faces if roster.who(face["person_id"]) == not_of[face["face_id"]]]
        said = [self.fact(face, REJECT, not_of[face["face_id"]]) for face in faces]
        taken_back = [fact_id(face["face_id"], LABEL) for face in of_them]
        writes = [*self.facts(said), *forget(taken_back), *changed(of_them, NOBODY)]
        self.act(acts.REJECT, self.names(not_of.values()), writes)
        return len(faces)

    @alone
    def unlabel(self, face_ids: Sequence[str]) -> int:
        """Nobody says any more whose these faces are; whom a sidecar names is rejected, or it would say so again."""
        faces = self.faces(face_ids)
        labels = [fact_id(face["face_id"], LABEL) for face in faces]
        named = named_by_sidecars(self.library, faces, self.now())
        said = [self.fact(face, REJECT, named[face["face_id"]]) for face in faces if face["face_id"] in named]
        self.act(acts.UNLABEL, [], [*self.facts(said), *forget(labels), *changed(faces, NOBODY)])
        return len(faces)

    @alone
    def delete(self, face_ids: Sequence[str]) -> int:
        """These are no faces, or none that matter: they do not come back. Those that are deleted may be among them."""
        said_before = self.library.facts.by_keys([fact_id(key, DELETE) for key in face_ids]).to_pylist()
        photos = {fact["face_id"]: fact["photo_id"] for fact in said_before}
        faces = self.faces(face_ids, photos)
        photos |= {face["face_id"]: face["photo_id"] for face in faces}
        tables = [table.name for model in self.library.models() if (table := self.library.registry.find(model))]
        vectors: list[Write] = [Delete(name, "id", list(photos)) for name in tables]
        said = [self.fact(face, DELETE) for face in faces]
        counts = self.counted(set(photos.values()), without=photos.keys())
        gone = Delete("faces", "face_id", list(photos))
        self.act(acts.DELETE, [], [*self.facts(said), *vectors, gone, *counts])
        return len(photos)

    @alone
    def add(
        self, photo_id: str, box: Box, vector: tuple[str, Sequence[float]] | None, person_id: str = "", name: str = ""
    ) -> str:
        """There is a face where no model found one; returns its id. Raises Conflict where one is already.

        `vector` is the face's by a model: (model's name, vector of unit length).
        """
        self.photo(photo_id)
        left, top, right, bottom = box
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise Invalid("A face's box is left, top, right and bottom as fractions of the picture; draw it again.")
        key, there = added_id(photo_id, box), self.library.faces.of_photos([photo_id]).to_pylist()
        if any(overlap(box_of(one), box) > CROWDED for one in there if one["face_id"] != key):
            raise Conflict("There is a face already; say whose that one is.")
        person, made = self.whose(person_id, name) if person_id or name else (None, [])
        place = {**dict(zip(SIDES, box, strict=True)), "photo_id": photo_id, "face_id": key}
        before = next((one for one in there if one["face_id"] == key), NOBODY)
        face = {**before, **drawn(photo_id, key, place, DRAWN_BY_USER)}
        faces = Upsert("faces", rows_of([face], self.library.faces.schema))
        whose = self.labels([face], person.person_id) if person else []
        said = [*self.facts([self.fact(face, ADD)]), *forget([fact_id(key, DELETE)])]
        writes = [*made, *said, *self.vector(face, vector), faces, *whose, *self.counted({photo_id}, {key})]
        self.act(acts.ADD, [person.name] if person else [], writes)
        return key

    @alone
    def rename(self, person_id: str, name: str) -> Person:
        """A person has another name; a cluster becomes a person, whose faces somebody has seen.

        Raises Conflict when another person has that name: merge them.
        """
        person, kept = self.library.people.person(person_id), checked(name)
        other = self.library.people.named(kept)
        if other and other.person_id != person.person_id:
            raise Conflict(f"There is a {other.name} already; merge the two if they are one.")
        now = msgspec.structs.replace(person, name=kept, name_key=key_of(kept), kind=PERSON, changed_at=self.now())
        faces = self.library.faces.of_person(person.person_id).to_pylist()
        others = refused(self.library, faces, {person.person_id})
        seen = [face for face in faces if face["standing"] == UNKNOWN and face["face_id"] not in others]
        self.act(acts.RENAME, [person.name, kept], [*self.people([now]), *self.labels(seen, now.person_id)])
        return now

    @alone
    def merge(self, into: str, others: Sequence[str]) -> Person:
        """Some people are one: all are now the first, or, where that one has no name, the first that has one.

        Their faces keep how they are known, but for a cluster's, which are labeled when it turns out to be a person.
        """
        if not others:
            raise Invalid("Name at least one other person to merge.")
        people = self.library.people
        all_of = [people.person(into), *[people.person(one) for one in others]]
        target = next((one for one in all_of if one.kind == PERSON), all_of[0])
        ids = sorted({into, *others, *[one.person_id for one in all_of]} - {target.person_id})
        rows = people.of_ids(ids)
        gone = [
            msgspec.structs.replace(row, merged_into=target.person_id, changed_at=self.now()) for row in rows.values()
        ]
        shown = fronted(target, all_of, self.now())
        names = list({one.person_id: one.name for one in [target, *all_of]}.values())
        changed_people = gone if shown == target else [*gone, shown]
        self.act(acts.MERGE, names, [*self.people(changed_people), *self.united(rows, target)])
        return shown

    def united(self, gone: Mapping[str, Person], target: Person) -> list[Write]:
        """The writes that give the faces of people who are gone to another.

        A labeled face is theirs whatever was said of their names; another is not, if it is none of these people's.
        """
        ids = {*gone, target.person_id}
        faces = self.library.faces.rows(col("person_id").isin(sorted(ids))).to_pylist()
        refusals = refused(self.library, faces, ids)
        stay = [face for face in faces if face["standing"] == LABELED or face["face_id"] not in refusals]
        theirs = [face for face in stay if face["person_id"] in gone]
        known = {key for key, person in gone.items() if person.kind == CLUSTER} if target.kind == PERSON else set()
        seen = [face for face in theirs if face["person_id"] in known]
        moved = [face for face in theirs if face["person_id"] not in known]
        out = [face for face in faces if face["standing"] != LABELED and face["face_id"] in refusals]
        taken_back = forget([fact for face in stay for fact in refusals.get(face["face_id"], [])])
        whose = changed(moved, {"person_id": target.person_id})
        return [*self.labels(seen, target.person_id), *taken_back, *whose, *changed(out, NOBODY)]

    @alone
    def split(self, person_id: str, face_ids: Sequence[str], name: str) -> Person:
        """Some of a person's faces are another's, who has a name; they are never offered as the first's again."""
        old, faces = self.library.people.person(person_id), self.faces(face_ids)
        person, made = self.whose("", name)
        if person.person_id == old.person_id:
            raise Conflict(f"These faces are {old.name}'s already; give the other person another name.")
        roster = Roster(self.library)
        if {roster.who(face["person_id"]) for face in faces} - {old.person_id, person.person_id}:
            raise Invalid("One of these faces is somebody else's; choose faces of this person.")
        said = self.facts([self.fact(face, REJECT, old.person_id) for face in faces])
        self.act(acts.SPLIT, [old.name, person.name], [*made, *said, *self.labels(faces, person.person_id)])
        return person

    @alone
    def hide(self, person_id: str, hidden: bool) -> Person:
        """Show a person among the others, or do not."""
        return self.change(acts.HIDE if hidden else acts.SHOW, person_id, hidden=hidden)

    @alone
    def cover(self, person_id: str, face_id: str) -> Person:
        """A person is shown by one of their faces, "" for one that we choose; raises Invalid for another's."""
        person = self.library.people.person(person_id)
        if face_id and Roster(self.library).who(self.faces([face_id])[0]["person_id"]) != person.person_id:
            raise Invalid("That face is somebody else's; choose one of this person's.")
        return self.change(acts.COVER, person.person_id, cover_face_id=face_id)

    def change(self, kind: str, person_id: str, **values: object) -> Person:
        """A person with other columns, committed."""
        person = msgspec.structs.replace(self.library.people.person(person_id), changed_at=self.now(), **values)
        self.act(kind, [person.name], self.people([person]))
        return person

    def act(self, kind: str, names: Sequence[str], writes: Sequence[Write]) -> None:
        """Commit what is said of some people, with what it changes as that was before."""
        said = acts.Said(kind, names, self.by, self.now())
        self.writer.commit([*acts.recorded(self.library, said, writes), *writes])

    def names(self, person_ids: Iterable[str]) -> list[str]:
        """The names of some people, each once."""
        people = self.library.people.of_ids(sorted(set(person_ids)))
        return sorted({person.name for person in people.values()})

    def whose(self, person_id: str, name: str) -> tuple[Person, list[Write]]:
        """A person by id or name, and the writes that make them when they are new."""
        if person_id:
            person = self.library.people.person(person_id)
            if person.kind == CLUSTER:
                raise Conflict("Nobody has named these faces yet; give them a name first.")
            return person, []
        kept = checked(name)
        if known := self.library.people.named(kept):
            return known, []
        key = id_of(kept)
        if self.library.people.get(key):  # who first had the name is called otherwise by now
            key = secrets.token_hex(16)
        now = self.now()
        person = Person(key, kept, key_of(kept), PERSON, "", "", False, now, now)
        return person, self.people([person])

    def faces(self, face_ids: Sequence[str], gone: Collection[str] = ()) -> list[Row]:
        """Some faces, without those that are gone; raises NotFound when another is not there, Invalid for too many."""
        wanted = list(dict.fromkeys(face_ids))
        if not 1 <= len(wanted) <= MOST_FACES:
            raise Invalid(f"Name 1 to {MOST_FACES:,} faces.")
        found: list[Row] = self.library.faces.by_keys(wanted).to_pylist()
        if set(wanted) - {face["face_id"] for face in found} - set(gone):
            raise NotFound("There is no such face.")
        return found

    def photo(self, photo_id: str) -> Row:
        """A photo; raises NotFound."""
        if row := self.library.photos.get(photo_id):
            return row
        raise NotFound("There is no such photo.")


def fronted(target: Person, people: Sequence[Person], now: datetime) -> Person:
    """Somebody with the cover of the first of some people who has one, where they have none themselves."""
    cover = next((one.cover_face_id for one in people if one.cover_face_id), "")
    if target.cover_face_id or not cover:
        return target
    return msgspec.structs.replace(target, cover_face_id=cover, changed_at=now)
