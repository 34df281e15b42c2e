"""Two rankings as one."""

import pytest

from api.fusion import AT_LEAST, MOST, K, Ranked, candidates, ranked, score


def test_a_hit_of_both_rankings_beats_a_first_of_one() -> None:
    """Two second places are worth more than one first place."""
    second = Ranked(2, 0.1)

    assert score(second, second) > score(Ranked(1, 0.9), None) > score(second, None) > score(None, None) == 0


def test_scores_are_reciprocal_ranks() -> None:
    """With k = 60, as published."""
    assert score(Ranked(1, 9), Ranked(3, 9)) == pytest.approx(1 / 61 + 1 / 63)
    assert K == 60


def test_ranks_count_from_one_in_the_order_given() -> None:
    """And keep the ranking's own score."""
    assert ranked([("a", 0.5), ("b", 0.25)]) == {"a": Ranked(1, 0.5), "b": Ranked(2, 0.25)}


def test_rankings_are_longer_than_what_is_asked_for_but_bounded() -> None:
    """Some of their photos may be missing."""
    assert candidates(1) == AT_LEAST
    assert candidates(300) == 600
    assert candidates(1000) == MOST
