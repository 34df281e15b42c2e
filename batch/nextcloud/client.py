"""One user's account on one Nextcloud server: is it there, what is in a folder, the bytes of a file.

Every method tries again where that may help, and raises the faults of faults.py where it does not. What is fetched to
disk is download.py's; addresses, TLS, limits and statuses are below, in transport.py.
"""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, NoReturn, TypeVar

import httpx

from batch.nextcloud import account
from batch.nextcloud.account import Standing, Status, User
from batch.nextcloud.download import Download, Downloaded, Source
from batch.nextcloud.faults import Changed, Gone, Maintenance, NoRoom, Refused, Unreachable, Withheld
from batch.nextcloud.listing import FOLDER, Item, Refusals, items, self_first
from batch.nextcloud.multistatus import MOST_BYTES, PIECE, entries
from batch.nextcloud.names import escaped, escaped_part
from batch.nextcloud.patience import PASSING, Tries
from batch.nextcloud.transport import Answer, Transport
from cluster.errors import Invalid
from cluster.redaction import remember

__all__ = ["Downloaded", "Item", "Nextcloud", "Standing"]

T = TypeVar("T")

LISTING = 4  # times as long as for anything else is waited for a folder: a small server thinks long over a large one
IN_MEMORY = 4 << 20  # bytes of a listing; more of it goes through a temporary file
SHORT = 256 << 10  # bytes of answers about the server and the account
MOST_FILE = 1 << 50  # bytes of a file that is streamed; its length is checked by whoever asked for it


