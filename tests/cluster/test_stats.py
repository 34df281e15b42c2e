"""The cluster as it is: each node measured on itself, by one actor that stays there."""

import os
import shutil
import socket
import time

import numpy as np
import psutil
import pytest
import ray
from ray.util.state import list_actors

from api.up import Brightroom
from cluster.errors import Unavailable
from cluster.nodes import Nodes
from cluster.stats import snapshot


@pytest.fixture
def nodes(brightroom: Brightroom) -> Nodes:
    """The measurers of the running Brightroom, looked for anew."""
    return Nodes(brightroom.settings.ray.namespace, str(brightroom.settings.root))


def test_asking_starts_no_cluster() -> None:
    """In a process that has joined none it is a sentence."""
    if ray.is_initialized():
        pytest.skip("another test's Brightroom runs in this process already")
    with pytest.raises(Unavailable, match="start it with `brightroom up`"):
        snapshot(Nodes("brightroom", "/"))
    assert not ray.is_initialized()


def test_the_only_node_is_measured_and_its_resources_are_told(brightroom: Brightroom, nodes: Nodes):
    """Memory, CPUs and disk are this machine's, Ray's are those of the settings."""
    stats = snapshot(nodes, timeout_s=20)

    (node,) = stats.nodes
    assert node.node_id == ray.get_runtime_context().get_node_id()
    assert node.name in (socket.gethostname(), socket.getfqdn(), "127.0.0.1")
    assert node.figures is not None
    assert node.figures.cpu.logical == psutil.cpu_count()
    assert node.figures.memory.total == psutil.virtual_memory().total
    assert 0 < node.figures.memory.used < node.figures.memory.total
    assert node.figures.disk is not None
    assert node.figures.disk.total == shutil.disk_usage(brightroom.settings.root).total
    assert stats.resources_total["CPU"] == os.cpu_count()
    assert stats.ray_version == ray.__version__


def test_the_object_store_is_as_full_as_what_is_in_it(nodes: Nodes):
    """Ray tells with a second's delay or so."""
    before = snapshot(nodes).object_store
    kept = ray.put(np.zeros(50_000_000, np.uint8))

    deadline = time.monotonic() + 10
    while (now := snapshot(nodes).object_store).used < before.used + 50_000_000 and time.monotonic() < deadline:
        time.sleep(0.2)

    assert now.used >= 50_000_000
    assert now.total == before.total > now.used
    del kept


def test_one_actor_measures_for_everybody_and_comes_back_when_it_is_killed(brightroom: Brightroom, nodes: Nodes):
    """Whoever asks finds the same one; without it the node is told without figures, until it is there again."""
    snapshot(nodes, timeout_s=20)
    (node,) = snapshot(Nodes(brightroom.settings.ray.namespace, str(brightroom.settings.root)), timeout_s=20).nodes
    ours = ray.get_runtime_context().gcs_address  # another cluster may run on the machine
    alive = list_actors(ours, filters=[("state", "=", "ALIVE")])
    measurers = [actor for actor in alive if actor.name == f"node:{node.node_id}"]
    assert [(actor.class_name, actor.node_id) for actor in measurers] == [("Measurer", node.node_id)]

    psutil.Process(measurers[0].pid).kill()
    deadline = time.monotonic() + 30
    while not (back := snapshot(nodes, timeout_s=20).nodes[0].figures) and time.monotonic() < deadline:
        time.sleep(0.2)

    assert back is not None


def test_a_node_that_does_not_answer_in_time_is_told_without_figures(nodes: Nodes):
    """And asked no second time while the first question waits."""
    snapshot(nodes, timeout_s=20)

    hurried = [snapshot(nodes, timeout_s=0).nodes[0].figures for _ in range(3)]

    assert hurried == [None] * 3
    assert snapshot(nodes, timeout_s=20).nodes[0].figures is not None
