"""The cluster as it is: each node measured on itself."""

import os

import psutil

from api.up import Brightroom
from cluster.stats import snapshot


def test_the_only_node_is_measured_and_its_resources_are_told(brightroom: Brightroom):
    """Memory and CPUs are this machine's, Ray's are those of the settings."""
    stats = snapshot()

    (node,) = stats.nodes
    assert node.alive
    assert node.cpus == psutil.cpu_count()
    assert node.memory_total == psutil.virtual_memory().total
    assert 0 < node.memory_used < node.memory_total
    assert stats.resources_total["CPU"] == os.cpu_count()
    assert node.gpus == []
