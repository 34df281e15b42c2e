"""Taking an act back: what it changed is as it was before, as far as nobody said something else since.

An act is taken back unless a later one is about the same faces or people; that one is taken back first. What scans and
trainings did meanwhile is respected: boxes stay as they are now, photos that are gone are left out, nobody has faces
who is not there. Everything is worked out from what is there now, and that it is undone is noted last: what a kill cut
off is ended by doing it again. What is kept of an act is `acts.py`'s business.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import cached_property

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.expr import col, lit

from batch import acts
from batch.acts import kept_of, told
from batch.faces import NOBODY, Roster, labeled
from batch.rows import Row, now_utc
from batch.said import alone
from batch.sink import Commits
from cluster.errors import Conflict
from cluster.store.acts import SCHEMA, Act, act_of
from cluster.store.database import Library
from cluster.store.faces import INFERRED, LABELED, UNKNOWN
from cluster.store.faces import SCHEMA as FACES
from cluster.store.facts import LABEL
from cluster.store.people import CLUSTER, PERSON
from cluster.store.schema import changes_of
from cluster.store.writer import Delete, Update, Upsert, Write


class Undoing:
    """Takes acts of one library back."""

    def __init__(self, library: Library, writer: Commits, now: Callable[[], datetime] = now_utc) -> None:
        """`library` should see every commit (`store.fresh_s` 0): what is decided here is final."""
        self.library, self.writer, self.now = library, writer, now

    @alone
    def undo(self, act_id: str) -> Act:
        """Take an act back; one that is undone already stays so.

        Raises NotFound, and Conflict when something else must be taken back, or changed, first.
        """
        act, row = self.library.acts.act(act_id)
        if act.undone_at:
            return act
        past = Past(self.library, act, row)
        past.check()
        # Facts and people go in commits of their own: as long as faces may be theirs, they must be there.
        for writes in (past.rows_back(), past.facts_gone(), past.people_gone()):
            if writes:
                self.writer.commit(writes)
        undone = msgspec.structs.replace(act, undone_at=self.now())
        mark = {"act_id": act_id, "undone": True, "undone_at": undone.undone_at}
        self.writer.commit([Update("acts", changes_of([mark], SCHEMA))])
        return undone


class Past:
    """What an act changed, beside what is there now."""

    def __init__(self, library: Library, act: Act, row: Row) -> None:
        self.library, self.act, self.row = library, act, row
        self.kept = kept_of(library, row["rows"])
        self.faces: list[Row] = self.kept.rows["faces"].to_pylist()
        self.made_faces = self.kept.made["faces"]
        self.own = {*self.made_faces, *(face["face_id"] for face in self.faces)}
        self.there = {face["face_id"]: face for face in library.faces.by_keys(sorted(self.own)).to_pylist()}

    # What is in the way

    def check(self) -> None:
        """Raise Conflict when this act cannot be taken back now."""
        touched, people = set(self.row["touched"]), {*self.kept.made["people"], *self.clusters}
        for later in self.library.acts.after(self.act.number):
            if touched & set(later["touched"]) or people & set(later["meant"]):
                raise Conflict(
                    f"Something came after this; undo that first: {told(act_of(later))} (act {later['act_id']})."
                )
        self.check_names()
        theirs = col("person_id").isin(sorted(self.clusters)) & (col("standing") == lit(LABELED))
        named = self.library.faces.rows(theirs, ["face_id"])["face_id"].to_pylist() if self.clusters else []
        if set(named) - self.own:
            raise Conflict("A photo's own file names this person by now; take the label of single faces back instead.")

    def check_names(self) -> None:
        """Raise Conflict when somebody else has a name by now that somebody is to have again."""
        back = {row["name_key"]: row for row in self.people if row["kind"] == PERSON and not row["merged_into"]}
        mine = {*self.kept.made["people"], *(row["person_id"] for row in self.people)}
        for row in self.library.people.rows(col("merged_into") == lit("")).to_pylist() if back else ():
            if row["kind"] == PERSON and row["name_key"] in back and row["person_id"] not in mine:
                raise Conflict(f"There is another {row['name']} by now; rename that one first.")

    # What was

    @cached_property
    def people(self) -> list[Row]:
        """The people as they were."""
        found: list[Row] = self.kept.rows["people"].to_pylist()
        return found

    @cached_property
    def clusters(self) -> set[str]:
        """Those of them who had no name."""
        return {row["person_id"] for row in self.people if row["kind"] == CLUSTER}

    @cached_property
    def contents(self) -> dict[str, str]:
        """What the photos that are there show now."""
        rows = self.library.photos.by_keys(sorted(self.kept.shown), ["photo_id", "content_id"])
        return dict(zip(rows["photo_id"].to_pylist(), rows["content_id"].to_pylist(), strict=True))

    @cached_property
    def same(self) -> set[str]:
        """The photos that show the picture they did. Saving metadata gives it another content, and facts with it."""
        keys = [*self.kept.made["facts"], *self.kept.rows["facts"]["fact_id"].to_pylist()]
        facts = self.library.facts.by_keys(keys, ["photo_id", "content_id"]).to_pylist()
        shown = {(fact["photo_id"], fact["content_id"]) for fact in facts} | set(self.kept.shown.items())
        return {photo for photo, content in self.contents.items() if (photo, content) in shown}

    @cached_property
    def gone(self) -> set[str]:
        """The people who were made by it and are nobody's now: no other face, and nothing else said, is about them."""
        made = sorted(self.kept.made["people"])
        if not made:
            return set()
        theirs = col("person_id").isin(made)
        faces = self.library.faces.rows(theirs & (col("standing") == lit(LABELED)), ["face_id", "person_id"])
        facts = self.library.facts.rows(theirs & (col("kind") == lit(LABEL)), ["fact_id", "person_id"])
        mine = {*self.kept.made["facts"], *self.kept.rows["facts"]["fact_id"].to_pylist()}
        stay = {row["person_id"] for row in faces.to_pylist() if row["face_id"] not in self.own}
        return set(made) - stay - {row["person_id"] for row in facts.to_pylist() if row["fact_id"] not in mine}

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Who will be there, with a name or as a cluster."""
        rows = self.library.people.rows(None, ["person_id", "kind"]).to_pylist()
        kinds = {row["person_id"]: row["kind"] for row in [*rows, *self.people]}
        return {person: kind for person, kind in kinds.items() if person not in self.gone}

    @cached_property
    def roster(self) -> Roster:
        """Who will be who."""
        roster = Roster(self.library)
        roster.merged.update({row["person_id"]: row["merged_into"] for row in self.people})
        return roster

    def whose(self, face: Row) -> Row:
        """Whose a face was; nobody's, if that one is not there any more, or has got or lost a name."""
        person, standing = self.roster.who(face["person_id"]), face["standing"]
        if self.kinds.get(person) != (CLUSTER if standing == UNKNOWN else PERSON):
            return NOBODY
        return {"person_id": person, "standing": standing, "probability": face["probability"]}

    # The writes

    def rows_back(self) -> list[Write]:
        """The writes that put back what was there."""
        new, whose, gone = self.faces_back(), self.whose_back(), sorted(self.faces_gone)
        back = [Upsert(name, rows) for name, rows in self.rows_of(new).items() if len(rows)]
        deleted: list[Write] = [Delete("faces", "face_id", gone)] if gone else []
        return [*back, *self.vectors_gone(), *whose, *deleted, *self.counts(new)]

    def rows_of(self, new: pa.Table) -> dict[str, pa.Table]:
        """Rows by table, without those of photos and faces that are not there."""
        rows = self.kept.rows
        ids = [*self.there, *new["face_id"].to_pylist()]
        there = pa.array(ids, pa.string())
        vectors = {name: rows[name].filter(pc.is_in(rows[name]["id"], there)) for name in self.vectors}
        return {"people": rows["people"], "facts": self.facts_back(), **vectors, "faces": new}

    @property
    def vectors(self) -> list[str]:
        """The tables of vectors."""
        return [name for name in self.kept.rows if name not in ("people", "facts", "faces")]

    def facts_back(self) -> pa.Table:
        """What was said before, of photos and people that are there; of the same picture under its id of today."""
        rows = self.kept.rows["facts"]
        found = [
            {**fact, "content_id": self.contents[fact["photo_id"]] if self.unchanged(fact) else fact["content_id"]}
            for fact in rows.to_pylist()
            if fact["photo_id"] in self.contents and (fact["kind"] != LABEL or fact["person_id"] in self.kinds)
        ]
        return pa.Table.from_pylist(found, rows.schema)

    def unchanged(self, fact: Row) -> bool:
        """Whether something was said of the picture that the photo shows still."""
        return fact["photo_id"] in self.same and fact["content_id"] == self.kept.shown.get(fact["photo_id"])

    def faces_back(self) -> pa.Table:
        """The faces that it deleted, and labeled ones that no scan found again, where the picture is the same."""
        rows = [
            {**face, **self.whose(face)}
            for face in self.faces
            if face["face_id"] not in self.there and face["photo_id"] in self.same
            if self.act.kind == acts.DELETE or face["standing"] == LABELED
        ]
        return pa.Table.from_pylist(rows, self.kept.rows["faces"].schema)

    def whose_back(self) -> list[Write]:
        """The writes that say of faces that are there whose they were; boxes stay as they are."""
        rows = [
            {"face_id": face["face_id"], **self.whose(face)} for face in self.faces if face["face_id"] in self.there
        ]
        found = [{"face_id": key, **NOBODY} for key in sorted(self.there.keys() & self.made_faces - self.faces_gone)]
        all_of = [*rows, *found, *self.others()]
        return [Update("faces", changes_of(all_of, FACES))] if all_of else []

    def others(self) -> list[Row]:
        """What else changes: of faces that trainings and scans gave to people who are not what they were."""
        left = sorted({*self.gone, *self.clusters})
        guessed = col("person_id").isin(left) & (col("standing") == lit(INFERRED))
        faces = self.library.faces.rows(guessed, ["face_id", "person_id"]).to_pylist() if left else []
        found = {face["face_id"]: {**NOBODY, "person_id": face["person_id"]} for face in faces}
        found = {key: NOBODY if whose["person_id"] in self.gone else whose for key, whose in found.items()}
        found |= self.apart() if self.act.kind == acts.MERGE else {}
        return [{"face_id": key, **whose} for key, whose in found.items() if key not in self.own]

    def apart(self) -> dict[str, Row]:
        """Whose the faces are that somebody labeled as people who are on their own again, and scans found since."""
        theirs = col("person_id").isin([row["person_id"] for row in self.people]) & (col("kind") == lit(LABEL))
        facts = {fact["face_id"]: fact["person_id"] for fact in self.library.facts.rows(theirs).to_pylist()}
        there = self.library.faces.by_keys(sorted(facts), ["face_id"])["face_id"].to_pylist()
        return {key: labeled(self.roster.who(facts[key])) for key in there}

    @cached_property
    def faces_gone(self) -> set[str]:
        """The faces that it made, but for those that a model finds there by now."""
        return {key for key in self.made_faces if key in self.there and self.there[key]["origin"]}

    def vectors_gone(self) -> list[Write]:
        """The writes that delete the vectors that it made, but for those of faces that a model finds there by now."""
        found = {key for key, face in self.there.items() if not face["origin"]}
        keys = {name: sorted(self.faces_gone | self.kept.made[name] - found) for name in self.vectors}
        return [Delete(name, "id", ids) for name, ids in keys.items() if ids]

    def counts(self, new: pa.Table) -> list[Write]:
        """The writes that say how many faces photos have, where that is other."""
        photos = sorted(self.contents)
        rows = self.library.faces.of_photos(photos, ["face_id", "photo_id"]).to_pylist() if photos else []
        faces = {row["face_id"]: row["photo_id"] for row in [*rows, *new.select(["face_id", "photo_id"]).to_pylist()]}
        counts = Counter(photo for key, photo in faces.items() if key not in self.faces_gone)
        known = self.library.photos.by_keys(photos, ["photo_id", "face_count"]).to_pylist()
        other = [
            {"photo_id": row["photo_id"], "face_count": counts[row["photo_id"]]}
            for row in known
            if row["face_count"] != counts[row["photo_id"]]
        ]
        return [Update("photos", changes_of(other, self.library.photos.schema))] if other else []

    def facts_gone(self) -> list[Write]:
        """The writes that forget what it said."""
        made = sorted(self.kept.made["facts"])
        return [Delete("facts", "fact_id", made)] if made else []

    def people_gone(self) -> list[Write]:
        """The writes that forget whom it made."""
        return [Delete("people", "person_id", sorted(self.gone))] if self.gone else []
