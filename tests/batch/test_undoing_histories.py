"""Random histories of what is said of faces, with kills, scans and trainings between, all of it taken back again."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from batch.faces import Roster
from batch.naming import Naming
from cluster.errors import Conflict, Invalid
from cluster.store.census import census_of
from cluster.store.people import CLUSTER, PERSON
from tests.batch.bench_of_one import Killed
from tests.batch.portraits import BELOW, MODEL, Portraits, looks

NUMBERS = st.integers(0, 50)
NAMES = st.sampled_from(["Kim", "Lee", "Max", "KIM"])
PHOTOS = 4
UNIT = (MODEL, looks(0, 9))
WORDS: dict[str, Callable[[Naming, str, str, str, str, str], Any]] = {
    "label": lambda say, face, _, person, other, name: say.label([face], name=name),
    "label two": lambda say, face, more, person, other, name: say.label([face, more], name=name),
    "confirm": lambda say, face, _, person, other, name: say.confirm([face]),
    "reject": lambda say, face, _, person, other, name: say.reject([face]),
    "reject another": lambda say, face, _, person, other, name: say.reject([face], person),
    "unlabel": lambda say, face, more, person, other, name: say.unlabel([face, more]),
    "delete": lambda say, face, _, person, other, name: say.delete([face]),
    "add": lambda say, face, _, person, other, name: say.add(face[:2], BELOW, UNIT, name=name),
    "add nobody's": lambda say, face, _, person, other, name: say.add(face[:2], BELOW, None),
    "rename": lambda say, face, _, person, other, name: say.rename(person, name),
    "merge": lambda say, face, _, person, other, name: say.merge(person, [other]),
    "split": lambda say, face, _, person, other, name: say.split(person, [face], name),
    "hide": lambda say, face, _, person, other, name: say.hide(person, True),
    "cover": lambda say, face, _, person, other, name: say.cover(person, face),
}


class Said(RuleBasedStateMachine):
    """A library, and how it was before each act."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="undone-"))
        self.before: dict[str, Any] = {}  # act -> all there was, in the order of the acts
        self.left_alone = True  # by scans and trainings

    @initialize()
    def fill(self) -> None:
        """Faces are found; a sidecar names one, some are in clusters."""
        self.album = Portraits(self.root, photos=PHOTOS).fill(named=0)
        self.album.cluster("c" * 32, "p2-00", "p1-01")
        self.album.cluster("d" * 32, "p3-01")
        self.start = self.said()

    def teardown(self) -> None:
        """All that is left is taken back, the last first: it never is in the way of itself, and nothing stays."""
        try:
            for number, act_id in enumerate(reversed(list(self.before))):
                self.take_back(act_id, dies_before=number % 6)
            if self.before or self.album.library.acts.count():
                assert self.said() == self.start
                self.album.train()
                self.all_adds_up()
                assert self.said() == self.start
        finally:
            shutil.rmtree(self.root)

    def said(self) -> tuple[Any, ...]:
        """What somebody said, and what follows of it: no training says that."""
        library = self.album.library
        facts = sorted(library.facts.rows(None, ["kind", "face_id", "person_id"]).to_pylist(), key=str)
        people = sorted(one.name for one in library.people.list() if one.kind == PERSON)
        return facts, people, self.album.labeled(), sorted(self.album.whose())

    def take_back(self, act_id: str, dies_before: int) -> None:
        """One act is taken back, at the second try."""
        with suppress(Killed):
            self.album.undoing(dies_before).undo(act_id)
        self.album.undoing().undo(act_id)
        before = self.before.pop(act_id)
        if self.left_alone and before:
            assert self.album.state() == before

    def acts(self) -> set[str]:
        """The acts there are."""
        return set(self.album.library.acts.rows(None, ["act_id"])["act_id"].to_pylist())

    @rule(
        words=st.sampled_from(sorted(WORDS)), number=NUMBERS, more=NUMBERS, person=NUMBERS, other=NUMBERS, name=NAMES,
        dies_before=st.one_of(st.none(), st.integers(0, 5)),
    )  # fmt: skip
    def say(
        self, words: str, number: int, more: int, person: int, other: int, name: str, dies_before: int | None
    ) -> None:
        """Somebody says something, the second time with success."""
        faces, people = sorted(self.album.whose()), sorted(one.person_id for one in self.album.library.people.list())
        if len(faces) < 3 or not people:
            return
        chosen = [faces[number % len(faces)], faces[more % len(faces)]]
        whom = [people[person % len(people)], people[other % len(people)]]
        for deadly in [dies_before] * (dies_before is not None) + [None]:
            before, acts = self.album.state(), self.acts()
            with suppress(Killed, Conflict, Invalid):
                WORDS[words](self.album.naming(deadly), chosen[0], chosen[1], *whom, name)
            new = self.acts() - acts
            assert len(new) <= 1
            assert new or dies_before is not None or self.album.state() == before
            # Said a second time, it began with half of itself: what is half is not put back as such.
            self.before.update(dict.fromkeys(new, before if deadly is dies_before else None))

    @invariant()
    def all_adds_up(self) -> None:
        """Every face is counted once and is of somebody who is there; what is labeled, somebody or a sidecar said."""
        library = self.album.library
        rows = library.faces.rows().to_pylist()
        counts = census_of(library)
        assert counts.labeled + counts.inferred + counts.unknown == counts.faces == len(rows)
        photos = library.photos.rows(None, ["photo_id", "face_count"]).to_pylist()
        assert {row["photo_id"]: row["face_count"] for row in photos} == {
            f"p{i}": sum(row["photo_id"] == f"p{i}" for row in rows) for i in range(PHOTOS)
        }
        kinds = {row["person_id"]: row["kind"] for row in library.people.rows().to_pylist()}
        for row in rows:
            assert kinds.get(row["person_id"], CLUSTER) == (PERSON if row["standing"] else CLUSTER)
            assert row["person_id"] in {"", *kinds}
        names = [one.name_key for one in library.people.list() if one.kind == PERSON]
        assert len(set(names)) == len(names)
        roster = Roster(library)
        labels = {row["face_id"]: row for row in library.facts.rows().to_pylist() if row["kind"] == "label"}
        for face, person in self.album.labeled().items():
            assert face == "p0-00" or roster.who(labels[face]["person_id"]) == person
        for face in labels.keys() & self.album.whose().keys():
            assert face in self.album.labeled()


class Lived(Said):
    """One in which more happens between than that somebody says something."""

    @precondition(lambda self: self.before)
    @rule(number=NUMBERS)
    def take_one_back(self, number: int) -> None:
        """One of the acts is taken back, unless a later one is in the way; the others stay what they are."""
        act_id = list(self.before)[number % len(self.before)]
        with suppress(Conflict):
            self.album.undoing().undo(act_id)
            del self.before[act_id]
            self.left_alone = False

    @rule()
    def rescan(self) -> None:
        """Faces are looked for again."""
        self.album.rescan()
        self.left_alone = False

    @rule()
    def train(self) -> None:
        """A training."""
        self.album.train()
        self.left_alone = False


# Nothing is made shorter: that takes minutes, and the first history found tells as much.
LENGTH = {"phases": (Phase.explicit, Phase.generate), "deadline": None, "derandomize": True, "stateful_step_count": 10}

TestAllOfItTakenBack = Said.TestCase
TestAllOfItTakenBack.settings = settings(max_examples=8, **LENGTH)
TestAllOfItTakenBackLater = Lived.TestCase
TestAllOfItTakenBackLater.settings = settings(max_examples=10, **LENGTH)
