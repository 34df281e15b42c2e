"""What somebody says while a training runs holds when it has ended, whatever the training was about to write."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from batch.naming import Naming
from batch.people import Training
from cluster.errors import NotFound
from cluster.store.people import id_of
from cluster.store.writer import Delete, Write
from tests.batch.bench_of_one import Killed
from tests.batch.portraits import MODEL, Portraits

ADA, BO = id_of("Ada"), id_of("Bo")
A_WHILE_S = 0.5  # in which somebody would have said it, if they were let


class Interrupting:
    """A writer before whose first commit of faces somebody says something."""

    def __init__(self, album: Portraits, say: Callable[[Naming], object]) -> None:
        self.album, self.words = album, [say]

    def commit(self, writes: Sequence[Write]) -> None:
        """Commit, after what is said."""
        if self.words and any(write.table == "faces" for write in writes):
            self.words.pop()(self.album.naming())
        self.album.writer().commit(writes)


@pytest.fixture
def album(tmp_path: Path) -> Portraits:
    """Twelve photos of three people, one of whom has a name."""
    album = Portraits(tmp_path, photos=12).fill()
    album.naming().label(["p0-00"], name="Ada")
    return album


def train(album: Portraits, say: Callable[[Naming], object]) -> None:
    """A training during which somebody says something."""
    Training(album.library, Interrupting(album, say), MODEL).run()


def test_a_face_that_is_rejected_while_it_is_guessed_is_not_offered(album: Portraits):
    """Though whose it is was found out before, and is written afterwards."""
    train(album, lambda naming: naming.reject(["p3-00"], ADA))

    assert album.whose()["p3-00"] == ("", "")
    assert album.whose()["p6-00"] == (ADA, "inferred")


def test_a_label_that_is_given_while_a_former_one_is_put_in_holds(album: Portraits):
    """The former one was cut off before it reached the face, so the training ends it: too late."""
    with suppress(Killed):
        album.naming(dies_before=2).label(["p3-00"], ADA)
    album.naming().label(["p1-00"], name="Bo")

    train(album, lambda naming: naming.label(["p3-00"], BO))

    assert album.whose()["p3-00"] == (BO, "labeled")


def test_a_face_that_is_deleted_while_its_photo_is_put_in_is_gone(album: Portraits):
    """And is not found again."""
    with suppress(Killed):
        album.naming(dies_before=2).label(["p3-00"], ADA)

    train(album, lambda naming: naming.delete(["p3-00"]))

    assert "p3-00" not in album.whose()


def test_faces_that_are_guessed_to_be_somebody_who_is_taken_back_are_nobodys(album: Portraits):
    """Though the training found them before, and writes them afterwards."""
    (act,) = album.library.acts.newest(1)

    train(album, lambda _: album.undoing().undo(act.act_id))

    people = {row["person_id"] for row in album.library.people.rows().to_pylist()}
    assert ADA not in people
    assert {person for person, _ in album.whose().values()} <= {"", *people}


class Forgetting:
    """A writer that forgets people when somebody has said something, or after a while."""

    def __init__(self, album: Portraits) -> None:
        self.album, self.ready, self.said = album, Event(), Event()

    def commit(self, writes: Sequence[Write]) -> None:
        """Commit late."""
        if any(isinstance(write, Delete) and write.table == "people" for write in writes):
            self.ready.set()
            self.said.wait(A_WHILE_S)
        self.album.writer().commit(writes)


def test_a_cluster_that_is_being_named_is_not_forgotten(album: Portraits):
    """Whoever names one that no face is in any more has named somebody, or is told that it is gone."""
    album.cluster("c" * 32)
    writer = Forgetting(album)
    with ThreadPoolExecutor() as pool:
        training = pool.submit(Training(album.library, writer, MODEL).tidy)
        writer.ready.wait()
        naming = pool.submit(album.naming().rename, "c" * 32, "Cy")
        naming.add_done_callback(lambda _: writer.said.set())
    training.result()

    assert isinstance(naming.exception(), NotFound)
    assert album.library.people.named("Cy") is None
