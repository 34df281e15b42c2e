"""What a replica tells of itself, and what a service's replicas tell together. Counting is `meter.py`'s.

Counts are since the replica started; a replica that is gone has left its last word on the board, so sums only grow.
"""

from collections.abc import Iterable, Sequence
from math import ceil

import msgspec

from cluster import board

TOPIC, DISMISSED = "replicas", "dismissed"  # on the board: words of replicas, and when applications were asked to go
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # upper edges of calls' times
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)  # upper edges of batches
FRESH_S = 15.0  # a replica that has not told anything for so long may be gone


class Counts(msgspec.Struct):
    """How much was asked and how long that took."""

    calls: int = 0
    items: int = 0
    failures: int = 0  # calls
    seconds: float = 0  # of all calls
    by_seconds: list[int] = msgspec.field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    by_size: list[int] = msgspec.field(default_factory=lambda: [0] * (len(SIZES) + 1))  # batches the model was given
    computed: int = 0  # items in them

    def plus(self, other: "Counts") -> "Counts":
        """The counts of both."""
        return Counts(
            self.calls + other.calls, self.items + other.items, self.failures + other.failures,
            self.seconds + other.seconds,
            [a + b for a, b in zip(self.by_seconds, other.by_seconds, strict=True)],
            [a + b for a, b in zip(self.by_size, other.by_size, strict=True)],
            self.computed + other.computed,
        )  # fmt: skip


class Vitals(msgspec.Struct, frozen=True):
    """A replica's last word."""

    application: str
    service: str
    replica: str  # Serve's id of it
    node_id: str
    pid: int
    model: str
    device: str  # cpu or cuda
    gpus: list[str]  # indices of the GPUs it sits on
    gpu_share: float
    born_at: float  # its process began, in seconds since the epoch, as all times here
    ready_at: float  # its model was loaded
    told_at: float
    counts: Counts
    waiting: int  # calls that the model has not begun with
    computing: int  # calls that it works on
    recent_s: list[float]  # how long the last calls took
    memory: int  # bytes
    gpu_memory: int  # bytes that torch holds
    last_error: str = ""
    last_error_at: float = 0
    left: bool = False  # it was asked to go; one that is gone without was lost


def read_vitals(namespace: str) -> list[Vitals]:
    """The last word of every replica there was, of this cluster; of one that was asked to go, that it was."""
    words = [msgspec.convert(word, Vitals) for word in board.read_all(namespace, TOPIC).values()]
    dismissed = board.read_all(namespace, DISMISSED)
    return [with_leave(word, dismissed.get(word.application, 0)) for word in words]


def with_leave(word: Vitals, dismissed_at: float) -> Vitals:
    """A replica's word, as one that left if its application was asked to go while it lived: not all come to say so."""
    lived = word.told_at > dismissed_at - FRESH_S and word.born_at < dismissed_at
    return msgspec.structs.replace(word, left=True) if lived and not word.left else word


def total(vitals: Iterable[Vitals]) -> Counts:
    """The counts of several replicas together."""
    sum_ = Counts()
    for one in vitals:
        sum_ = sum_.plus(one.counts)
    return sum_


def percentile(times_s: Sequence[float], share: float) -> float | None:
    """The time within which a share of the calls, above 0, was answered; None when there was none."""
    return sorted(times_s)[ceil(share * len(times_s)) - 1] if times_s else None