class Nextcloud:
    """An account; may be used by several threads at once. After it was refused once it asks nothing more."""

    def __init__(self, server: str, login: str, password: str, transport: Transport) -> None:
        """Args: the server's URL as `Addresses.server` gives it; the password is kept as the header it makes only.

        Raises Forbidden for a server that may not be talked to, Invalid for a login that cannot be.
        """
        if ":" in login or not login:
            raise Invalid("A user name has no colon, and is not empty. Check it in Nextcloud's settings.")
        remember(password)
        self._server = transport.addresses.server(server)
        self._host = httpx.URL(self._server).host
        self._login = login
        self._auth = httpx.BasicAuth(login, password)
        self._transport = transport
        self._first, self._known, self._refused = threading.Lock(), False, False
        self._user: User | None = None

    def __repr__(self) -> str:
        return f"Nextcloud({self._server!r}, {self._login!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("An account stays in its process: it holds a password.")

    def check(self) -> Standing:
        """Whether the server answers, is a Nextcloud and takes the password; raises the fault that says why not."""
        status = self._retried(self._status)
        if status.maintenance or status.upgrading:
            raise Maintenance(f"{self._host} is in maintenance mode. Try again when that is over.")
        self._user = self._retried(self._who)
        self.about("")
        return account.standing(status, self._user)

    def list(self, path: str = "", refused: Refusals = lambda href, reason: None) -> Iterator[Item]:
        """What a folder holds, the folder itself first; what cannot be meant well is told to `refused` and left out."""
        seen: set[str] = set()
        told = once(refused)
        url, tries = self._url(path), Tries(self._transport.patience)
        while True:
            try:
                for one in self._listed(url, path, "1", told):
                    if one.path not in seen:
                        seen.add(one.path)
                        yield one
                return
            except PASSING as fault:
                tries.wait(fault)

    def about(self, path: str) -> Item:
        """One file or folder as it is now; raises Gone."""
        url = self._url(path)
        return self._retried(lambda: next(self._listed(url, path, "0", lambda href, reason: None)))

    def download(
        self,
        item: Item,
        to: Path,
        partial: Path,
        progress: Callable[[int], None] = lambda size: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Downloaded:
        """Fetch a file to its final place, by way of a folder for what is not whole yet, on the same disk.

        `progress` is told bytes as they come; fewer than none when some have to come again. Raises Changed, Gone,
        Short, Stopped (kept for the next time), Busy, NoRoom, Unkept and what every request may.
        """
        url = self._url(item.path)
        source = Source(lambda headers: self._get(url, headers, (200, 206, 416)), lambda: self.about(item.path))
        return Download(source, to, partial, self._transport.patience, progress, stopped).fetch(item)

    def read(self, path: str, etag: str, start: int = 0) -> Iterator[bytes]:
        """The bytes of a version of a file from a position on; raises Changed for another version, Gone for none.

        The request is made when the first bytes are asked for; one that breaks off raises Unreachable.
        """
        url, headers = self._url(path), {"Range": f"bytes={start}-"} if start else {}
        with self._retried(lambda: self._get(url, headers, (200, 206))) as answer:
            other = etag and answer.headers.get("etag", "").removeprefix("W/") != etag.removeprefix("W/")
            if other or answer.packed:
                raise Changed("The original has changed on the server. Scan again to see what it is now.")
            skipped = start if answer.status == 200 else self._begins(answer, start)
            for chunk in answer.chunks(MOST_FILE):
                if len(chunk) > skipped:
                    yield chunk[skipped:]
                skipped = max(skipped - len(chunk), 0)

    def revoke(self) -> None:
        """Have the server make the app password void; raises Refused where it is none, but the account's own."""
        url, headers = f"{self._server}/ocs/v2.php/core/apppassword?format=json", {"OCS-APIRequest": "true"}
        with self._retried(lambda: self._ask("DELETE", url, (200,), headers)):
            self._refused = True

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def _begins(self, answer: Answer, start: int) -> int:
        if answer.headers.get("content-range", "").startswith(f"bytes {start}-"):
            return 0
        raise Unreachable(f"{self._host} sends another part of the file than was asked for. Try again.", passing=True)

    def _status(self) -> Status:
        with self._transport.ask("GET", f"{self._server}/status.php", (200,)) as answer:
            return account.status_of(answer.whole(SHORT), self._host)

    def _who(self) -> User:
        """The account; a server without the OCS API says nothing of it, and the login is the id then."""
        url = f"{self._server}/ocs/v2.php/cloud/user?format=json"
        try:
            with self._ask("GET", url, (200,), {"OCS-APIRequest": "true", "Accept": "application/json"}) as answer:
                return account.user_of(answer.whole(SHORT), self._host)
        except Gone:
            return User(self._login)

    def _listed(self, url: str, path: str, depth: str, refused: Refusals) -> Iterator[Item]:
        """A folder's entries, the folder first; the body is fetched whole before: whoever reads on may take long."""
        with SpooledTemporaryFile(IN_MEMORY) as body:
            headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
            wait_s = self._transport.patience.read_s * (LISTING if depth == "1" else 1)
            with self._ask("PROPFIND", url, (207,), headers, FOLDER, wait_s) as answer:
                self._spool(answer, body)
            found = entries(iter(lambda: body.read(PIECE), b""))
            yield from self_first(items(found, path, answer.url, refused), path, self._host)

    def _spool(self, answer: Answer, body: IO[bytes]) -> None:
        try:
            for chunk in answer.chunks(MOST_BYTES, self._transport.patience.answer_s):
                body.write(chunk)
            body.seek(0)
        except OSError as error:
            raise NoRoom("There is no room for a long listing in the folder for temporary files. Make some.") from error

    def _get(self, url: str, headers: dict[str, str], takes: Collection[int]) -> Answer:
        return self._ask("GET", url, takes, headers)

    def _url(self, path: str) -> str:
        if self._user is None:
            self._user = self._retried(self._who)
        try:
            return f"{self._server}/remote.php/dav/files/{escaped_part(self._user.id)}/{escaped(path)}"
        except ValueError:
            raise Invalid("This is no path of a file or folder: it has empty parts, dots alone, or a NUL.") from None

    def _ask(
        self,
        method: str,
        url: str,
        takes: Collection[int],
        headers: dict[str, str],
        content: bytes = b"",
        wait_s: float | None = None,
    ) -> Answer:
        """An answer to this account; until one has come nobody else asks: a wrong password is told once, not by all."""
        with nullcontext() if self._known else self._first:
            if self._refused:
                raise Refused(f"{self._host} has refused this account before. Enter the app password again.")
            try:
                answer = self._transport.ask(
                    method, url, takes, auth=self._auth, headers=headers, content=content, wait_s=wait_s
                )
            except Refused as fault:
                if not (self._known and isinstance(fault, Withheld)):
                    self._refused = True
                raise
            self._known = True
            return answer

    def _retried(self, work: Callable[[], T]) -> T:
        tries = Tries(self._transport.patience)
        while True:
            try:
                return work()
            except PASSING as fault:
                tries.wait(fault)


def once(refused: Refusals) -> Refusals:
    """The same, told of every href once only, however often a listing is tried."""
    known: set[str] = set()

    def tell(href: str, reason: str) -> None:
        if href not in known:
            known.add(href)
            refused(href, reason)

    return tell
