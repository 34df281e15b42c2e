"""Rows of events: pages of those that are shown, and titles that can be."""

from datetime import timedelta

import pytest

from cluster.errors import Invalid, NotFound
from cluster.store.database import Library
from cluster.store.events import LONGEST_TITLE, checked
from cluster.store.schema import rows_of
from tests.cluster.store.conftest import START


def add(library: Library, *names: str, days: int = 0, **columns: object) -> None:
    """Events of two photos that began so many days after the start."""
    when = START + timedelta(days=days)
    facts = {"first_at": when, "last_at": when, "changed_at": when, "photos": 2, **columns}
    library.events.upsert(rows_of([{"event_id": name, **facts} for name in names], library.events.schema))


def test_pages_go_on_where_the_last_one_ended_also_within_one_moment(library: Library):
    """Newest first; of events of the same moment each comes once."""
    add(library, "a", "b", "c")
    add(library, "new", days=9)
    add(library, "old", days=-9)
    found, before = [], None
    while rows := library.events.page(2, before):
        found += [row["event_id"] for row in rows]
        before = rows[-1]["first_at"], rows[-1]["event_id"]

    assert found == ["new", "c", "b", "a", "old"]


def test_deleted_events_and_those_without_photos_enough_are_not_shown(library: Library):
    """Not in a page, and not by their ids; the same as an id that never was."""
    add(library, "shown")
    add(library, "deleted", deleted=True)
    add(library, "waiting", photos=1, own_title="Ours")

    assert [row["event_id"] for row in library.events.page(9)] == ["shown"]
    assert library.events.event("shown")["photos"] == 2
    for name in ("deleted", "waiting", "never", "' OR 1=1 --"):
        with pytest.raises(NotFound):
            library.events.event(name)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Two   weeks\n in Rome ", "Two weeks in Rome"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("", ""),
        ("   ", ""),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("x" * LONGEST_TITLE, "x" * LONGEST_TITLE),
    ],
)
def test_a_title_is_kept_as_people_read_it(given: str, kept: str):
    """One space between words, one form of each letter, joiners where scripts need them; nothing is no title."""
    assert checked(given) == kept


@pytest.mark.parametrize("title", ["x" * (LONGEST_TITLE + 1), "a\0b", "a\u202eb", "\u200d", "\ue000", "\ud800"])
def test_a_title_that_nobody_could_read_is_refused(title: str):
    """Too long, or with letters that show nothing or turn the line round."""
    with pytest.raises(Invalid, match="choose another"):
        checked(title)
