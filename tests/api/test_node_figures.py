"""Nodes measured for everybody, and named so that no two are one."""

import pytest

from api.node_figures import Measured, named
from cluster.errors import Unavailable
from cluster.stats import ClusterStats, NodeStats
from tests.api.standins import two_nodes
from tests.api.workload import value


def test_what_somebody_measured_lately_is_enough() -> None:
    """The history's samples are the scrapes' too: no node is asked for a scrape."""
    asked: list[None] = []

    def measure() -> ClusterStats:
        asked.append(None)
        return two_nodes()

    measured = Measured(measure)
    measured()
    for _ in range(3):
        list(measured.families())

    assert len(asked) == 1
    measured()
    assert len(asked) == 2


def test_a_cluster_that_is_gone_is_not_remembered_for_long() -> None:
    """Without a measurement of the last seconds it is asked, and raises."""

    def gone() -> ClusterStats:
        raise Unavailable("it is gone")

    with pytest.raises(Unavailable):
        list(Measured(gone).families())


def test_nodes_of_one_name_are_told_apart() -> None:
    """Several nodes on one machine have its name; a scrape with one twice would be refused."""
    figures = two_nodes().nodes[0].figures
    nodes = [NodeStats(node_id, "here", figures) for node_id in ("n3", "n1")] + [NodeStats("n2", "a", figures)]
    stats = ClusterStats(nodes, {}, {}, two_nodes().object_store, "2.60.0")

    assert {name: node.node_id for name, node in named(stats).items()} == {"a": "n2", "here": "n1", "here 2": "n3"}
    families = {family.name: family for family in Measured(lambda: stats).families()}
    assert value(families, "brightroom_gpu_temperature_celsius", node="here 2", gpu="0") == 40
