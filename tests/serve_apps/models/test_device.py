"""Where a model computes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import serve_apps.models.device as device_module
from cluster.errors import SettingsError, Unavailable
from cluster.settings import ModelSpec
from serve_apps.models.device import Device, device_name, memory_fraction

MODELS = Path(device_module.__file__).parent


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


@pytest.mark.parametrize(
    ("fields", "fraction"),
    [
        ({"gpus": 0.25, "gpu_memory_gb": 5}, 0.125),
        ({"gpus": 0.25}, 0.25),
        ({"gpus": 1, "gpu_memory_gb": 80}, 1.0),
    ],
)
def test_a_replica_may_take_its_memory_or_else_its_share(fields: dict[str, object], fraction: float) -> None:
    """Of a GPU with 40 GB; more than there is, is all there is."""
    assert memory_fraction(spec(**fields), 40 * 10**9) == fraction


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.py")), ids=lambda path: path.name)
def test_only_the_device_speaks_to_cuda(path: Path) -> None:
    """A replica without a share sees every GPU: a model that went to one by itself would take memory there."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf8"))))
    asked = [ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    words = [word for call in calls for word in (*call.args, *(given.value for given in call.keywords))]
    went = [call for call in calls if ast.unparse(call.func).endswith((".cuda", ".pin_memory"))]

    assert path.name == "device.py" or ("torch.cuda" not in asked and not went)
    assert not [word for word in words if isinstance(word, ast.Constant) and str(word.value).startswith("cuda")]


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("kind", "checkpoint"),
    [
        ("clip", "embedded:clip"),
        ("faces", "embedded:dlib-resnet"),
        ("imagenet-tags", "embedded:efficientnet-lite0"),
        ("ocr", "rapidocr"),
    ],
)
def test_a_replica_without_a_share_starts_no_cuda(kind: str, checkpoint: str, weights: Path) -> None:
    """Where GPUs are seen and the model is loaded and asked, its process is not on them."""
    code = (
        "import sys, numpy as np, torch; from pathlib import Path; from cluster.settings import ModelSpec\n"
        "from serve_apps.models import load\n"
        "model = load(ModelSpec(kind=sys.argv[1], checkpoint=sys.argv[2]), Path(sys.argv[3]))\n"
        "model.predict([np.zeros((64, 64, 3), np.uint8)])\n"
        "assert torch.cuda.is_available()\n"
        "sys.exit(torch.cuda.is_initialized())"
    )

    asked = [sys.executable, "-c", code, kind, checkpoint, str(weights)]
    assert subprocess.run(asked, check=False).returncode == 0


@pytest.mark.gpu
def test_the_share_of_gpu_memory_is_enforced() -> None:
    """What a spec may take of the GPU's memory is all it gets."""
    Device.of(spec(gpus=0.1, gpu_memory_gb=1))

    try:
        with pytest.raises(torch.cuda.OutOfMemoryError):
            torch.empty(2 * 10**9, dtype=torch.uint8, device="cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
