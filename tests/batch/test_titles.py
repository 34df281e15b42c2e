"""What events are called: when by the clock of the place, with whom, where; and that it follows what is known."""

from pathlib import Path
from typing import Any

import pytest

from batch.titles import when_was
from cluster.store.schema import changes_of
from cluster.store.writer import Update
from tests.batch.album import Album, many

HOUR_US = 3_600_000_000
FRIDAY, SATURDAY, SUNDAY = 4 * 24, 5 * 24, 6 * 24  # hours after Monday's midnight
MONDAY_US = 4 * 24 * HOUR_US  # 5 January 1970 was one


@pytest.fixture
def album(tmp_path: Path) -> Album:
    """An empty library."""
    return Album(tmp_path / "album")


def title(album: Album, photo_ids: list[str] | None = None) -> str:
    """The title of the only event."""
    album.generate(photo_ids)
    [told] = album.titles().values()
    return told


def change_person(album: Album, person_id: str, **columns: Any) -> None:
    """Something else about a person."""
    change = changes_of([{"person_id": person_id, **columns}], album.library.people.schema)
    album.writer.commit([Update("people", change)])


@pytest.mark.parametrize(
    ("first", "last", "when"),
    [
        (0, 1, "Monday Early Morning"),
        (4.99, 5, "Monday Early Morning"),
        (5, 5, "Monday Morning"),
        (24 + 12, 24 + 13, "Tuesday Afternoon"),
        (48 + 18, 48 + 19, "Wednesday Evening"),
        (72 + 23.99, 96, "Thursday Evening"),
        (SATURDAY, SATURDAY + 23, "Saturday Early Morning"),
        (SATURDAY + 23, SUNDAY, "Weekend"),
        (SATURDAY, SUNDAY + 23.99, "Weekend"),
        (FRIDAY + 20, SUNDAY, "3 days"),
        (SUNDAY + 10, SUNDAY + 24, "Sunday Morning"),
        (SATURDAY, SUNDAY + 7 * 24, "9 days"),
        (12, 48, "3 days"),
        (-1, 1, "Sunday Evening"),
    ],
)
def test_when_is_told_as_people_say_it(first: float, last: float, when: str):
    """Hours after a Monday's midnight; before 1970 too."""
    for week in (0, -2 * 52, 52 * 60):
        start = MONDAY_US + week * 7 * 24 * HOUR_US
        assert when_was(start + int(first * HOUR_US), start + int(last * HOUR_US)) == when


def test_when_is_by_the_clock_of_the_place(album: Album):
    """Monday noon in London is the small hours of Tuesday in Auckland."""
    album.add(many("ab", 12), taken_offset_min=13 * 60)

    assert title(album) == "Tuesday Early Morning"


def test_places_are_counted_by_photos(album: Album):
    """The two commonest, not the last; the finest name that each photo has; of equal ones by the alphabet."""
    album.add(many("ab", 0), place="Porto", country="Portugal")
    album.add(many("cde", 2), place="Lisbon", country="Portugal")
    album.add({"f": 6}, place="Faro", country="Portugal")
    assert title(album) == "Monday Early Morning in Lisbon and Porto"

    album.add(many("ghij", 7), country="Spain", state="Galicia")

    assert title(album) == "Monday Early Morning in Galicia and Lisbon"
    assert album.library.events.page(1)[0]["places"] == ["Galicia", "Lisbon", "Porto", "Faro"]


def test_people_are_counted_by_photos(album: Album):
    """Labeled and inferred ones; twice in one photo is one photo."""
    album.add(many("abcd", 0))
    album.person("Ada", "a", "b", "c")
    album.person("Kim", "a", "b", standing="inferred")
    album.person("Bob", "d", "d", "d", "d")

    assert title(album) == "Monday Early Morning with Ada and Kim"
    assert album.library.events.page(1)[0]["people"] == ["Ada", "Kim", "Bob"]


def test_nobody_is_told_who_has_no_name_or_is_hidden_or_unknown(album: Album):
    """Clusters, hidden people, faces that are nobody's for sure; faces of photos that are in no event."""
    album.add({**many("ab", 0), "alone": 500})
    album.person("Hidden", "a", hidden=True)
    album.person("Unsure", "a", standing="")
    album.person("Cluster", "a", kind="cluster")
    album.person("Elsewhere", "alone")

    assert title(album) == "Monday Early Morning"


def test_somebody_who_was_merged_counts_as_whom_they_are(album: Album):
    """Also over two steps; in a ring, which must not turn for ever, as nobody."""
    album.add(many("abc", 0))
    album.person("Addy", "a", merged_into="id of Adda")
    album.person("Adda", "b", merged_into="id of Ada")
    album.person("Ada")
    album.person("Kim", "a", "b", "c")
    album.person("One", "a", merged_into="id of Other")
    album.person("Other", "b", merged_into="id of One")

    assert title(album) == "Monday Early Morning with Kim and Ada"
    assert album.library.events.page(1)[0]["people"] == ["Kim", "Ada"]


def test_a_title_follows_the_photos_that_are_named(album: Album):
    """Given the photos whose place or faces changed, the same as all anew; events far from them are not told anew."""
    album.add(many("ab", 0))
    album.add(many("cd", 200), place="Oslo")
    album.generate()

    ada = album.person("Ada", "b", "d")
    album.change("a", place="Rome")

    assert title_of(album, ["a", "b"]) == {
        "a b": "Monday Early Morning with Ada in Rome",
        "c d": "Tuesday Morning in Oslo",
    }
    assert title_of(album, None)["c d"] == "Tuesday Morning with Ada in Oslo"
    change_person(album, ada, name="Ada L.")
    assert title_of(album, None)["a b"] == "Monday Early Morning with Ada L. in Rome"


def title_of(album: Album, photo_ids: list[str] | None) -> dict[str, str]:
    """The titles after a generation."""
    album.generate(photo_ids)
    return album.titles()


def test_the_picture_of_an_event_is_its_first_that_can_be_seen(album: Album):
    """Not one whose file is missing or that could not be read; the first, if there is no other."""
    album.add({"gone": 0}, missing=True)
    album.add({"broken": 1}, media_error="It is truncated.")
    album.generate()
    assert album.library.events.page(1)[0]["front_photo_id"] == "gone"

    album.add({"good": 2, "better": 3})
    album.generate()

    assert album.library.events.page(1)[0]["front_photo_id"] == "good"
