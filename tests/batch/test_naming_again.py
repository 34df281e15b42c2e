"""What somebody says of faces and people, and takes back, can be done again after a process was killed in between."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from batch.naming import Naming
from cluster.store.people import id_of
from tests.batch.bench_of_one import Killed
from tests.batch.portraits import BELOW, MODEL, Portraits, looks

Saying: TypeAlias = Callable[[Naming], Any]
KIM, LEE = id_of("Kim"), id_of("Lee")
UNIT = (MODEL, looks(0, 9))

SAYINGS: dict[str, Saying] = {
    "label": lambda say: say.label(["p0-00", "p2-01"], name="Max"),
    "label again": lambda say: say.label(["p3-01"], person_id=KIM),
    "confirm": lambda say: say.confirm(["p1-00"]),
    "reject": lambda say: say.reject(["p1-00", "p3-00"], KIM),
    "unlabel": lambda say: say.unlabel(["p3-00", "p0-00"]),
    "delete": lambda say: say.delete(["p3-00", "p1-01"]),
    "add": lambda say: say.add("p2", BELOW, UNIT, name="Max"),
    "rename": lambda say: say.rename("c" * 32, "Max"),
    "merge": lambda say: say.merge(KIM, [LEE, "c" * 32]),
    "merge into one without a name": lambda say: say.merge("c" * 32, [KIM]),
    "split": lambda say: say.split(KIM, ["p1-00", "p3-00"], "Max"),
    "hide": lambda say: say.hide(KIM, True),
    "cover": lambda say: say.cover(KIM, "p3-00"),
}


def spoken(root: Path) -> Portraits:
    """An album of which something was said: by a sidecar, and by people; and something is thought."""
    album = Portraits(root).fill(named=0)
    album.naming().label(["p3-00"], name="Kim")
    album.naming().label(["p3-01"], name="Lee")
    album.guess(KIM, "p1-00")
    album.cluster("c" * 32, "p2-00", "p1-01")
    return album


@pytest.mark.parametrize("saying", SAYINGS)
def test_what_a_kill_cut_off_can_be_said_again(tmp_path: Path, saying: str):
    """Between any two tables: then all is as if it had been said once."""
    whole = spoken(tmp_path / "whole")
    SAYINGS[saying](whole.naming())
    for table in range(7):
        cut = spoken(tmp_path / f"cut-{table}")
        with suppress(Killed):
            SAYINGS[saying](cut.naming(dies_before=table))
        SAYINGS[saying](cut.naming())

        assert cut.state() == whole.state(), table


@pytest.mark.parametrize("saying", SAYINGS)
def test_what_a_kill_cut_off_can_be_taken_back_again(tmp_path: Path, saying: str):
    """Between any two tables of the taking back: then all is as before, and can be said anew."""
    album = spoken(tmp_path)
    before = album.state()
    for table in range(9):
        SAYINGS[saying](album.naming())
        (act,) = album.library.acts.newest(1)
        with suppress(Killed):
            album.undoing(dies_before=table).undo(act.act_id)
        album.undoing().undo(act.act_id)

        assert album.state() == before, table


@pytest.mark.parametrize("saying", SAYINGS)
def test_what_a_kill_cut_off_can_be_taken_back_as_it_is(tmp_path: Path, saying: str):
    """Killed between any two tables of what was said, half of it is taken back."""
    album = spoken(tmp_path)
    before, acts = album.state(), album.library.acts.count()
    for table in range(1, 7):
        with suppress(Killed):
            SAYINGS[saying](album.naming(dies_before=table))
        (act,) = album.library.acts.newest(1)
        assert album.library.acts.count() == acts + table
        album.undoing().undo(act.act_id)

        assert album.state() == before, table
