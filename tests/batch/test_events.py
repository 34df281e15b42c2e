"""Events that are found, kept, joined, cut and deleted: whose they stay, and what nobody may take from them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from batch.events import foresee
from tests.batch.album import Album, OneByOne, at, many


@pytest.fixture
def album(tmp_path: Path) -> Album:
    """An empty library."""
    return Album(tmp_path / "album")


def test_an_event_ends_where_nobody_took_a_photo_for_36_hours(album: Album):
    """Just below that, it goes on; a photo alone is none."""
    album.add({"a": 0, "b": 35.99, "c": 71.99, "d": 107.98, "e": 144, "f": 500})

    counts = album.generate()

    assert list(album.shown()) == ["c d", "a b"]
    assert counts == {"events": 2, "new": 2, "changed": 0, "merged": 0, "gone": 0, "photos": 4}


def test_generating_twice_changes_nothing(album: Album):
    """Not a row is written the second time."""
    album.add(many("abc", 0), place="Oslo")
    album.generate()
    versions = (album.library.events.version, album.library.photos.version)

    assert not any(album.generate()[name] for name in ("new", "changed", "merged", "gone", "photos"))
    assert (album.library.events.version, album.library.photos.version) == versions


def test_photos_without_a_date_of_their_own_are_in_no_event(album: Album):
    """Neither without any, nor with their file's only; those whose files are missing are."""
    album.add(many("ab", 0))
    album.add({"file": 0.5}, taken_source="mtime")
    album.add({"gone": 1.5}, missing=True)
    album.add({"none": 0})
    album.change("none", taken_at=None, taken_source="")

    album.generate()

    assert list(album.shown()) == ["a b gone"]
    assert album.library.events.page(1)[0]["photos"] == 3


def test_a_photo_that_loses_its_date_leaves_its_event(album: Album):
    """It stays in a deleted one, which it must not come back from with its date."""
    album.add({**many("abc", 0), **many("xyz", 100)})
    album.generate()
    ids = album.shown()
    album.say(ids["x y z"], deleted=True)

    for name in ("c", "z"):
        album.change(name, taken_source="mtime")
    album.generate([])

    assert album.shown() == {"a b": ids["a b c"]}
    assert album.inside() == {ids["a b c"]: ["a", "b"], ids["x y z"]: ["x", "y", "z"]}


def test_an_event_keeps_its_id_whatever_comes_and_goes(album: Album):
    """Late photos before, within and after; the photo it was made of gone."""
    album.add(many("abc", 50))
    album.generate()
    [event_id] = album.shown().values()

    album.add({"early": 20, "mid": 51.5, "late": 80})
    album.generate(["early", "mid", "late"])
    album.remove("a")
    album.generate([])

    assert album.shown() == {"early b mid c late": event_id}
    [row] = album.library.events.page(2)
    assert (row["photos"], row["first_at"], row["last_at"]) == (5, at(20), at(80))


def test_a_photo_between_two_events_makes_them_the_older_one(album: Album):
    """With its id, title and cover; what nobody said of the older is taken from the younger."""
    album.add(many("ab", 0))
    album.add(many("uvw", 60))
    album.generate()
    ids = album.shown()
    album.say(ids["a b"], own_title="The older")
    album.say(ids["u v w"], own_title="The younger", cover_photo_id="v")

    album.add({"bridge": 30})
    counts = album.generate(["bridge"])

    assert album.shown() == {"a b bridge u v w": ids["a b"]}
    [row] = album.library.events.page(2)
    assert (row["own_title"], row["cover_photo_id"]) == ("The older", "v")
    assert (counts["merged"], counts["changed"]) == (1, 1)


def test_a_title_outlives_the_merge_into_an_event_without_one(album: Album):
    """Nobody's words are lost because another event is older."""
    album.add({**many("ab", 0), **many("uv", 60)})
    album.generate()
    album.say(album.shown()["u v"], own_title="Ours")
    album.add({"bridge": 30})

    album.generate(["bridge"])

    assert album.titles() == {"a b bridge u v": "Ours"}


