"""Every node measured on itself, by one light actor for each that stays there and asks for no CPU.

So a busy node answers too, and none pays for a new process at each question. Which nodes there are is stats.py's.
"""

import threading
from collections.abc import Collection
from typing import Any, cast

import msgspec
import pynvml
import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.gpus import Gpu, Gpus
from cluster.machine import Cpu, Disk, Memory, cpu, disk, memory


class Figures(msgspec.Struct, frozen=True):
    """A node as measured on itself."""

    cpu: Cpu
    memory: Memory
    disk: Disk | None  # that the library is on; None where its folder is not
    gpus: list[Gpu]


class Measurer:
    """Measures the machine it runs on."""

    def __init__(self, folder: str) -> None:
        """`folder`: of the library."""
        self.folder, self.gpus = folder, Gpus(pynvml)

    def measure(self) -> Figures:
        """The machine now; takes a fifth of a second."""
        return Figures(cpu(), memory(), disk(self.folder), self.gpus.measured())


class Nodes:
    """The measurers of a cluster that this process has joined. May be asked from several threads at once."""

    def __init__(self, namespace: str, folder: str) -> None:
        self.namespace, self.folder = namespace, folder
        self._measurers: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}  # questions under way: a node that hangs gets one, not one every time
        self._lock = threading.Lock()

    def figures(self, node_ids: Collection[str], timeout_s: float) -> dict[str, Figures]:
        """The figures of the nodes that answer in time, side by side."""
        asked = {node_id: self._ask(node_id) for node_id in node_ids}
        if not asked:
            return {}
        done = set(ray.wait(list(asked.values()), num_returns=len(asked), timeout=timeout_s)[0])
        answers = {node_id: self._answer(node_id, ref) for node_id, ref in asked.items() if ref in done}
        self._keep(node_ids)
        return {node_id: figures for node_id, figures in answers.items() if figures}

    def _ask(self, node_id: str) -> Any:
        with self._lock:
            if node_id not in self._asked:
                if node_id not in self._measurers:
                    self._measurers[node_id] = measurer(node_id, self.namespace, self.folder)
                self._asked[node_id] = self._measurers[node_id].measure.remote()
            return self._asked[node_id]

    def _answer(self, node_id: str, question: Any) -> Figures | None:
        """What a node answered; None when its measurer is gone, which is looked for anew next time."""
        with self._lock:
            if self._asked.get(node_id) is question:
                del self._asked[node_id]
        try:
            return cast(Figures, ray.get(question))
        except RayError:
            with self._lock:
                self._measurers.pop(node_id, None)
            return None

    def _keep(self, node_ids: Collection[str]) -> None:
        """Forget the nodes that are gone."""
        with self._lock:
            for known in (self._measurers, self._asked):
                for node_id in set(known) - set(node_ids):
                    del known[node_id]


def measurer(node_id: str, namespace: str, folder: str) -> Any:
    """The measurer of a node; starts it where there is none."""
    options = ray.remote(Measurer).options(
        name=f"node:{node_id}", namespace=namespace, lifetime="detached", get_if_exists=True, num_cpus=0,
        max_restarts=-1, scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
    )  # fmt: skip
    return cast(Any, options).remote(folder)
