"""Where a model computes."""

import pytest
import torch

from cluster.errors import SettingsError, Unavailable
from cluster.settings import ModelSpec
from serve_apps.models.device import Device, device_name


def spec(**fields: object) -> ModelSpec:
    return ModelSpec.model_validate({"kind": "clip", **fields})


def never() -> bool:
    raise AssertionError("the GPU was looked for")


@pytest.mark.parametrize("fields", [{"gpus": 0}, {"device": "cpu", "gpus": 1}, {"device": "cpu"}])
def test_the_gpu_is_not_even_looked_for_without_a_share(fields: dict[str, object]) -> None:
    """A model that was placed without a GPU takes no memory on one."""
    assert device_name(spec(**fields), never) == "cpu"


@pytest.mark.parametrize(("here", "name"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_the_gpu_that_is_there(here: bool, name: str) -> None:
    """With a share of a GPU, `auto` means the GPU where there is one."""
    assert device_name(spec(gpus=0.5), lambda: here) == name


def test_cuda_without_a_gpu_is_unavailable() -> None:
    """A model that insists on a GPU does not fall back in silence."""
    with pytest.raises(Unavailable, match="no usable GPU"):
        device_name(spec(device="cuda", gpus=0.5), lambda: False)


@pytest.mark.parametrize("fields", [{"device": "cuda"}, {"device": "tpu", "gpus": 1}])
def test_a_device_that_cannot_be_meant_is_refused(fields: dict[str, object]) -> None:
    """CUDA without a share, and devices nobody knows, are errors of the settings."""
    with pytest.raises(SettingsError, match=r"^device:"):
        device_name(spec(**fields), never)


@pytest.mark.parametrize(("cpus", "threads"), [(0, 1), (1, 1), (2, 2), (1.5, 1)])
def test_threads_are_the_specs_cpus(cpus: float, threads: int) -> None:
    """A replica uses the cores it was placed with, and at least one."""
    before = torch.get_num_threads()
    Device.of(spec(cpus=cpus))
    there = torch.get_num_threads()
    torch.set_num_threads(before)

    assert there == threads


def test_the_cpu_computes_in_float32_whatever_the_dtype() -> None:
    """`dtype` is the precision on CUDA."""
    device = Device.of(spec(dtype="bfloat16", cpus=2))

    with device.inference():
        product = torch.ones(2, 2) @ torch.ones(2, 2)

    assert product.dtype == torch.float32


def test_batches_are_at_most_the_specs_size() -> None:
    """Every item comes once, in order."""
    device = Device.of(spec(batch_size=4, cpus=2))

    assert [list(part) for part in device.batches(range(10))] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.gpu
def test_the_share_of_gpu_memory_is_enforced() -> None:
    """What a spec may take of the GPU's memory is all it gets."""
    Device.of(spec(gpus=0.1, gpu_memory_gb=1))

    try:
        with pytest.raises(torch.cuda.OutOfMemoryError):
            torch.empty(2 * 10**9, dtype=torch.uint8, device="cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
