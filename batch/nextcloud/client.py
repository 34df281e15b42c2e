"""One user's account on one Nextcloud server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from batch.nextcloud.listing import Item
from batch.nextcloud.transport import Transport

Refusals = Callable[[str, str], None]  # an href that is refused, and the reason


class Standing(msgspec.Struct, frozen=True):
    """How things are with an account that answers."""

    version: str  # of the server, as it says
    product: str  # "Nextcloud", or what the server calls itself
    user_id: str  # whose files they are; a login may be an e-mail address
    used: int  # bytes; -1 when not told
    free: int  # bytes that the quota leaves; -1 when not told or unlimited


class Downloaded(msgspec.Struct, frozen=True):
    """A file that is on disk whole."""

    etag: str
    size: int  # bytes
    mtime: float  # seconds since the epoch, UTC
    sha256: str  # of its bytes, in hexadecimals


class Nextcloud:
    """An account; may be used by several threads at once. After it was refused once it asks nothing more."""

    def __init__(self, server: str, login: str, password: str, transport: Transport) -> None:
        self._server = server

    def check(self) -> Standing:
        """Whether the server answers, is a Nextcloud and takes the password; raises the fault that says why not."""
        raise NotImplementedError

    def list(self, path: str = "", refused: Refusals = lambda href, reason: None) -> Iterator[Item]:
        """What a folder holds, the folder itself first; what cannot be meant well is told to `refused` and left out."""
        raise NotImplementedError

    def download(
        self,
        item: Item,
        to: Path,
        partial: Path,
        progress: Callable[[int], None] = lambda size: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Downloaded:
        """Fetch a file to its final place, by way of a folder for what is not whole yet, on the same disk.

        `progress` is told bytes as they come; fewer than none when some have to come again. Raises Changed, Gone, Short,
        Stopped (kept for the next time), Busy, NoRoom, Unkept and what every request may.
        """
        raise NotImplementedError

    def read(self, path: str, etag: str, start: int = 0) -> Iterator[bytes]:
        """The bytes of a version of a file from a position on; raises Changed for another version, Gone for none."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the connections."""
        raise NotImplementedError
