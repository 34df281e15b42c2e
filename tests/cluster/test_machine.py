"""A machine's figures are the kernel's own at that moment."""

import platform
import shutil
from pathlib import Path

import psutil
import pytest

from cluster.machine import cpu, cpu_model, disk, memory

CPUINFO = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) CPU @ 2.20GHz\nstepping\t: 0\n"


def test_processors_are_those_of_this_machine() -> None:
    """Logical ones and cores, by the name the kernel gives them, busy between nothing and all."""
    told = cpu()

    assert (told.logical, told.physical) == (psutil.cpu_count(), psutil.cpu_count(logical=False) or psutil.cpu_count())
    assert 0 <= told.utilization <= 1
    named = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    assert told.model == (named[0] if named else platform.machine())


def test_a_processor_without_a_name_is_told_by_its_architecture(tmp_path: Path) -> None:
    """As on many ARM boards; and where there is no such file at all."""
    file = tmp_path / "cpuinfo"
    file.write_text(CPUINFO)
    assert cpu_model(file) == "Intel(R) Xeon(R) CPU @ 2.20GHz"
    file.write_text("processor\t: 0\nBogoMIPS\t: 48.00\n")
    assert cpu_model(file) == platform.machine()
    assert cpu_model(tmp_path / "away") == platform.machine()


def test_memory_in_use_is_what_is_not_available() -> None:
    """As `free` counts it, to what other processes take meanwhile."""
    told, kernel = memory(), meminfo()

    assert told.total == kernel["MemTotal"]
    assert told.used == pytest.approx(kernel["MemTotal"] - kernel["MemAvailable"], abs=0.1 * kernel["MemTotal"])


def meminfo() -> dict[str, int]:
    """Bytes by name, as the kernel tells."""
    lines = [line.split() for line in Path("/proc/meminfo").read_text().splitlines()]
    return {name.rstrip(":"): int(size) * 1024 for name, size, *_ in lines}


def test_a_disk_is_the_one_that_a_folder_is_on(tmp_path: Path) -> None:
    """Free is what may still be written; a folder that is not there has none."""
    told, df = disk(tmp_path), shutil.disk_usage(tmp_path)

    assert told is not None
    assert told.total == df.total
    assert (told.used, told.free) == pytest.approx((df.used, df.free), abs=2**30)
    assert disk(tmp_path / "away") is None
