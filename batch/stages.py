"""The steps of a scan, each from rows to the same rows with more columns, each safe to run twice.

A `PhotoError` ends here: it becomes a sentence in the row it concerns. Knows arrays and rows, not the store.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from batch.pictures import Renewal
from cluster.errors import PhotoError, Unavailable
from cluster.settings import MediaSettings, ModelSpec
from serve_apps.faults import Enduring
from serve_apps.media.addresses import derived_path, is_there
from serve_apps.media.preview import read_preview
from serve_apps.models.protocol import CaptionRequest, Image, Model, Tag


def with_column(batch: pa.Table, name: str, values: Sequence[Any], kind: pa.DataType) -> pa.Table:
    """The batch with a column more, or with that column replaced."""
    column = pa.array(values, kind)
    if name in batch.column_names:
        return batch.set_column(batch.column_names.index(name), name, column)
    return batch.append_column(name, column)


class ReadPreview:
    """Decode each photo's preview once for all models: columns rgb, rgb_height, rgb_width, or why not: read_error.

    A preview that is gone is made again from the photo's file, column original, if there is one: column remade says
    how many bytes the photo's pictures have then, 0 where they were there.
    """

    def __init__(self, derived: str, longest: int, media: str = "", root: bytes = b"") -> None:
        """`media` are the settings of that name as JSON; without `root`, the owner's folder, nothing is made again."""
        self.derived = Path(derived)
        self.longest = longest
        self.renewal = Renewal(MediaSettings.model_validate_json(media), self.derived, root) if root else None

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The batch with the pictures' bytes, (H, W, 3) uint8 in row order."""
        images: list[Image | None] = []
        errors, remade = [], []
        originals = batch["original"].to_pylist() if "original" in batch.column_names else [b""] * len(batch)
        for content_id, original in zip(batch["content_id"].to_pylist(), originals, strict=True):
            made = 0
            try:
                made = self.remake(content_id, original)
                images.append(self.read(content_id))
                errors.append("")
            except PhotoError as error:
                images.append(None)
                errors.append(str(error))
            remade.append(made)
        batch = with_column(batch, "remade", remade, pa.int64())
        pixels = [image.tobytes() if image is not None else None for image in images]
        batch = with_column(batch, "rgb", pixels, pa.binary())
        for axis, name in enumerate(("rgb_height", "rgb_width")):
            sizes = [image.shape[axis] if image is not None else 0 for image in images]
            batch = with_column(batch, name, sizes, pa.int32())
        return with_column(batch, "read_error", errors, pa.string())

    def read(self, content_id: str) -> Image:
        """The preview of a photo, at most `longest` pixels; raises Unreadable."""
        return read_preview(derived_path(self.derived, content_id, "preview"), self.longest)

    def remake(self, content_id: str, original: bytes) -> int:
        """Make a photo's pictures again where its preview is gone; the bytes of all of them, 0 if it is there."""
        if not self.renewal or not original or is_there(derived_path(self.derived, content_id, "preview")):
            return 0
        return self.renewal.remake(content_id, [original])

    def close(self) -> None:
        """End the decoders."""
        if self.renewal:
            self.renewal.close()


class Forget:
    """Drop columns that the stages to come do not need, so that pictures do not travel to the sink."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The batch without those columns."""
        return batch.drop_columns([name for name in self.columns if name in batch.column_names])


@dataclass(frozen=True)
class Served:
    """How a worker gets the model of a running service."""

    application: str
    timeout_s: float

    def __call__(self) -> Model[Any, Any]:
        """The service, seen as a model."""
        from serve_apps.client import ServedModel  # Ray Serve takes seconds to import, and ingest needs none of it

        return ServedModel(self.application, self.timeout_s)


@dataclass(frozen=True)
class Local:
    """How a worker gets a model of its own."""

    spec: str  # a ModelSpec as JSON
    weights: str

    def __call__(self) -> Model[Any, Any]:
        """The model, loaded into this process; a GPU too small for a batch halves it."""
        from serve_apps.models import load

        return Enduring(load(ModelSpec.model_validate_json(self.spec), Path(self.weights)))


DELIVERY_S = 1.0  # in which what the last batch came to reaches those who wait for it


def end_process() -> None:
    """End this process, which can compute nothing on its GPU any more; Ray starts another and gives it the same batch.

    At once and without cleaning up: what is to be cleaned up is what is broken.
    """
    time.sleep(DELIVERY_S)
    os._exit(1)


PENDING, DONE, FAILED = "pending", "done", "failed"
Row = dict[str, Any]