def test_when_an_event_falls_apart_the_larger_part_stays_it(album: Album):
    """Of equal ones the older; the rest is an event of its own, also when it has the photo the id was made of."""
    album.add({**many("ab", 0), "bridge": 30, **many("uvw", 60)})
    album.generate()
    [event_id] = album.shown().values()

    album.remove("bridge")
    album.generate([])
    apart = album.shown()

    assert apart["u v w"] == event_id
    assert set(apart) == {"a b", "u v w"}
    assert apart["a b"] != event_id
    album.add({"bridge": 30})
    album.generate(["bridge"])
    album.remove("bridge", "w")
    album.generate([])
    assert album.shown()["a b"] == apart["a b"]


def test_an_event_that_lost_its_photos_is_no_more(album: Album):
    """Unless somebody gave it a title: then it waits for them, unseen, and is itself again."""
    album.add({**many("ab", 0), **many("uv", 100)})
    album.generate()
    ids = album.shown()
    album.say(ids["u v"], own_title="Ours", cover_photo_id="u")

    album.remove("b", "v")
    counts = album.generate([])
    assert (album.shown(), counts["gone"]) == ({}, 1)
    assert album.library.events.get(ids["a b"]) is None
    album.remove("u")
    assert not album.generate([])["gone"]
    album.add(many("uv", 100))
    album.generate(["u", "v"])

    assert album.shown() == {"u v": ids["u v"]}
    assert album.titles() == {"u v": "Ours"}


def test_a_deleted_event_does_not_come_back(album: Album):
    """With late photos in its time, cut in two, or with all its photos read in anew."""
    album.add(many("abcdef", 0, 20))
    album.generate()
    [event_id] = album.shown().values()
    album.say(event_id, deleted=True)

    album.add({"late": 45})
    album.generate(["late"])
    assert (album.shown(), set(album.inside())) == ({}, {event_id})
    album.remove("c", "late")
    album.generate([])
    assert album.shown() == {}
    album.remove(*"abdef")
    album.generate([])
    album.add(many("uv", 70))
    album.generate(["u", "v"])
    assert album.shown() == {}


def test_what_bridges_a_deleted_event_to_a_living_one_is_the_living_one(album: Album):
    """Though the deleted one is older and larger."""
    album.add({**many("abc", 0), **many("uv", 60)})
    album.generate()
    ids = album.shown()
    album.say(ids["a b c"], deleted=True)

    album.add({"bridge": 30})
    album.generate(["bridge"])

    assert album.shown() == {"a b c bridge u v": ids["u v"]}
    assert album.library.events.count() == 1


def upheaval(album: Album) -> None:
    """Everything that can become of events at once."""
    album.add({**many("ab", 0), **many("cd", 60), **many("efghi", 200, 30), **many("jk", 500), **many("lm", 600)})
    album.add({**many("no", 700), **many("pq", 760)}, place="Oslo")
    album.generate()
    ids = album.shown()
    album.say(ids["c d"], own_title="Ours")
    album.say(ids["l m"], deleted=True)
    album.say(ids["n o"], deleted=True)
    album.remove("g", "j")
    album.add({"bridge": 30, "new": 900, "newer": 901, "late": 602, "both": 730})


def test_whenever_the_writer_dies_the_next_run_ends_as_if_it_had_not(tmp_path: Path):
    """Killed before each of its commits in turn, between two of one table too."""
    start = Album(tmp_path / "start")
    upheaval(start)
    undisturbed = Album(shutil.copytree(tmp_path / "start", tmp_path / "undisturbed"))
    counts = undisturbed.generate()
    assert all(counts.values()), counts

    deaths = 0
    while True:
        one = Album(shutil.copytree(tmp_path / "start", tmp_path / f"dies{deaths}"))
        try:
            one.generate(writer=OneByOne(one.writer, deaths))
            break
        except KeyboardInterrupt:
            one.generate()
        assert one.everything() == undisturbed.everything(), f"after a death before commit {deaths}"
        deaths += 1
    assert deaths >= 5


@pytest.mark.parametrize("change", [lambda album: album.add(many("ab", 0)), upheaval])
def test_a_plan_tells_what_would_happen_and_does_nothing(album: Album, change: Callable[[Album], None]):
    """The same numbers as doing it."""
    change(album)
    before = album.everything()

    plan = foresee(album.library)

    assert album.everything() == before
    counts = album.generate()
    assert plan.action == "generate-events"
    assert plan.counts == {name: counts[name] for name in ("new", "changed", "merged", "gone")}
    assert len(plan.names) == counts["new"] + counts["changed"]
    assert set(plan.names) <= {row["title"] for row in album.library.events.rows().to_pylist()}
