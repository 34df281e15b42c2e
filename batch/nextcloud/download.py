"""One file from a server to disk: whole and of one version, or not at all. Goes on where an earlier try stopped.

A version is what the server's ETag says. A part goes on only with bytes of the same version, at the right place, that
begin with the last ones that are there already. At the end length and checksum must be right; where the server has no
checksum it is asked once more whether the file is still the same. It knows no WebDAV: a `Source` asks.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from batch.nextcloud.faults import Changed, Gone, Short, Stopped, Unreachable
from batch.nextcloud.listing import Item
from batch.nextcloud.partial import Partial
from batch.nextcloud.patience import PASSING, Patience, Tries
from batch.nextcloud.sums import Sums
from batch.nextcloud.transport import Answer

PROGRESS = 1 << 20  # bytes further than ever before, after which tries are counted anew
OVERLAP = 4096  # bytes that are asked for again and compared, before others are put behind them
MOST = 1 << 50  # bytes of an answer; what is over the file's own length is refused anyway
STRONG = re.compile(r'"[\x21\x23-\x7e]+"', re.ASCII)
PART = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.ASCII)


class Downloaded(msgspec.Struct, frozen=True):
    """A file that is on disk whole."""

    etag: str
    size: int  # bytes
    mtime: float  # seconds since the epoch, UTC


@dataclass(frozen=True)
class Source:
    """Where a file comes from."""

    get: Callable[[dict[str, str]], Answer]  # headers -> an answer of status 200, 206 or 416; one try
    look: Callable[[], Item]  # the file as it is now


class Download:
    """The download of one file."""

    def __init__(
        self,
        source: Source,
        to: Path,
        partial: Path,
        patience: Patience,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._source = source
        self._to = to
        self._partial = partial
        self._patience = patience
        self._progress = progress
        self._stopped = stopped
        self._told = 0  # bytes that `progress` knows of
        self._furthest = 0  # bytes that any try has come to
        self._checksum = ""  # as the server tells it with the file's bytes
        self._sums, self._summed = Sums(""), 0  # of how many bytes, from the first

    def fetch(self, item: Item) -> Downloaded:
        """The file at its final place; a version that ends meanwhile gives way to the next, a few times."""
        tries, restarts = Tries(self._patience, self._stopped), 0
        with Partial(self._partial, item.path) as part:
            while not self._stopped():
                try:
                    return self._attempt(item, part)
                except Changed:
                    restarts += 1
                    if restarts > self._patience.restarts:
                        raise
                    part.forget()
                    item = still_a_file(self._source.look())
                except PASSING as fault:
                    if part.size >= self._furthest + PROGRESS:
                        tries.restart()
                        self._furthest = part.size
                    tries.wait(fault)
            raise Stopped("The download was stopped. Start it again to go on from here.")

    def _attempt(self, item: Item, part: Partial) -> Downloaded:
        """One try: what is missing, then all that is to be verified, then the final name."""
        self._tell(part.kept(item))
        if part.size < item.size or item.size <= 0:
            item = self._rest(item, part)
        self._verify(item, part)
        part.put(self._to, item.mtime)
        return Downloaded(item.etag, item.size, item.mtime)

    def _rest(self, item: Item, part: Partial) -> Item:
        """Fetch what is missing; the item with its length, if only the answer tells it."""
        start = part.size - OVERLAP if part.size > OVERLAP and STRONG.fullmatch(item.etag) else 0
        headers = {"Range": f"bytes={start}-", "If-Range": item.etag} if start else {}
        with self._source.get(headers) as answer:
            same_version(item, answer)
            self._checksum = answer.headers.get("oc-checksum", "")
            if answer.status == 200:
                item, overlap = with_length(item, answer), b""
                self._sums, self._summed = Sums(item.checksum or self._checksum), 0
                part.begin(item)
            else:
                overlap = self._overlap(item, part, answer, start)
            self._receive(item, part, answer, overlap)
        return item

    def _overlap(self, item: Item, part: Partial, answer: Answer, start: int) -> bytes:
        """What a partial answer must begin with; raises Short, with the part forgotten, when it is another one."""
        found = PART.fullmatch(answer.headers.get("content-range", "").strip())
        meant = (start, item.size - 1, item.size)
        told = found and tuple(map(int, found.groups())) == meant and answer.headers.get("etag") == item.etag
        if start and answer.status == 206 and told and not answer.packed:
            return b"".join(part.read(start))
        part.forget()
        raise Short(f"{answer.host} sends another part of the file than was asked for. Try again later.", passing=True)

    def _receive(self, item: Item, part: Partial, answer: Answer, overlap: bytes) -> None:
        """Write what comes behind what is there; raises Short for other and for too many bytes."""
        for chunk in answer.chunks(MOST):
            known, chunk = chunk[: len(overlap)], chunk[len(overlap) :]
            if overlap[: len(known)] != known:
                part.forget()
                raise Short(f"{answer.host} sends other bytes than before for the same version.", passing=True)
            overlap = overlap[len(known) :]
            if part.size + len(chunk) > item.size:
                part.forget()
                raise Short(f"{answer.host} sends more than the file is long. Try again later.", passing=True)
            if self._summed == part.size:
                self._sums.update(chunk)
                self._summed += len(chunk)
            part.write(chunk)
            self._tell(part.size)
            if self._stopped():
                raise Stopped("The download was stopped. Start it again to go on from here.")

    def _verify(self, item: Item, part: Partial) -> None:
        """Raise Short when a file is not what was promised, and Changed when it is no version."""
        if part.size != item.size:
            raise Short("The server sends less than the file is long. Try again later.", passing=True)
        if not self._summed:
            self._sums = Sums(item.checksum or self._checksum)
        for piece in part.read(self._summed):
            self._sums.update(piece)
        self._summed = 0
        if self._sums.right is False:
            part.forget()
            raise Short("What came is not what the server's own checksum says. Try again later.", passing=True)
        if self._sums.right is None and not same(self._source.look(), item):
            raise Changed("The file changes again and again on the server. Scan again when that has ended.")

    def _tell(self, size: int) -> None:
        """Tell `progress` how many bytes there are more than it knows of."""
        if size != self._told:
            self._progress(size - self._told)
            self._told = size


def still_a_file(now: Item) -> Item:
    """What became of a file; raises Gone for a folder that has its name now."""
    if now.is_folder:
        raise Gone("The file is a folder by now. Scan again to see what is in it.")
    return now


def same_version(item: Item, answer: Answer) -> None:
    """Raise Changed when an answer is of another version, as far as it says."""
    told = answer.headers.get("etag", "")
    if told and item.etag and told.removeprefix("W/") != item.etag.removeprefix("W/"):
        raise Changed("The file changes again and again on the server. Scan again when that has ended.")


def with_length(item: Item, answer: Answer) -> Item:
    """An item with its length, from the answer where the listing had none; raises Short when they differ."""
    told = answer.headers.get("content-length", "")
    length = int(told) if told.isascii() and told.isdigit() and len(told) < 19 and not answer.packed else -1
    if item.size < 0 and length < 0:
        raise Unreachable(f"{answer.host} does not tell how long a file is. Ask who runs it.")
    if -1 not in (item.size, length) and item.size != length:
        raise Short(f"{answer.host} promises another length than it listed. Try again later.", passing=True)
    return msgspec.structs.replace(item, size=max(item.size, length))


def same(now: Item, item: Item) -> bool:
    """Whether a file is still the version that it was; by its time where there are no ETags, and always by its size."""
    as_before = now.etag == item.etag if item.etag or now.etag else now.mtime == item.mtime
    return as_before and now.size in (item.size, -1)
