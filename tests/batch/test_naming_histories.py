"""Random histories of all that can happen to faces - said, found again, trained - and after each step all adds up."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from batch.faces import Roster
from cluster.errors import Conflict, Invalid
from cluster.store.census import census_of
from cluster.store.people import CLUSTER, PERSON, id_of
from tests.batch.portraits import BELOW, Portraits

NUMBERS = st.integers(0, 50)
NAMES = st.sampled_from(["Kim", "Lee", "Max", "KIM"])


class History(RuleBasedStateMachine):
    """What somebody said, as they remember it, beside the library that it was said of."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="history-"))
        self.labels: dict[str, str] = {}  # face -> person, as last said
        self.rejected: set[tuple[str, str]] = set()  # face, person
        self.deleted: set[str] = set()

    @initialize()
    def fill(self) -> None:
        """Faces are found; a sidecar names one."""
        self.album = Portraits(self.root).fill(named=0)
        self.labels["p0-00"] = id_of("Zoe")

    def teardown(self) -> None:
        """Nothing stays on disk."""
        shutil.rmtree(self.root)

    def face(self, number: int) -> str:
        """One of the faces."""
        faces = sorted(self.album.whose())
        return faces[number % len(faces)]

    def people(self, kind: str = "") -> list[str]:
        """Everybody there is."""
        return sorted(one.person_id for one in self.album.library.people.list() if kind in ("", one.kind))

    def who(self, person_id: str) -> str:
        """Whom an id means today."""
        return Roster(self.album.library).who(person_id)

    def say_is(self, face: str, person: str) -> None:
        """Remember a label, which takes rejections of the same person back."""
        self.labels[face] = person
        self.rejected = {(one, who) for one, who in self.rejected if (one, self.who(who)) != (face, self.who(person))}

    def learn(self) -> None:
        """Remember what naming a cluster labeled."""
        for face, person in self.album.labeled().items():
            if face not in self.labels:
                assert (face, person) not in {(one, self.who(who)) for one, who in self.rejected}
                self.labels[face] = person

    @rule(number=NUMBERS, name=NAMES)
    def label(self, number: int, name: str) -> None:
        """A face is somebody's."""
        face = self.face(number)
        self.say_is(face, self.album.naming().label([face], name=name).person_id)

    @rule(number=NUMBERS)
    def confirm(self, number: int) -> None:
        """A face is whose it is thought to be."""
        face = self.face(number)
        person, standing = self.album.whose()[face]
        with suppress(Conflict):
            self.album.naming().confirm([face])
            assert standing
            self.say_is(face, person)

    @rule(number=NUMBERS)
    def reject(self, number: int) -> None:
        """A face is not whose it is thought to be."""
        face = self.face(number)
        person, _ = self.album.whose()[face]
        with suppress(Conflict):
            self.album.naming().reject([face])
            assert person
            self.labels.pop(face, None)
            self.rejected.add((face, person))

    @rule(number=NUMBERS, other=NUMBERS)
    def reject_another(self, number: int, other: int) -> None:
        """A face is not some person's."""
        face, people = self.face(number), self.people()
        person = people[other % len(people)]
        self.album.naming().reject([face], person)
        if self.who(self.labels.get(face, "")) == person:
            del self.labels[face]
        self.rejected.add((face, person))

    @rule(number=NUMBERS)
    def unlabel(self, number: int) -> None:
        """Nobody says any more whose a face is."""
        face = self.face(number)
        self.album.naming().unlabel([face])
        self.labels.pop(face, None)

    @precondition(lambda self: len(self.album.whose()) > 3)
    @rule(number=NUMBERS)
    def delete(self, number: int) -> None:
        """A face is none."""
        face = self.face(number)
        self.album.naming().delete([face])
        self.labels.pop(face, None)
        self.deleted.add(face)

    @rule(photo=st.integers(0, 3), name=st.one_of(st.just(""), NAMES))
    def add(self, photo: int, name: str) -> None:
        """There is a face below."""
        face = self.album.naming().add(f"p{photo}", BELOW, None, name=name)
        self.deleted.discard(face)
        if name:
            self.say_is(face, self.album.labeled()[face])

    @rule(number=NUMBERS, name=NAMES)
    def rename(self, number: int, name: str) -> None:
        """A person or a cluster has another name, if nobody else has."""
        people = self.people()
        with suppress(Conflict):
            self.album.naming().rename(people[number % len(people)], name)
        self.learn()

    @rule(number=NUMBERS, other=NUMBERS)
    def merge(self, number: int, other: int) -> None:
        """Two are one."""
        people = self.people()
        self.album.naming().merge(people[number % len(people)], [people[other % len(people)]])
        self.rejected = {
            (face, who) for face, who in self.rejected if self.who(who) != self.who(self.labels.get(face, ""))
        }
        self.learn()

    @rule(number=NUMBERS, name=NAMES)
    def split(self, number: int, name: str) -> None:
        """A face is not the person's whose it is thought to be, but another's."""
        face = self.face(number)
        if person := self.album.whose()[face][0]:
            with suppress(Conflict, Invalid):
                other = self.album.naming().split(person, [face], name)
                self.say_is(face, other.person_id)
                self.rejected.add((face, person))

    @rule()
    def rescan(self) -> None:
        """Faces are looked for again."""
        self.album.rescan()

    @rule()
    def train(self) -> None:
        """Faces that nobody labeled are somebody's, or in a cluster."""
        told = self.album.train()
        assert sum(told[f"faces_{name}"] for name in ("labeled", "inferred", "unknown")) == len(self.album.whose())
        before = self.album.whose()
        self.album.train()
        assert self.album.whose() == before

    @invariant()
    def all_faces_are_counted(self) -> None:
        """Labeled, inferred and unknown ones are all there are; every photo knows its number; every id stands once."""
        library = self.album.library
        ids = library.faces.rows(None, ["face_id", "photo_id"]).to_pylist()
        counts = census_of(library)
        assert counts.labeled + counts.inferred + counts.unknown == counts.faces == len(ids)
        assert len({row["face_id"] for row in ids}) == len(ids)
        assert counts.labeled == len(self.album.labeled())
        photos = library.photos.rows(None, ["photo_id", "face_count"]).to_pylist()
        assert {row["photo_id"]: row["face_count"] for row in photos} == {
            f"p{i}": sum(row["photo_id"] == f"p{i}" for row in ids) for i in range(4)
        }

    @invariant()
    def faces_are_peoples(self) -> None:
        """Nobody has a face who is not there; labeled and inferred ones are a person's, unknown ones in a cluster."""
        kinds = {row["person_id"]: row["kind"] for row in self.album.library.people.rows().to_pylist()}
        for person, standing in self.album.whose().values():
            assert kinds.get(person, CLUSTER) == (PERSON if standing else CLUSTER)
            assert person in kinds or (person, standing) == ("", "")

    @invariant()
    def what_was_said_holds(self) -> None:
        """A labeled face is labeled until somebody says otherwise, a rejected person never stands on that face."""
        whose = self.album.whose()
        assert {face: self.who(who) for face, who in self.labels.items()} == {
            face: self.who(who) for face, who in self.album.labeled().items()
        }
        for face, person in self.rejected:
            assert face not in whose or self.who(whose[face][0]) != self.who(person), (face, person)
        assert not self.deleted & whose.keys()


TestHistories = History.TestCase
TestHistories.settings = settings(deadline=None, derandomize=True, max_examples=12, stateful_step_count=14)
