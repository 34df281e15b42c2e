"""How what is on an account's server is called here: an account by a mark, a file by its place, a version by a time."""

import hashlib

from batch.nextcloud.listing import Item
from batch.nextcloud.names import local_name

SECOND_NS = 1_000_000_000


class Account:
    """An account on a server, as the rows know it: a mark, and the folder of the mirror that its files lie in."""

    def __init__(self, server: str, login: str, first: bool) -> None:
        """`first`: whether the library knows no other account's files; another's get a folder of their own."""
        self.mark = hashlib.sha256(f"{server}\0{login}".encode()).hexdigest()[:16]
        self.place = b"" if first else f"~{self.mark}".encode()

    def local(self, path: str, taken: set[bytes]) -> bytes:
        """A path's place in the mirror; `taken` are the folded names of others in its folder."""
        below = local_name(path, taken)
        return b"/".join(part for part in (self.place, below) if part)


def version(item: Item) -> str:
    """What another version of a file would have another of: its etag, else its size and time."""
    return item.etag or f"{item.size}/{item.mtime}"


def version_ns(item: Item) -> int:
    """The modification time that a version's file gets in the mirror, in nanoseconds: the server's time to the second.

    What is below the second stands for the etag, so that a scan sees another version by its time alone.
    """
    mark = int(hashlib.sha256(version(item).encode()).hexdigest()[:7], 16) % SECOND_NS
    return max(0, min(int(item.mtime), 2**33)) * SECOND_NS + mark
