"""Training: whose faces are that nobody labeled; what people said is never moved, and two runs say the same."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from batch.candidates import likely
from batch.naming import Naming
from batch.people import Training
from cluster.settings import Settings, StoreSettings
from cluster.store.database import Library, open_library
from cluster.store.people import CLUSTER, id_of
from cluster.store.schema import rows_of
from tests.batch.bench_of_one import Killed, Mortal

MODEL = "faces@1"
WIDTH = 64
PEOPLE, EACH = 6, 8  # faces


@dataclass
class Album:
    """A library whose faces are known: face `3-5` is the sixth of the fourth person's."""

    library: Library
    settings: StoreSettings

    def writer(self, dies_before: int | None = None) -> Mortal:
        """A writer, which dies before its n-th change of a table."""
        return Mortal(self.library, self.settings, dies_before)

    def naming(self, dies_before: int | None = None) -> Naming:
        """What somebody says."""
        return Naming(self.library, self.writer(dies_before), "me")

    def train(self, dies_before: int | None = None) -> dict[str, int]:
        """A training."""
        return Training(self.library, self.writer(dies_before), MODEL).run()

    def add(self, person: int, first: int, count: int) -> None:
        """More faces of a person, each in a photo of its own."""
        rng = np.random.default_rng(person)
        middle = rng.normal(size=WIDTH)
        faces, vectors, photos = [], [], []
        for number in range(first, first + count):
            photo, near = f"{person}-{number}", np.random.default_rng(1000 * person + number + 1)
            vector = middle + 0.35 * near.normal(size=WIDTH)
            key = f"{photo}-00"
            faces.append({"face_id": key, "photo_id": photo, "right": 0.5, "bottom": 0.5, "score": 1.0, "model": MODEL})
            vectors.append({"id": key, "photo_id": photo, "vector": vector / np.linalg.norm(vector)})
            photos.append({"photo_id": photo, "content_id": photo, "face_count": 1, **TIMES})
        table = self.library.embeddings(MODEL, WIDTH)
        self.library.faces.upsert(rows_of(faces, self.library.faces.schema))
        self.library.photos.upsert(rows_of(photos, self.library.photos.schema))
        table.upsert(rows_of(vectors, table.schema))

    def whose(self) -> dict[str, tuple[str, str]]:
        """Whose each face is, and how that is known."""
        rows = self.library.faces.rows().to_pylist()
        return {row["face_id"]: (row["person_id"], row["standing"]) for row in rows}

    def groups(self) -> list[set[str]]:
        """The faces that are together."""
        groups: dict[str, set[str]] = {}
        for face, (person, _) in self.whose().items():
            if person:
                groups.setdefault(person, set()).add(face)
        return sorted(groups.values(), key=sorted)


TIMES = {"added_at": datetime(2026, 1, 1, tzinfo=UTC), "changed_at": datetime(2026, 1, 1, tzinfo=UTC)}


def of(person: int, count: int = EACH) -> set[str]:
    """A person's faces."""
    return {f"{person}-{number}-00" for number in range(count)}


@pytest.fixture
def album(tmp_path: Path) -> Album:
    """Six people, eight faces each, of whom nobody said anything."""
    store = StoreSettings(fresh_s=0)
    album = Album(open_library(Settings(root=tmp_path, store=store), "somebody"), store)
    for person in range(PEOPLE):
        album.add(person, 0, EACH)
    return album


def test_faces_that_nobody_labeled_are_put_together(album: Album):
    """A cluster for each person, named by nobody; all faces are still unknown."""
    told = album.train()

    assert album.groups() == [of(person) for person in range(PEOPLE)]
    assert {person.kind for person in album.library.people.list()} == {CLUSTER}
    assert (told["faces_unknown"], told["faces_labeled"], told["faces_inferred"]) == (PEOPLE * EACH, 0, 0)


def test_a_second_training_changes_nothing(album: Album):
    """Not a face, not an id of a cluster."""
    album.train()
    album.naming().label(["0-0-00"], name="Ada")
    album.train()
    before, people = album.whose(), album.library.people.list()

    assert album.train()["faces_moved"] == 0
    assert (album.whose(), album.library.people.list()) == (before, people)


def test_one_label_a_person_tells_the_others(album: Album):
    """Their other faces are inferred, with the probability; nobody else's are."""
    for person, name in enumerate(["Ada", "Bo", "Cy", "Di", "Eve"]):
        album.naming().label([f"{person}-0-00"], name=name)

    told = album.train()

    assert (told["faces_labeled"], told["faces_inferred"], told["faces_unknown"]) == (5, 35, 8)
    assert {face for face, (person, _) in album.whose().items() if person == id_of("Ada")} == of(0)
    assert all(row["probability"] >= album.library.confidence for row in album.library.faces.rows().to_pylist()[:40])


