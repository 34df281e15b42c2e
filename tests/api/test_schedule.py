"""Scans that a clock starts, and those that it leaves alone."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from api.watching import Schedule
from tests.api.scanned_home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user with an empty folder."""
    return Home(tmp_path)


def test_a_clock_starts_scans_at_its_times(home: Home):
    """Once each time, also after an hour that comes twice; what passed while nobody ran is left out."""
    now = [datetime(2026, 10, 24, 3, 0)]
    schedule = Schedule("30 3 * * *", home.jobs, home.owner, lambda: now[0])

    def told(**passed: float) -> int:
        now[0] += timedelta(**passed)
        schedule.look()
        home.end()
        return len(home.scans())

    assert [told(minutes=29), told(minutes=1), told(minutes=1), told(hours=20)] == [0, 1, 1, 1]
    assert [told(hours=4), told(hours=-1), told(minutes=45)] == [2, 2, 2]  # the end of summer time
    assert {job.by for job in home.scans()} == {"schedule"}
    assert [told(days=-30), told(days=1)] == [2, 3]  # somebody set the clock


def test_a_scan_that_is_under_way_will_do_for_the_clock(home: Home):
    """Whoever started it, and also one that somebody paused."""
    now = [datetime(2026, 10, 1)]
    schedule = Schedule("* * * * *", home.jobs, home.owner, lambda: now[0])
    home.jobs.start(home.owner, "scan", {}, home.owner)

    now[0] += timedelta(minutes=1)
    schedule.look()

    assert [job.by for job in home.scans()] == [home.owner]


def test_the_clock_has_a_scan_go_on_whose_process_is_gone(home: Home):
    """Otherwise no scan would ever start again; one that somebody paused stays so."""
    now = [datetime(2026, 10, 1)]
    schedule = Schedule("* * * * *", home.jobs, home.owner, lambda: now[0])
    cut_off = home.jobs.start(home.owner, "scan", {"paths": ["x.jpg"]}, home.owner)

    def told() -> list[str]:
        now[0] += timedelta(minutes=1)
        schedule.look()
        return [job.state for job in home.scans()]

    home.system.jobs.interrupt(home.system.jobs.get(cut_off.job_id))
    assert told() == ["running"]
    home.jobs.pause(cut_off.job_id)
    home.system.jobs.pause(cut_off.job_id, 2)
    assert [told(), told()] == [["paused"]] * 2
