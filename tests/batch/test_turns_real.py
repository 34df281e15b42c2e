"""Turns on a real cluster: a small scan of one owner comes and goes while another's big one rests."""

import pytest

from tests.batch.conftest import filled
from tests.conftest import Household
from tests.sample_library import SampleLibrary

BIG = 40


@pytest.mark.timeout(500)
def test_a_small_scan_does_not_wait_for_a_big_one(household, sample: SampleLibrary, monkeypatch: pytest.MonkeyPatch):
    """The big one rests at a batch's edge, goes on as the same job when the small one is done, and misses nothing."""
    monkeypatch.setenv("BRIGHTROOM_SCAN__TURN_S", "3")
    monkeypatch.setenv("BRIGHTROOM_SCAN__BATCH_SIZE", "2")
    mains = [photo.main for photo in sample.photos if photo.kind == "image" and len(photo.files) == 1][: BIG + 2]
    big: Household = filled(household(), sample, mains[:BIG])
    small: Household = filled(household(), sample, mains[BIG:])

    long = big.start()
    big.until(long, lambda now: now.counts.get("committed", 0) >= 4, 120)
    short = small.rest(small.start())

    assert short.state == "done"
    resting = big.brightroom.system.jobs.get(long.job_id)
    assert (resting.state in ("queued", "running"), resting.error) == (True, "")
    ended = big.rest(long)
    assert (ended.state, ended.attempt > 1) == ("done", True)
    assert ended.counts["photos_added"] == big.library.photos.count() == BIG
    assert not any(big.library.photos.pending_counts(big.brightroom.settings.revisions).values())
