"""How long is waited before something is tried again, and when it is not."""

from email.utils import formatdate

import pytest

from batch.nextcloud.faults import Locked, Maintenance, Throttled, Unreachable
from batch.nextcloud.patience import DAY_S, Passing, Patience, Tries, retry_after

NOW = 1_700_000_000.0
HASTE = Patience(first_wait_s=0.001, longest_wait_s=1, tries=4, maintenance_s=1)


@pytest.mark.parametrize(
    ("told", "date", "wait_s"),
    [
        ("0", "", 0),
        ("120", "", 120),
        (" 7 ", "", 7),
        ("99999999999999999999", "", DAY_S),
        (formatdate(NOW + 90, usegmt=True), "", 90),
        (formatdate(NOW - 90, usegmt=True), "", 0),
        (formatdate(NOW + 90, usegmt=True), "no date", 90),
        (formatdate(NOW + 86_400 + 90, usegmt=True), formatdate(NOW + 86_400, usegmt=True), 90),
        (formatdate(NOW - 7_200 + 90, usegmt=True), formatdate(NOW - 7_200, usegmt=True), 90),
        (formatdate(NOW + 10 * 365 * 86_400, usegmt=True), "", DAY_S),
    ],
)
def test_retry_after_is_seconds_or_a_date_on_the_servers_own_clock(told: str, date: str, wait_s: float):
    """A clock that is a day ahead or two hours late changes nothing, and nobody waits longer than a day."""
    assert retry_after(told, date, now=lambda: NOW) == wait_s


@pytest.mark.parametrize("told", ["", "soon", "-5", "1e9", "٣", "Mon, 99 Foo 2020 99:99:99 GMT", "9" * 5000, "\0"])
def test_retry_after_that_says_nothing_is_none(told: str):
    """Then it is waited as if nothing had been said."""
    assert retry_after(told, "", now=lambda: NOW) is None


def made(fault: Passing, patience: Patience = HASTE) -> int:
    """How many tries a fault gets that comes every time."""
    tries = Tries(patience)
    for count in range(1, 100):
        try:
            tries.wait(fault)
        except type(fault):
            return count
    raise AssertionError("it is tried for ever")


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        (Unreachable("away", passing=True), 4),
        (Unreachable("another thing altogether"), 1),
        (Unreachable("away", passing=True, wait_s=2), 1),
        (Locked("being written"), 4),
        (Throttled("slowly", 0.01), 4),
        (Throttled("slowly", 2.0), 1),
        (Throttled("slowly"), 4),
        (Maintenance("in maintenance", 0), 4),
        (Maintenance("in maintenance", 2), 1),
    ],
)
def test_what_may_pass_is_tried_a_few_times(fault: Passing, count: int):
    """And at once no more when the server asks for a longer wait than there is patience for."""
    assert made(fault) == count


def test_the_waits_of_one_request_are_bounded_together():
    """Not only each of them."""
    assert made(Throttled("slowly", 0.05), Patience(longest_wait_s=0.12, tries=50)) == 3


def test_a_wait_ends_when_it_is_no_longer_wanted():
    """Whoever stops a download does not wait for its next try."""
    Tries(Patience(), stopped=lambda: True).wait(Throttled("slowly", 250.0))


def test_progress_starts_the_count_anew():
    """A long download may break off more often than a short one."""
    tries = Tries(HASTE)
    for _ in range(20):
        tries.wait(Unreachable("away", passing=True))
        tries.restart()
