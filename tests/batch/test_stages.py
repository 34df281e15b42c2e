"""The steps of a scan without Ray: a photo that breaks a model costs itself, a service that is away costs nothing."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
import torch
from ray.exceptions import RayTaskError

from batch.stages import DONE, FAILED, PENDING, Forget, Local, Predict, predicted, with_column
from cluster.errors import OutOfMemory, Poisoned, Unavailable, Unreadable
from cluster.settings import ModelSpec
from serve_apps.faults import Enduring


class Doubling:
    """A model that doubles numbers, and breaks over some."""

    def __init__(self, breaks: Sequence[int] = (), away: bool = False) -> None:
        self.breaks, self.away, self.calls = breaks, away, 0

    def predict(self, batch: Sequence[int]) -> list[int]:
        """Twice each number."""
        self.calls += 1
        if self.away:
            raise Unavailable("the service is not there")
        if any(number in self.breaks for number in batch):
            raise ValueError("a number nobody can double")
        return [2 * number for number in batch]


@pytest.mark.parametrize("breaks", [[], [0], [31], [3, 4, 20], list(range(32))])
def test_what_breaks_a_batch_fails_alone(breaks: list[int]):
    """Every other input has its output, and each failure says what the model said."""
    outcomes = predicted(Doubling(breaks), list(range(32)))

    assert [outcome.state for outcome in outcomes] == [FAILED if n in breaks else DONE for n in range(32)]
    assert all("nobody can double" in outcome.error for n, outcome in enumerate(outcomes) if n in breaks)
    done = {n: msgspec.msgpack.decode(one.output) for n, one in enumerate(outcomes) if one.output}
    assert done == {n: 2 * n for n in range(32) if n not in breaks}


def test_one_bad_photo_is_found_by_halving():
    """Thirty-two photos with one bad one take at most eleven calls, not thirty-three."""
    model = Doubling([17])

    predicted(model, list(range(32)))

    assert model.calls <= 11


def test_a_service_that_is_away_leaves_photos_pending():
    """Nothing failed: a later scan does them."""
    assert [outcome.state for outcome in predicted(Doubling(away=True), [1, 2])] == [PENDING, PENDING]


def test_only_rows_that_lack_the_stage_are_computed_and_unreadable_ones_fail():
    """The ledger says which; a preview that cannot be read fails with its own reason."""
    model = Doubling()
    errors = ["", "", "no preview", "no preview"]
    batch = pa.table({"n": [1, 2, 3, 4], "clip_todo": [True, False, True, False], "read_error": errors})

    after = Predict("clip", lambda: model, lambda row: row["n"])(batch)

    assert after["clip_state"].to_pylist() == [DONE, PENDING, FAILED, PENDING]
    assert after["clip_error"].to_pylist() == ["", "", "no preview", ""]
    assert after["clip_output"].to_pylist()[1:] == [None] * 3


def test_a_photo_error_speaks_for_itself():
    """Its sentence is for people and is kept as it is."""

    class Strict(Doubling):
        def predict(self, batch: Sequence[Any]) -> list[Any]:
            raise Unreadable("the preview is torn; scan the file again")

    assert predicted(Strict(), [1])[0].error == "the preview is torn; scan the file again"


def through_ray(error: Exception) -> Exception:
    """A replica's error as its caller sees it: of its own class and of Ray's, with a traceback as text."""
    return RayTaskError("predict", f"Traceback (most recent call last):\n{error!r}", error).as_instanceof_cause()


class Failing(Doubling):
    """A model whose every call ends in one error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def predict(self, batch: Sequence[int]) -> list[int]:
        """Nothing."""
        self.calls += 1
        raise self.error


def test_a_photo_error_that_comes_through_ray_speaks_for_itself_too():
    """Of the traceback that Ray makes of it, people see nothing."""
    error = through_ray(Unreadable("the preview is torn; scan the file again"))

    assert predicted(Failing(error), [1])[0].error == "the preview is torn; scan the file again"


def test_what_lies_in_the_place_of_an_output_fails_that_photo_alone():
    """A photo too large for its model's share of the GPU costs its neighbours no second call."""

    class Small(Doubling):
        def predict(self, batch: Sequence[int]) -> list[Any]:
            outputs: list[Any] = super().predict(batch)
            return [OutOfMemory("too large; raise gpu_memory_gb") if n == 6 else n for n in outputs]

    model = Small()
    outcomes = predicted(model, [1, 2, 3, 4])

    assert [outcome.state for outcome in outcomes] == [DONE, DONE, FAILED, DONE]
    assert outcomes[2].error == "too large; raise gpu_memory_gb"
    assert model.calls == 1


@pytest.mark.parametrize("error", [Poisoned("the GPU failed"), through_ray(Poisoned("the GPU failed"))])
def test_a_gpu_that_failed_fails_no_photo(error: Exception):
    """The replica is to blame and is being replaced: the photos wait, and none of them is tried alone."""
    model = Failing(error)

    assert [outcome.state for outcome in predicted(model, [1, 2, 3, 4])] == [PENDING] * 4
    assert model.calls == 1


def test_a_scans_own_process_ends_after_the_batch_under_which_its_gpu_failed():
    """That batch is handed on as pending; the next one is not computed here, so Ray gives it to the process to come."""
    poison = torch.AcceleratorError("CUDA error: device-side assert triggered")
    batch = pa.table({"n": [1, 2], "clip_todo": [True, True], "read_error": ["", ""]})
    ended: list[str] = []

    def end() -> None:
        ended.append("ended")
        raise SystemExit

    stage = Predict("clip", lambda: Enduring(Failing(poison)), lambda row: row["n"], end)

    assert stage(batch)["clip_state"].to_pylist() == [PENDING, PENDING]
    assert ended == []
    with pytest.raises(SystemExit):
        stage(batch)
    assert ended == ["ended"]


def test_a_process_whose_gpu_failed_really_ends():
    """As a crash, which Ray makes good; an orderly end it would take for wanted."""
    code = "from batch import stages; stages.end_process()"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1


def test_a_scans_own_model_endures():
    """It halves what does not fit, as the services' models do."""
    model = Local(ModelSpec(kind="template").model_dump_json(), "/nonexistent")()

    assert isinstance(model, Enduring)
    assert model.poisoned == ""


def test_columns_are_replaced_or_added_and_forgotten():
    """A stage may run twice over the same rows."""
    batch = with_column(pa.table({"a": [1]}), "b", [2], pa.int64())

    assert with_column(batch, "b", [3], pa.int64()).to_pylist() == [{"a": 1, "b": 3}]
    assert Forget(("b", "never there"))(batch).column_names == ["a"]


def test_a_missing_preview_is_an_error_in_its_row(tmp_path: Path):
    """The picture column is empty and the reason is a sentence."""
    from batch.stages import ReadPreview

    after = ReadPreview(str(tmp_path), 64)(pa.table({"content_id": ["ab" * 16]}))

    assert after["rgb"].to_pylist() == [None]
    assert len(after["read_error"].to_pylist()[0].split()) > 3
