"""Two who say something of one library at the same moment: the second is heard after the first, and sees what came."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from batch.naming import Naming
from cluster.errors import Conflict
from cluster.store.people import id_of
from cluster.store.writer import Write
from tests.batch.portraits import Portraits

ADA, BO = id_of("Ada"), id_of("Bo")
A_WHILE_S = 0.5  # in which the other would have been done, if they were let


class Slow:
    """A writer that commits when the other has, or after a while."""

    def __init__(self, album: Portraits, ready: Event, other: Event) -> None:
        self.album, self.ready, self.other = album, ready, other

    def commit(self, writes: Sequence[Write]) -> None:
        """Commit late."""
        self.ready.set()
        self.other.wait(A_WHILE_S)
        self.album.writer().commit(writes)


@pytest.fixture
def album(tmp_path: Path) -> Portraits:
    """A library with two people."""
    album = Portraits(tmp_path).fill()
    album.naming().label(["p0-00"], name="Ada")
    album.naming().label(["p1-00"], name="Bo")
    return album


def test_two_people_who_are_merged_both_ways_at_once_are_one(album: Portraits):
    """Neither is lost, and all faces are the one's."""
    ready, done = Event(), Event()
    slow = Naming(album.library, Slow(album, ready, done), "me")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(slow.merge, ADA, [BO])
        ready.wait()
        pool.submit(album.naming().merge, BO, [ADA]).add_done_callback(lambda _: done.set())
    first.result()

    assert [person.name for person in album.library.people.list()] == ["Ada"]
    assert set(album.labeled().values()) == {ADA}


def test_two_people_who_get_one_name_at_once_do_not_both_have_it(album: Portraits):
    """The second is told that there is somebody of that name."""
    ready, done = Event(), Event()
    slow = Naming(album.library, Slow(album, ready, done), "me")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(slow.rename, ADA, "Kim")
        ready.wait()
        second = pool.submit(album.naming().rename, BO, "Kim")
        second.add_done_callback(lambda _: done.set())
    first.result()

    assert isinstance(second.exception(), Conflict)
    assert [person.name for person in album.library.people.list()] == ["Bo", "Kim"]
