"""The time, as something passed in: what decides about leases and sessions takes a clock, which tests can turn."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]  # aware, UTC


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)
