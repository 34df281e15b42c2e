"""What a kind of fault is, the numbers that faults go by, and the register that the modules of faults fill.

`faults.py` decides when one is due; the faults themselves are in `wire_faults.py`, `body_faults.py`, `status_faults.py`
and `listing_faults.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.nextcloud.gateway import Answer, Answering, Seen, Wire


def inverted(data: bytes) -> bytes:
    """Other bytes of the same length, none of them the same."""
    return data.translate(bytes(255 - value for value in range(256)))


@dataclass
class Measures:
    """How much and how long, small by default so that tests are quick."""

    stall_s: float = 2.0  # ends earlier when the client leaves
    drip_s: float = 0.05  # between two bytes
    retry_after_s: int = 1
    elsewhere: str = "https://127.0.0.1:9/stolen"  # where redirects to another host point
    entries: int = 200_000  # of a huge listing
    bomb_bytes: int = 256 << 20  # of a gzip bomb, unpacked
    endless_bytes: int = 1 << 30  # of a body without end, should the client take it all
    changed: Callable[[bytes], bytes] = inverted  # what a file becomes that changes while it is read
    change: Callable[[Seen], None] = lambda _: None  # does so; from `Faults.change`


class Unfit(Exception):
    """This answer cannot be spoilt in this way; it is given as it is and not counted."""


Spoil = Callable[[Seen, Answering, Wire, Measures], None]


@dataclass(frozen=True)
class Kind:
    """One way in which a server goes wrong."""

    name: str
    methods: tuple[str, ...]  # () for every method
    when: Callable[[Seen], bool]
    spoil: Spoil

    def fits(self, seen: Seen) -> bool:
        """Whether a request can meet it."""
        return (not self.methods or seen.method in self.methods) and self.when(seen)


KINDS: dict[str, Kind] = {}


def kind(*methods: str, when: Callable[[Seen], bool] = lambda _: True) -> Callable[[Spoil], Spoil]:
    """Register a function as the kind of fault with its name, for some methods and requests."""

    def register(function: Spoil) -> Spoil:
        register_kind(Kind(function.__name__, methods, when, function))
        return function

    return register


def register_kind(made: Kind) -> None:
    """Register a kind."""
    assert made.name not in KINDS, made.name
    KINDS[made.name] = made


def good(answer: Answer) -> Answer:
    """The answer if it is one with content that can be spoilt."""
    if answer.status[:3] not in ("200", "206", "207"):
        raise Unfit
    return answer
