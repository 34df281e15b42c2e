"""What was committed is there for whoever committed it, though another process writes the library."""

from pathlib import Path

from api.commits import Visible
from batch.naming import Naming
from cluster.settings import Settings, StoreSettings
from cluster.store.database import open_library
from cluster.store.people import id_of
from cluster.store.writer import Writer
from tests.batch.portraits import Portraits


def test_who_says_something_sees_it_at_once(tmp_path: Path) -> None:
    """Others do within the time that the settings say: a minute here."""
    late = StoreSettings(fresh_s=60)
    Portraits(tmp_path).fill()
    mine, others, writers = (open_library(Settings(root=tmp_path, store=late), "somebody") for _ in range(3))
    for library in (mine, others):
        assert library.people.list() == []
        assert library.faces.standings()["labeled"] == 0

    Naming(mine, Visible(mine, Writer(writers, late)), "me").label(["p0-00"], name="Kim")

    assert mine.people.person(id_of("Kim")).name == "Kim"
    assert mine.faces.standings()["labeled"] == 1
    assert (others.people.list(), others.faces.standings()["labeled"]) == ([], 0)
