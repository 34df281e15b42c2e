"""What models take and give: shapes and units, written once. No model in here.

A model is a plain object, `predict(batch)`; an instance is a loaded model. Its constructor takes a `ModelSpec`
and the folder of composed checkpoints, and nothing is loaded later.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeAlias, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]  # (H, W, 3) RGB, upright
Embedding: TypeAlias = NDArray[np.float32]  # (D,) of unit length
Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom as fractions of width and height

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Model(Protocol[In, Out]):
    """A loaded model: one output per input, in the same order. May be asked from several threads at once."""

    def predict(self, batch: Sequence[In]) -> Sequence[Out]:
        """The outputs of a batch; raises PhotoError when a single input is at fault and the batch has one."""
        ...


class DetectedFace(msgspec.Struct, frozen=True):
    """One face: where it is, how sure the detector is, and who it looks like."""

    box: Box
    score: float  # 0..1
    landmarks: tuple[tuple[float, float], ...]  # 5: eyes, nose, mouth corners; fractions of width and height
    embedding: list[float]  # (D,) of unit length


class Tag(msgspec.Struct, frozen=True):
    """A word for what is seen."""

    label: str
    score: float  # 0..1


class Text(msgspec.Struct, frozen=True):
    """What OCR read: lines joined by newlines, and the mean confidence."""

    text: str
    score: float  # 0..1


class CaptionRequest(msgspec.Struct, frozen=True):
    """What a captioner may look at: the picture, and what is known of it already."""

    image: Image | None = None
    tags: list[str] = []
    people: list[str] = []
    place: str = ""
    taken_at: datetime | None = None


class SentenceRequest(msgspec.Struct, frozen=True):
    """What a sentence is to be made of. `taken_at` is by the clock of the place; `caption_by` made the caption."""

    caption: str = ""
    tags: list[str] = []
    people: list[str] = []
    place: str = ""
    taken_at: datetime | None = None
    caption_by: str = ""


class Caption(msgspec.Struct, frozen=True):
    """A sentence and who made it: `template` or the model's name."""

    text: str
    made_by: str
