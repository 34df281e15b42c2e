"""What replicas tell, put together: sums that only grow, and times."""

import msgspec
import pytest

from serve_apps.meter import Meter
from serve_apps.vitals import SECONDS, SIZES, Counts, Vitals, percentile, read_vitals, total


def replica(name: str, **told: object) -> Vitals:
    """A replica's word."""
    given = {
        "application": "tags-1", "service": "tags", "node_id": "n", "pid": 1, "model": "m", "device": "cpu", "gpus": [],
        "gpu_share": 0.0, "born_at": 0.0, "ready_at": 1.0, "told_at": 2.0, "counts": Counts(), "waiting": 0,
        "computing": 0, "recent_s": [], "memory": 0, "gpu_memory": 0, **told,
    }  # fmt: skip
    return Vitals(replica=name, **given)


@pytest.mark.parametrize(
    ("count", "share", "rank"),
    [(1, 0.5, 1), (2, 0.5, 1), (3, 0.5, 2), (4, 0.5, 2), (100, 0.99, 99), (101, 0.99, 100), (256, 0.99, 254)],
)
def test_a_percentile_is_the_least_time_within_which_so_many_were_answered(count: int, share: float, rank: int):
    """One slow call of a hundred is not their 99th percentile; the order in which they came does not matter."""
    times = [float(number) for number in range(count, 0, -1)]

    assert percentile(times, share) == rank


def test_without_a_call_there_is_no_percentile():
    """Zero would be a lie."""
    assert percentile([], 0.5) is None


def test_the_replicas_of_a_service_count_together():
    """Every number of each, edge by edge; nothing of none."""
    one = Counts(1, 2, 3, 4.0, [5] * (len(SECONDS) + 1), [6] * (len(SIZES) + 1), 7)
    two = Counts(10, 20, 30, 40.0, [50] * (len(SECONDS) + 1), [60] * (len(SIZES) + 1), 70)

    both = total([replica("a", counts=one), replica("b", counts=two)])

    assert both == Counts(11, 22, 33, 44.0, [55] * (len(SECONDS) + 1), [66] * (len(SIZES) + 1), 77)
    assert (one.calls, two.calls) == (1, 10)
    assert total([]) == Counts()


def test_a_word_survives_the_way_over_the_board():
    """As plain data, of a replica that has counted something."""
    told: list[Vitals] = []
    meter = Meter(replica("a"), told.append)
    with meter.call(3), meter.computing(3):
        pass
    meter.leave()

    assert msgspec.convert(msgspec.to_builtins(told[0]), Vitals) == told[0]
    assert told[0].counts.items == 3


def test_without_a_cluster_nobody_tells_anything():
    """To ask must not start one."""
    import ray

    began = ray.is_initialized()

    assert began or read_vitals("nobody's namespace") == []
    assert ray.is_initialized() == began
