"""A scan's numbers: every file once, rates from work that was done, and nothing that only looks like a number."""

from hypothesis import given
from hypothesis import strategies as st

from batch.progress import Progress

REASONS = st.dictionaries(st.sampled_from(["unchanged", "a symbolic link", "not a photo or video"]), st.integers(1, 9))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), REASONS)))
def test_listed_is_committed_and_failed_and_skipped(folders):
    """Whatever folders hold, the told numbers add up."""
    progress = Progress()
    for committed, failed, skipped in folders:
        progress.listed += committed + failed + sum(skipped.values())
        progress.committed += committed
        progress.failed += failed
        progress.skip(skipped)

    counts = progress.told()["counts"]

    assert counts["listed"] == counts["committed"] + counts["failed"] + counts["skipped"]
    assert counts["skipped"] == sum(counts["skipped_by"].values())


def test_a_stage_tells_how_far_it_is_and_how_long_it_will_take():
    """Total, done and failed are counts; rate and time left follow from them."""
    progress = Progress()
    stage = progress.stage("clip")
    stage.begin(100)
    stage.advance(30, 2)

    (told,) = progress.told()["stages"]

    assert (told["name"], told["total"], told["done"], told["failed"], told["state"]) == ("clip", 100, 30, 2, "running")
    assert told["rate"] > 0
    assert abs(told["eta_s"] - 68 / told["rate"]) <= 0.1 + 68 / told["rate"] * 0.01
    assert "began" not in told


def test_a_stage_that_has_done_nothing_promises_nothing():
    """No rate, no time left."""
    progress = Progress()
    progress.stage("tags").begin(5)

    (told,) = progress.told()["stages"]

    assert (told["rate"], told["eta_s"]) == (0, None)
