"""Sums of counts that others keep and lose."""

import msgspec

from api.ledger import Ledger


class Events(msgspec.Struct):
    """How often something happened."""

    number: int = 0

    def plus(self, other: "Events") -> "Events":
        """The events of both."""
        return Events(self.number + other.number)


def ledger(most: int = 100) -> Ledger[Events]:
    """A ledger of events."""
    return Ledger(Events, lambda events: events.number, most)


def numbers(of: Ledger[Events]) -> dict[str, int]:
    """The sums as plain numbers."""
    return {group: events.number for group, events in of.sums().items()}


def test_a_sum_is_of_the_last_word_of_each() -> None:
    """In its group; a word is the whole count, not what is new."""
    kept = ledger()
    for group, who, number in [("a", "one", 1), ("a", "one", 3), ("a", "two", 10), ("b", "three", 5)]:
        kept.hear(group, who, Events(number))

    assert numbers(kept) == {"a": 13, "b": 5}


def test_who_begins_anew_adds_to_what_it_had_counted() -> None:
    """And goes on from there."""
    kept = ledger()
    for number in (7, 2, 4):
        kept.hear("a", "one", Events(number))

    assert numbers(kept) == {"a": 11}


def test_those_heard_of_longest_ago_make_room_and_stay_in_the_sum() -> None:
    """However many replicas come and go, memory stays bounded."""
    kept = ledger(most=2)
    for who in range(50):
        kept.hear("a", str(who), Events(1))

    assert numbers(kept) == {"a": 50}
    assert len(kept._last) == 2
