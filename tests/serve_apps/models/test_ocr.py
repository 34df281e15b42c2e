"""Text in pictures."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import Fail
from rapidocr.inference_engine.onnxruntime import ONNXRuntimeError

from cluster.errors import Unavailable
from cluster.settings import ModelSpec
from serve_apps.faults import is_out_of_memory
from serve_apps.models.ocr import PROVIDER, answer, on_cuda, parameters
from serve_apps.models.ocr import loaded as reader_of
from serve_apps.models.protocol import Image, Text


@pytest.fixture(scope="module")
def ocr(loaded: Callable[..., Any]) -> Any:
    return loaded("ocr", "rapidocr", options={"min_score": 0.6})


def test_a_page_is_read(ocr: Any, photos: dict[str, Image]) -> None:
    """Line by line, with how sure the reader is."""
    (text,) = ocr.predict([photos["page"]])

    assert text.text.startswith("Region-based segmentation\n")
    assert "determine markers of the coins" in text.text
    assert text.score > 0.9


def test_where_nothing_is_written_nothing_is_read(ocr: Any, photos: dict[str, Image]) -> None:
    """A picture without text, and one without anything."""
    assert ocr.predict([photos["coffee"], np.zeros((40, 40, 3), np.uint8)]) == [Text("", 0.0)] * 2


def test_unsure_lines_are_dropped(loaded: Callable[..., Any], photos: dict[str, Image]) -> None:
    """`min_score` is an option: nothing is as sure as that."""
    strict = loaded("ocr", "rapidocr", options={"min_score": 1.1})

    assert strict.predict([photos["page"]]) == [Text("", 0.0)]


def test_a_lone_letter_is_no_text(ocr: Any, loaded: Callable[..., Any], photos: dict[str, Image]) -> None:
    """A cup seen from above reads as 8; how many letters make a line is an option."""
    credulous = loaded("ocr", "rapidocr", options={"min_letters": 1})

    assert credulous.predict([photos["coffee"]])[0].text == "8"
    assert ocr.predict([photos["coffee"]])[0].text == ""


def test_reading_says_nothing(ocr: Any, photos: dict[str, Image], capfd: pytest.CaptureFixture[str]) -> None:
    """rapidocr's own log of every model it opens and every empty page is kept quiet."""
    ocr.predict([photos["coffee"]])

    assert capfd.readouterr() == ("", "")


def test_threads_are_the_specs_cpus() -> None:
    """A replica uses the cores it was placed with, and at least one."""
    key = "EngineConfig.onnxruntime.intra_op_num_threads"

    assert [parameters(ModelSpec(kind="ocr", cpus=cpus))[key] for cpus in (0, 1, 3)] == [1, 1, 3]


def test_the_gpu_is_used_only_with_a_share_and_where_onnxruntime_can() -> None:
    """Without a share never; with one, as the provider is there."""
    there = PROVIDER in onnxruntime.get_available_providers()

    assert not on_cuda(ModelSpec(kind="ocr"))
    assert not on_cuda(ModelSpec(kind="ocr", device="cpu", gpus=1))
    assert on_cuda(ModelSpec(kind="ocr", gpus=0.5)) == there


def test_cuda_that_onnxruntime_lacks_is_unavailable() -> None:
    """A spec that insists on a GPU is not run elsewhere in silence."""
    with pytest.raises(Unavailable, match="install onnxruntime-gpu or set device: cpu"):
        on_cuda(ModelSpec(kind="ocr", gpus=0.5, device="cuda"), providers=["CPUExecutionProvider"])


def test_gpu_memory_is_limited_for_all_networks_together() -> None:
    """Detector and recogniser have an arena each, and rapidocr hands the limit on to both."""
    key = "EngineConfig.onnxruntime.cuda_ep_cfg.gpu_mem_limit"
    reader = reader_of(ModelSpec(kind="ocr", gpus=0.5, gpu_memory_gb=3))

    assert key not in parameters(ModelSpec(kind="ocr", gpus=0.5))
    assert reader.cfg.EngineConfig.onnxruntime.cuda_ep_cfg.gpu_mem_limit == 1_500_000_000
    assert reader.cfg.Det.engine_cfg.cuda_ep_cfg.gpu_mem_limit == 1_500_000_000
    assert reader.cfg.Rec.engine_cfg.cuda_ep_cfg.gpu_mem_limit == 1_500_000_000


def test_what_onnxruntime_says_of_memory_comes_through_rapidocr() -> None:
    """rapidocr raises an error of its own with a traceback as text; what is raised here is read like torch's errors."""

    def short(image: Image) -> Any:
        try:
            raise Fail("Available memory of 29630208 is smaller than requested bytes of 33554432")
        except Fail as error:
            raise ONNXRuntimeError("Traceback (most recent call last): ...") from error

    with pytest.raises(RuntimeError, match=r"^Available memory") as told:
        answer(short, np.zeros((4, 4, 3), np.uint8))
    assert is_out_of_memory(told.value)


@pytest.mark.gpu
def test_reading_on_a_gpu_keeps_to_its_memory(photos: dict[str, Image], loaded: Callable[..., Any]) -> None:
    """A page is read within a gigabyte, in one thread or in four; with too little the reader says what is short."""
    small = loaded("ocr", "rapidocr", device="cuda", gpus=0.1, gpu_memory_gb=1)

    with ThreadPoolExecutor(4) as threads:
        assert all(text.text for text in threads.map(small.read, [photos["page"]] * 4))
    with pytest.raises(RuntimeError) as told:
        loaded("ocr", "rapidocr", device="cuda", gpus=0.1, gpu_memory_gb=0.01)
    assert is_out_of_memory(told.value)


def test_reading_in_several_threads_changes_nothing(ocr: Any, photos: dict[str, Image]) -> None:
    """A replica is asked by several callers at once."""
    images = [photos["page"], photos["rocket"], photos["page"][:60], photos["coffee"]]

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(ocr.read, images))

    assert together == ocr.predict(images)