class Outcome(msgspec.Struct, frozen=True):
    """What a model said of one photo, or why it could not, or that it was not there to be asked."""

    state: str
    output: bytes | None = None
    error: str = ""


class Predict:
    """A model's outputs, as MessagePack, for the rows that lack them: columns <stage>_state, _output, _error.

    A photo that makes its batch fail is found by halving, and fails alone. A batch under which the GPU fails stays
    pending and is handed on; it is the next one that ends the process. So every process that ends has brought one batch
    further, and a photo that kills each process it comes to does not keep a scan for ever: its round goes by.
    """

    def __init__(
        self,
        stage: str,
        load: Callable[[], Model[Any, Any]],
        request: Callable[[Row], Any],
        end: Callable[[], None] = end_process,
    ) -> None:
        """`end` is called before a batch that this process can no longer compute."""
        self.stage = stage
        self.model = load()
        self.request = request
        self.end = end

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The batch with this stage's three columns."""
        if isinstance(self.model, Enduring) and self.model.poisoned:
            self.end()
        rows = batch.to_pylist()
        due = [i for i, row in enumerate(rows) if row[f"{self.stage}_todo"]]
        asked = [i for i in due if not rows[i]["read_error"]]
        told = [Outcome(PENDING)] * len(rows)
        for i in due:
            told[i] = Outcome(FAILED, error=rows[i]["read_error"])
        for i, outcome in zip(asked, predicted(self.model, [self.request(rows[i]) for i in asked]), strict=True):
            told[i] = outcome
        batch = with_column(batch, f"{self.stage}_state", [outcome.state for outcome in told], pa.string())
        batch = with_column(batch, f"{self.stage}_output", [outcome.output for outcome in told], pa.binary())
        return with_column(batch, f"{self.stage}_error", [outcome.error for outcome in told], pa.string())


def predicted(model: Model[Any, Any], inputs: Sequence[Any]) -> list[Outcome]:
    """One outcome for each input, in order."""
    if not inputs:
        return []
    try:
        return [outcome_of(output) for output in model.predict(inputs)]
    except Unavailable:  # or Poisoned, which is one: nothing is wrong with the photos
        return [Outcome(PENDING) for _ in inputs]
    except Exception as error:  # noqa: BLE001 - whatever a model raises over one photo must cost that photo only
        if len(inputs) == 1:
            return [Outcome(FAILED, error=reason(error))]
        half = len(inputs) // 2
        return predicted(model, inputs[:half]) + predicted(model, inputs[half:])


def outcome_of(output: Any) -> Outcome:
    """What an output comes to; in the place of one there may lie why there is none."""
    if isinstance(output, PhotoError):
        return Outcome(FAILED, error=reason(output))
    return Outcome(DONE, PACK.encode(output))


def reason(error: Exception) -> str:
    """Why a photo failed, in a sentence for people."""
    cause = getattr(error, "cause", None) or error  # an error that comes through Ray speaks in whole tracebacks
    if isinstance(cause, PhotoError):
        return str(cause)
    return f"the model failed on this photo: {type(cause).__name__}: {str(cause)[:200]}"


def plain(value: Any) -> Any:
    """What MessagePack does not know: arrays become lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"no MessagePack for {type(value).__name__}")


PACK = msgspec.msgpack.Encoder(enc_hook=plain)
TAGS = msgspec.msgpack.Decoder(list[Tag])


def picture(row: Row) -> Image:
    """A row's picture as an array."""
    return np.frombuffer(row["rgb"], np.uint8).reshape(row["rgb_height"], row["rgb_width"], 3)


def caption_request(row: Row, image: Image | None = None) -> CaptionRequest:
    """A row as a captioner wants it: the picture, its own or a given one, and what the stages before found."""
    found = row.get("tags_output")
    tags = [tag.label for tag in TAGS.decode(found)] if found else row["tags"]
    place = ", ".join(part for part in (row["place"], row["country"]) if part)
    people = [region["name"] for region in row["regions"] or [] if region["name"]]
    seen = picture(row) if image is None else image
    return CaptionRequest(seen, tags, people, place, own_time(row))


def own_time(row: Row) -> datetime | None:
    """When a photo was taken by the clock of the place: a caption that says `morning` means the morning there.

    A time that nobody wrote down - the file's own - says nothing of when it was taken.
    """
    if row["taken_at"] is None or row["taken_source"] == "mtime":
        return None
    taken: datetime = row["taken_at"] + timedelta(minutes=row["taken_offset_min"] or 0)
    return taken