def test_new_faces_join_whom_they_look_like_and_nobody_else_moves(album: Album):
    """A person, and a cluster, which keeps its id."""
    album.naming().label(["0-0-00"], name="Ada")
    album.train()
    before = album.whose()

    album.add(0, EACH, 2)
    album.add(1, EACH, 2)
    album.train()

    after = album.whose()
    assert {face: after[face] for face in before} == before
    assert after["0-8-00"] == (id_of("Ada"), "inferred")
    assert after["1-8-00"] == before["1-0-00"]


def test_a_rejected_face_stays_rejected_through_ten_trainings(album: Album):
    """And is offered for that person no more; it may be another's."""
    album.naming().label(["0-0-00"], name="Ada")
    album.train()
    album.naming().reject(["0-1-00"])
    for _ in range(10):
        album.train()
        assert album.whose()["0-1-00"][0] != id_of("Ada")

    album.naming().label(["1-0-00"], name="Bo")
    offered = [person for person, _ in likely(album.library, MODEL, "0-1-00", 5)]
    assert id_of("Ada") not in offered
    assert likely(album.library, MODEL, "0-2-00", 5)[0][0] == id_of("Ada")


def test_a_training_never_moves_a_labeled_face(album: Album):
    """However unlike the person it looks."""
    album.naming().label(["0-0-00", "0-1-00"], name="Ada")
    album.naming().label(["1-0-00", "1-1-00"], name="Bo")
    album.naming().label(["1-2-00"], name="Ada")

    album.train()

    assert album.whose()["1-2-00"] == (id_of("Ada"), "labeled")


def test_merging_and_renaming_keep_ids(album: Album):
    """Whoever was merged in is found under the other's id, and training keeps them together."""
    album.naming().label(["0-0-00"], name="Ada")
    album.naming().label(["1-0-00"], name="Bo")
    album.train()

    album.naming().merge(id_of("Ada"), [id_of("Bo")])
    album.naming().rename(id_of("Ada"), "Ada Lovelace")
    album.train()

    assert {face for face, (person, _) in album.whose().items() if person == id_of("Ada")} == of(0) | of(1)
    assert album.library.people.person(id_of("Bo")).name == "Ada Lovelace"


def test_a_cluster_that_is_named_is_a_person_of_labeled_faces(album: Album):
    """It keeps its id."""
    album.train()
    cluster = album.whose()["0-0-00"][0]

    named = album.naming().rename(cluster, "Ada")
    album.train()

    assert named.person_id == cluster
    assert {album.whose()[face] for face in of(0)} == {(cluster, "labeled")}


SAID: list[Callable[[Naming], object]] = [
    lambda naming: naming.label(["0-3-00", "1-3-00"], name="Cy"),
    lambda naming: naming.confirm(["0-1-00"]),
    lambda naming: naming.reject(["0-1-00"]),
    lambda naming: naming.unlabel(["0-0-00"]),
    lambda naming: naming.delete(["0-1-00"]),
    lambda naming: naming.merge(id_of("Ada"), [id_of("Bo")]),
    lambda naming: naming.rename(id_of("Bo"), "Bob"),
    lambda naming: naming.split(id_of("Ada"), ["0-5-00", "0-6-00"], "Zoe"),
]


@pytest.mark.parametrize("say", SAID)
def test_what_is_cut_off_ends_with_the_next_training(album: Album, tmp_path: Path, say: Callable[..., object]):
    """Killed before any of its tables: either nothing of it holds, or all of it after a training."""
    album.naming().label(["0-0-00"], name="Ada")
    album.naming().label(["1-0-00"], name="Bo")
    album.train()
    nothing = summed(album)
    outcomes = []
    for dies_before in range(6):
        other = copied(album, tmp_path / str(dies_before))
        with suppress(Killed):
            say(other.naming(dies_before))
        other.train()
        outcomes.append(summed(other))

    whole = outcomes[-1]
    assert [outcome in (nothing, whole) for outcome in outcomes] == [True] * 6


def test_a_training_that_is_killed_is_done_by_the_next(album: Album, tmp_path: Path):
    """Before any of its tables: the same people, the same ids."""
    album.naming().label(["0-0-00"], name="Ada")
    whole = copied(album, tmp_path / "whole")
    whole.train()
    for dies_before in range(4):
        other = copied(album, tmp_path / str(dies_before))
        try:
            other.train(dies_before)
        except Killed:
            other.train()
        assert summed(other) == summed(whole)


def summed(album: Album) -> tuple[object, ...]:
    """All that matters of a library's people; of those that have no face nobody hears."""
    shown = {person for person, _ in album.whose().values()}
    people = [(one.person_id, one.name, one.kind) for one in album.library.people.list() if one.person_id in shown]
    facts = sorted((row["kind"], row["face_id"], row["person_id"]) for row in album.library.facts.rows().to_pylist())
    return album.whose(), people, facts


def copied(album: Album, root: Path) -> Album:
    """The library at another place."""
    assert album.library.database.folder
    target = root / "store" / "libraries" / "somebody"
    target.parent.mkdir(parents=True)
    shutil.copytree(album.library.database.folder, target)
    return Album(open_library(Settings(root=root, store=album.settings), "somebody"), album.settings)
