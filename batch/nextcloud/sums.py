"""The checksum of a file: the strongest one that a server tells in its own words, or none."""

import hashlib
import zlib
from collections.abc import Callable
from typing import Protocol


class Summing(Protocol):
    """What adds up bytes."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""

    def hexdigest(self) -> str:
        """The sum in hexadecimals."""


class Adler:
    """Adler-32, in the shape of the others."""

    def __init__(self) -> None:
        self._sum = 1

    def update(self, data: bytes, /) -> None:
        """Add bytes."""
        self._sum = zlib.adler32(data, self._sum)

    def hexdigest(self) -> str:
        """The sum in hexadecimals."""
        return f"{self._sum:08x}"


ALGORITHMS: dict[str, Callable[[], Summing]] = {  # the strongest first
    "SHA3-256": hashlib.sha3_256,
    "SHA256": hashlib.sha256,
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "MD5": lambda: hashlib.md5(usedforsecurity=False),
    "ADLER32": Adler,
}


class Sums:
    """The sum of one file, beside the one that a server told."""

    def __init__(self, told: str) -> None:
        """Args: checksums as Nextcloud writes them, `SHA1:... MD5:...`; unknown ones are passed over."""
        found = dict(one.upper().split(":", 1) for one in told.split() if ":" in one)
        self._name = next((name for name in ALGORITHMS if name in found), "")
        self._expected = found.get(self._name, "").lower()
        self._sum = ALGORITHMS[self._name]() if self._name else None

    def update(self, data: bytes) -> None:
        """Add bytes."""
        if self._sum:
            self._sum.update(data)

    @property
    def right(self) -> bool | None:
        """Whether the sum that the server told is right; none when it told none that is known."""
        return self._sum.hexdigest() == self._expected.rjust(8, "0") if self._sum else None
