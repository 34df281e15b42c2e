"""Shares of GPUs: what is accepted can be placed, what is refused cannot, and sentences name who asks for what."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.shares import WHOLE, Demand, GpuRoom, packs, refusal, unplaced

HUNDREDTHS = st.integers(1, 100).map(lambda hundredths: hundredths / 100)


def placeable(shares: Sequence[float], gpus: int) -> bool:
    """Every assignment of every share to every GPU, tried."""
    in_units = [round(share * WHOLE) for share in shares]
    for places in product(range(gpus), repeat=len(shares)):
        held = [0] * gpus
        for place, share in zip(places, in_units, strict=True):
            held[place] += share
        if max(held, default=0) <= WHOLE:
            return True
    return not shares


@given(st.lists(HUNDREDTHS, max_size=6), st.integers(0, 3))
def test_what_is_accepted_can_be_placed_and_what_is_refused_cannot(shares: list[float], gpus: int):
    """Brute force over all assignments says the same."""
    demands = [Demand(f"s{number}", share) for number, share in enumerate(shares)]

    assert (refusal(demands, gpus) == "") == placeable(shares, gpus)


@given(st.lists(st.sampled_from([0.2, 0.25, 0.3, 0.34, 0.4, 0.45, 0.5]), min_size=5, max_size=8))
def test_shares_that_nearly_fill_the_gpus_are_decided_exactly_too(shares: list[float]):
    """Where placing the largest first often finds nothing though there is a way; and the same as replicas of one."""
    gpus = -(-sum(round(share * WHOLE) for share in shares) // WHOLE)
    demands = [Demand(f"s{share:g}", share, shares.count(share)) for share in set(shares)]

    assert (refusal(demands, gpus) == "") == placeable(shares, gpus)


def test_a_way_that_the_largest_first_does_not_find_is_found():
    """Two GPUs filled to the brim: 0.45 + 0.35 + 0.2 each; the largest first puts 0.45 on 0.45 and leaves 0.2 out."""
    demands = [Demand("tags", 0.45, 2), Demand("clip", 0.35, 2), Demand("ocr", 0.2, 2)]

    assert refusal(demands, 2) == ""
    assert "do not fit on 2 GPUs" in refusal([Demand("tags", 0.4, 3), Demand("clip", 0.35, 2)], 2)


def test_a_sum_that_fits_but_does_not_pack_is_refused_in_a_sentence():
    """Who asks for what, what is left, what to do."""
    demands = [Demand("tags", 0.6), Demand("ocr", 0.6), Demand("clip_embeddings", 0.6)]

    assert refusal(demands, 3) == ""
    assert refusal(demands, 2) == (
        "tags 0.6 + ocr 0.6 + clip_embeddings 0.6 do not fit on 2 GPUs: a replica's share must lie on one GPU, and"
        " clip_embeddings asks for 0.6 where 2 x 0.4 is left; lower a share or max_replicas"
    )


def test_a_sum_that_is_too_large_is_refused_with_the_sum():
    """Replicas are counted, each of them."""
    assert refusal([Demand("tags", 0.6, 3), Demand("ocr", 0.5)], 2) == (
        "tags 3 x 0.6 + ocr 0.5 = 2.3 is more than the 2 of gpus_per_node; lower a share or max_replicas"
    )
    assert "= 0.1 is more than the 0" in refusal([Demand("tags", 0.1)], 0)
    assert refusal([], 0) == refusal([Demand("exif", 0.0, 5)], 0) == ""


def test_hundreds_of_small_shares_are_decided_at_once():
    """A search without end would be a start without end."""
    easy = [Demand(f"s{number}", number / 100, 10) for number in range(1, 10)]
    hard = [round(WHOLE * share) for share in (0.0911, 0.0913, 0.0917, 0.0919, 0.0923, 0.0929) for _ in range(18)]

    assert refusal(easy, 5) == ""
    assert packs(hard, 10) is False


@pytest.mark.parametrize(
    ("asked", "gpus", "said"),
    [
        (
            0.5,
            [GpuRoom("a", "0", 0.25), GpuRoom("a", "1", 0.25)],
            "a replica of tags asks for 0.5 GPU; there are 2 GPUs, with 0.25 (node a, GPU 0) and 0.25 (node a, GPU 1)"
            " free; stop another service or lower services.tags.gpus",
        ),
        (
            0.5,
            [GpuRoom("a", "0", 0.0)],
            "a replica of tags asks for 0.5 GPU; there is 1 GPU, with nothing free;"
            " stop another service or lower services.tags.gpus",
        ),
        (
            0.5,
            [],
            "a replica of tags asks for 0.5 GPU; the cluster has no GPU; add a node that has one,"
            " or set services.tags.gpus to 0",
        ),
        (
            0.5,
            [GpuRoom("a", "0", 0.25), GpuRoom("b", "0", 0.5)],
            "a replica of tags asks for 0.5 GPU; 0.25 (node a, GPU 0) and 0.5 (node b, GPU 0) is free,"
            " so it is about to be placed",
        ),
        (
            0,
            [],
            "a replica of tags asks for no GPU and no CPU; it starts as soon as a node of the cluster answers",
        ),
    ],
)
def test_a_replica_without_a_place_says_what_it_asks_for_and_what_there_is(
    asked: float, gpus: list[GpuRoom], said: str
):
    """Every case has its own way out."""
    assert unplaced("tags", asked, gpus) == said


def test_of_many_gpus_only_some_are_named():
    """A sentence stays one."""
    rooms = [GpuRoom("a", str(number), 0.1) for number in range(20)]

    assert "(node a, GPU 7) and 12 more free" in unplaced("tags", 0.5, rooms)
