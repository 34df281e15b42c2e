"""Text in pictures, read by rapidocr's PP-OCR on onnxruntime. Needs no torch."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
import onnxruntime
from rapidocr import RapidOCR
from rapidocr.inference_engine.onnxruntime import ONNXRuntimeError

from cluster.errors import Unavailable
from cluster.settings import ModelSpec
from serve_apps.models.protocol import Image, Text
from serve_apps.spares import Spares

PROVIDER = "CUDAExecutionProvider"
NETWORKS = 2  # a reader's detector and its recogniser: each has memory of its own on a GPU, and a limit of its own


class OcrModel:
    """PP-OCR's detector and reader.

    Options: `min_score` (0.6) below which a line is dropped, `min_letters` (2) likewise (round things read as 0 and 8),
    `longest_px` (1024) of what the detector sees.
    """

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        self.min_score = float(spec.options.get("min_score", 0.6))
        self.min_letters = int(spec.options.get("min_letters", 2))
        self.readers = Spares(lambda: loaded(spec))  # rapidocr keeps what it is reading in itself
        # On a GPU one reader does it all: a second would take the memory twice, and the GPU works in turn anyway.
        self.turn: AbstractContextManager[Any] = Lock() if on_cuda(spec) else nullcontext()
        with self.readers.lent():  # the first: a model is loaded or absent
            pass

    def predict(self, batch: Sequence[Image]) -> list[Text]:
        """The text of each picture, a line per line found, from the top; empty where there is none."""
        return [self.read(image) for image in batch]

    def read(self, image: Image) -> Text:
        """The text of one picture."""
        with self.turn, self.readers.lent() as reader:
            result = answer(reader, np.ascontiguousarray(image[:, :, ::-1]))  # rapidocr wants BGR
        lines = zip(result.txts or (), result.scores or (), strict=True)
        kept = [(text.strip(), score) for text, score in lines if self.is_sure(text.strip(), score)]
        if not kept:
            return Text("", 0.0)
        return Text("\n".join(text for text, _ in kept), float(np.mean([score for _, score in kept])))

    def is_sure(self, line: str, score: float) -> bool:
        """Whether a line is long and sure enough to be text."""
        return score >= self.min_score and len(line) >= self.min_letters


def loaded(spec: ModelSpec) -> RapidOCR:
    """A reader of its own threads; it loads each network when it first needs it, so it is made to need them."""
    reader = RapidOCR(params=parameters(spec))
    reader(word())
    return reader


def answer(reader: Callable[[Image], Any], image: Image) -> Any:
    """What a reader says of a picture; raises RuntimeError with onnxruntime's own words, as torch's models do."""
    try:
        return reader(image)
    except ONNXRuntimeError as error:  # its text is the whole traceback
        raise RuntimeError(str(error.__cause__ or error)) from error


def parameters(spec: ModelSpec) -> dict[str, Any]:
    """rapidocr's settings for a spec; all networks together take no more GPU memory than the spec may."""
    limit = {"gpu_mem_limit": int(spec.gpu_memory_gb * 1e9 / NETWORKS)} if spec.gpu_memory_gb else {}
    return {
        "Global.log_level": "error",
        "Global.use_cls": False,  # it turns upright lines over; photos are upright when they come
        "Det.limit_type": "max",  # by default it enlarges every photo to 736 px, at twice the time
        "Det.limit_side_len": int(spec.options.get("longest_px", 1024)),
        "EngineConfig.onnxruntime.intra_op_num_threads": max(1, int(spec.cpus)),
        "EngineConfig.onnxruntime.use_cuda": on_cuda(spec),
        **{f"EngineConfig.onnxruntime.cuda_ep_cfg.{name}": value for name, value in limit.items()},
    }


def on_cuda(spec: ModelSpec, providers: Sequence[str] | None = None) -> bool:
    """Whether to run on a GPU; raises Unavailable when the spec insists and this onnxruntime cannot."""
    if spec.device == "cpu" or not spec.gpus:
        return False
    there = PROVIDER in (onnxruntime.get_available_providers() if providers is None else providers)
    if spec.device == "cuda" and not there:
        raise Unavailable(
            "ocr asks for cuda, but this onnxruntime has no CUDA; install onnxruntime-gpu or set device: cpu"
        )
    return there


def word() -> Image:
    """A picture with a word on it."""
    canvas = np.full((64, 256, 3), 255, np.uint8)
    cv2.putText(canvas, "word", (48, 48), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0, 0, 0), 3)
    return canvas
