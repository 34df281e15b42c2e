"""How long a server is waited for, and how often it is asked again. No HTTP here, only numbers and clocks."""

import random
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import msgspec

from batch.nextcloud.faults import Locked, Maintenance, Throttled, Unreachable

DAY_S = 24 * 3600  # no server is believed that asks us to wait for longer
LONGEST_BY_ITSELF_S = 30  # between two tries of a server that asks for nothing
SLICE_S = 0.2  # between two looks at whether the wait is still wanted

Passing = Unreachable | Maintenance | Throttled | Locked
PASSING = (Unreachable, Maintenance, Throttled, Locked)  # what may be over when asked again


class Patience(msgspec.Struct, frozen=True):
    """The limits of one's patience; a person who waits for an answer has less of it (`BRIEF`)."""

    connect_s: float = 10
    read_s: float = 30  # without a single byte
    least_bytes_s: int = 1024  # a connection that brings less, over the window, is ended
    window_s: float = 30
    answer_s: float = 600  # a listing or another short answer, from its first byte to its last
    tries: int = 5
    first_wait_s: float = 0.5  # doubled with every try
    longest_wait_s: float = 300  # all waits of one request together, and what Retry-After may ask for
    maintenance_s: float = 10  # a maintenance that is over later is told at once
    restarts: int = 3  # of a download of a file that changes meanwhile


BRIEF = Patience(read_s=15, tries=2, longest_wait_s=2, maintenance_s=0, answer_s=60)


class Tries:
    """The tries of one request: counts them, and waits between them."""

    def __init__(self, patience: Patience, stopped: Callable[[], bool] = lambda: False) -> None:
        self._patience = patience
        self._stopped = stopped
        self.restart()

    def restart(self) -> None:
        """Begin to count anew, because there was progress."""
        self._made, self._waited = 0, 0.0

    def wait(self, fault: Passing) -> None:
        """Wait until it is worth to try again; raises the fault when it is not, and returns early when stopped."""
        self._made += 1
        told = asked(fault, self._patience)
        grown = min(self._patience.first_wait_s * 2 ** (self._made - 1), LONGEST_BY_ITSELF_S)
        self._waited += grown if told is None else told
        if self._made >= self._patience.tries or self._waited > self._patience.longest_wait_s:
            raise fault
        wait_s = grown * random.uniform(0.5, 1.0) if told is None else told * random.uniform(1.0, 1.1)
        end = time.monotonic() + wait_s
        while (left := end - time.monotonic()) > 0 and not self._stopped():
            time.sleep(min(left, SLICE_S))


def asked(fault: Passing, patience: Patience) -> float | None:
    """Seconds that the server asked to wait, none if it did not; raises the fault where waiting is no use."""
    match fault:
        case Unreachable(passing=False):
            raise fault
        case Maintenance() if fault.retry_after_s > patience.maintenance_s:
            raise fault
        case Maintenance():
            return float(fault.retry_after_s)
        case Unreachable() | Throttled():
            return fault.wait_s
        case Locked():
            return None


def retry_after(told: str, servers_time: str, now: Callable[[], float] = time.time) -> float | None:
    """Seconds that a Retry-After header asks to wait, at most a day; none where it says nothing that can be meant.

    A date is counted from the server's own clock where it says what that shows: clocks differ.
    """
    if re.fullmatch(r"[0-9]{1,20}", told.strip(), re.ASCII):
        return min(float(told), DAY_S)
    until = seconds(told)
    if until is None:
        return None
    since = seconds(servers_time)
    return min(max(until - (now() if since is None else since), 0.0), DAY_S)


def seconds(date: str) -> float | None:
    """A date of HTTP as seconds since the epoch; none for what is no date."""
    try:
        return parsedate_to_datetime(date).timestamp() if 0 < len(date) < 100 else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
