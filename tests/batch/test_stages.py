"""The steps of a scan without Ray: a photo that breaks a model costs itself, a service that is away costs nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from batch.stages import DONE, FAILED, PENDING, Forget, Predict, predicted, with_column
from cluster.errors import Unavailable, Unreadable


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
