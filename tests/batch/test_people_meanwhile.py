"""What somebody says while a training runs holds when it has ended, whatever the training was about to write."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from batch.naming import Naming
from batch.people import Training
from cluster.store.people import id_of
from cluster.store.writer import Write
from tests.batch.bench_of_one import Killed
from tests.batch.portraits import MODEL, Portraits

ADA, BO = id_of("Ada"), id_of("Bo")


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
