"""What a replica tells of the GPU memory it holds."""

import os

from cluster.gpus import Gpus
from serve_apps.meter import Meter
from tests.cluster.test_gpus import GIB, Card, Driver
from tests.serve_apps.test_vitals import replica


def test_the_drivers_figure_for_this_process_is_told() -> None:
    """On all GPUs together, and not what others hold."""
    cards = [Card("one", 80 * GIB, 9 * GIB, computing={os.getpid(): 3 * GIB, 1: 5 * GIB}), Card("two", 80 * GIB, 0)]

    assert Meter(replica("a"), lambda vitals: None, Gpus(Driver(cards))).vitals().gpu_memory == 3 * GIB


def test_a_replica_without_a_gpu_asks_no_driver_and_holds_nothing() -> None:
    """Also where torch is there."""
    assert Meter(replica("a"), lambda vitals: None).vitals().gpu_memory == 0
