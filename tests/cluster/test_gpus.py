"""GPUs as NVIDIA's driver tells, with a stand-in for the driver that answers like the module pynvml."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pynvml

from cluster.gpus import Gpu, GpuProcess, Gpus

GIB = 2**30


class NVMLError(Exception):
    """What the driver's module raises."""


@dataclass
class Card:
    """A GPU of the stand-in. What is None it does not support."""

    name: str | bytes
    total: int
    used: int
    reserved: int = 0
    busy: int | None = 0
    celsius: int | None = 30
    computing: dict[int, int | None] | None = field(default_factory=dict)
    drawing: dict[int, int | None] | None = field(default_factory=dict)
    lost: bool = False  # it fell off the bus


class Driver:
    """A stand-in for pynvml; `old`: without the second version of the call for memory."""

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0
    nvmlMemory_v2 = 2

    def __init__(self, cards: list[Card], old: bool = False) -> None:
        self.cards, self.old = cards, old
        self.gone = False
        self.opened = self.times_opened = 0

    def nvmlInit(self) -> None:
        """Open the driver."""
        self._require(not self.gone)
        self.opened += 1
        self.times_opened += 1

    def nvmlShutdown(self) -> None:
        """Close it."""
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:
        """How many cards there are."""
        self._require(self.opened > 0 and not self.gone)
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Card:
        """A card."""
        self._require(not self.cards[index].lost)
        return self.cards[index]

    def nvmlDeviceGetName(self, card: Card) -> str | bytes:
        """Its model."""
        return card.name

    def nvmlDeviceGetMemoryInfo(self, card: Card, version: int | None = None) -> SimpleNamespace:
        """Its memory; without a version, what the driver reserves counts as used."""
        self._require(not (version and self.old))
        return SimpleNamespace(total=card.total, used=card.used + (0 if version else card.reserved))

    def nvmlDeviceGetUtilizationRates(self, card: Card) -> SimpleNamespace:
        """Per cent."""
        return SimpleNamespace(gpu=self._supported(card.busy))

    def nvmlDeviceGetTemperature(self, card: Card, sensor: int) -> int:
        """Degrees."""
        assert sensor == self.NVML_TEMPERATURE_GPU
        celsius: int = self._supported(card.celsius)
        return celsius

    def nvmlDeviceGetComputeRunningProcesses(self, card: Card) -> list[SimpleNamespace]:
        """Those that compute."""
        return [SimpleNamespace(pid=pid, usedGpuMemory=held) for pid, held in self._supported(card.computing).items()]

    def nvmlDeviceGetGraphicsRunningProcesses(self, card: Card) -> list[SimpleNamespace]:
        """Those that draw."""
        return [SimpleNamespace(pid=pid, usedGpuMemory=held) for pid, held in self._supported(card.drawing).items()]

    def _supported(self, value: Any) -> Any:
        self._require(value is not None)
        return value

    def _require(self, well: bool) -> None:
        if not well:
            raise NVMLError("not supported")


def test_two_gpus_are_told_with_all_their_figures() -> None:
    """Memory as nvidia-smi shows it, without what the driver reserves for itself; each process once."""
    first = Card("NVIDIA H100", 80 * GIB, 3 * GIB, GIB, 25, 41, {20: 2 * GIB, 10: GIB}, {10: 5, 30: None})
    second = Card(b"NVIDIA T4", 15 * GIB, 0)

    assert Gpus(Driver([first, second])).measured() == [
        Gpu(0, "NVIDIA H100", 80 * GIB, 3 * GIB, 0.25, 41, [
            GpuProcess(10, GIB), GpuProcess(20, 2 * GIB), GpuProcess(30, None),
        ]),
        Gpu(1, "NVIDIA T4", 15 * GIB, 0, 0.0, 30, []),
    ]  # fmt: skip


def test_what_a_gpu_does_not_support_is_not_told_and_the_rest_is() -> None:
    """A card cut into slices knows no utilisation, for one; an old driver counts what it reserves as used."""
    sliced = Card("A100 MIG", 40 * GIB, 2 * GIB, GIB, None, None, None, {7: None})

    assert Gpus(Driver([sliced])).measured() == [
        Gpu(0, "A100 MIG", 40 * GIB, 2 * GIB, None, None, [GpuProcess(7, None)])
    ]
    (old,) = Gpus(Driver([sliced], old=True)).measured()
    assert old.memory_used == 3 * GIB


def test_a_gpu_that_is_lost_takes_no_other_along() -> None:
    """The others keep their numbers, and the driver stays open; nvidia-smi shows it so too."""
    driver = Driver([Card("T4", GIB, 1), Card("T4", GIB, 2, lost=True), Card("T4", GIB, 3)])
    gpus = Gpus(driver)

    assert [(gpu.index, gpu.memory_used) for gpu in gpus.measured()] == [(0, 1), (2, 3)]
    assert len(gpus.measured()) == 2
    assert driver.times_opened == 1

    for card in driver.cards:
        card.lost = True
    assert gpus.measured() == []
    driver.cards[1].lost = False
    assert [gpu.index for gpu in gpus.measured()] == [1]
    assert (driver.times_opened, driver.opened) == (2, 1)


def test_a_machine_without_a_driver_has_no_gpus() -> None:
    """With the stand-in, and with the module that is installed, wherever this runs without a GPU."""
    driver = Driver([])
    driver.gone = True
    assert Gpus(driver).measured() == []
    assert all(isinstance(gpu, Gpu) for gpu in Gpus(pynvml).measured())


def test_the_driver_is_opened_once_and_anew_after_it_failed() -> None:
    """A driver that is replaced while we run is found again, and none is left open."""
    driver = Driver([Card("T4", GIB, 0)])
    gpus = Gpus(driver)
    assert len(gpus.measured()) == len(gpus.measured()) == 1
    assert driver.times_opened == 1

    driver.gone = True
    assert gpus.measured() == gpus.measured() == []
    driver.gone = False
    assert len(gpus.measured()) == 1
    assert (driver.times_opened, driver.opened) == (2, 1)


def test_the_stand_in_answers_to_what_the_module_has() -> None:
    """Every name of it is one of pynvml's."""
    names = [name for name in dir(Driver) if name.lower().startswith("nvml")]
    assert len(names) > 10
    assert all(hasattr(pynvml, name) for name in names)
