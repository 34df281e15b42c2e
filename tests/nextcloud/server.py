"""The stand-in: a real WebDAV server on loopback that answers as a Nextcloud does, for tests.

    with StandIn(tmp_path / "cloud") as cloud:         # https with a certificate of its own; tls=False for plain http
        cloud.put("Photos/a.jpg", data)                # or write below `cloud.folder` yourself
        client = ...(cloud.url, cloud.user, cloud.password, verify=cloud.trust())
        cloud.move("Photos/a.jpg", "b.jpg")            # put, touch, delete: ids and etags follow
        assert [seen.path for seen in cloud.seen("GET")] == ["Photos/a.jpg"]
        assert cloud.bad_logins == 0

`cloud.faults` (faults.py) is what goes wrong; with nothing asked of it, nothing does. `cloud.tree()` (tree.py) has the
ids, etags and checksums. It leaves out writing over WebDAV: our client only reads.
"""

import itertools
import secrets
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme
from cheroot.ssl.builtin import BuiltinSSLAdapter

from tests.nextcloud.faults import Faults
from tests.nextcloud.front import Front
from tests.nextcloud.gateway import Seen, Server
from tests.nextcloud.logins import Account
from tests.nextcloud.tree import Tree


class StandIn:
    """A Nextcloud with one or more users, running from `with` to its end."""

    def __init__(self, root: Path, user: str = "ann", host: str = "127.0.0.1", tls: bool = True) -> None:
        """Args: a folder that need not exist yet; the first user; the host name in `url` and certificate."""
        self.root = root
        self.user = user
        self.host = host
        self.tls = tls
        self.front = Front()
        self.faults = Faults(self._change)
        self._ids = itertools.count(1001)
        self._authority = trustme.CA()
        self.add(user)
        self.server = Server(self.front, self.faults.due)
        self._thread = threading.Thread(target=self.server.serve, name="stand-in", daemon=True)

    def __enter__(self) -> Self:
        if self.tls:
            self.server.ssl_adapter = self._adapter()
        self.server.prepare()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End: what still waits is cut off, no thread and no socket stays."""
        self.server.stopping.set()
        for worker in list(self.server.requests._threads):
            cut(worker.conn)
        self.server.stop()
        self._thread.join()

    # who

    @property
    def password(self) -> str:
        """The account password of the first user."""
        return self.account().password

    def account(self, user: str | None = None) -> Account:
        """A user, the first one unless named."""
        return self.front.logins.accounts[user or self.user]

    def tree(self, user: str | None = None) -> Tree:
        """A user's files."""
        return self.account(user).tree

    @property
    def folder(self) -> Path:
        """Where the first user's files are."""
        return self.tree().folder

    def add(self, user: str, login: str | None = None) -> Account:
        """Another user, who may log in by another name than the id in the addresses of their files."""
        folder = self.root / f"user{len(self.front.logins.accounts)}" / "files"
        folder.mkdir(parents=True, exist_ok=True)
        account = Account(user, secrets.token_urlsafe(12), login or user, Tree(folder, self._ids))
        self.front.logins.accounts[user] = account
        return account

    def app_password(self, user: str | None = None) -> str:
        """A new app password."""
        account = self.account(user)
        account.app_passwords.append("-".join(secrets.token_hex(3)[:5] for _ in range(5)))
        return account.app_passwords[-1]

    def grant(self, login_url: str | None = None, user: str | None = None) -> str:
        """Do what a user does in the browser at the login address (the newest unless told); the app password."""
        token = login_url.rsplit("/", 1)[1] if login_url else None
        return self.front.logins.grant(user or self.user, token)

    def revoke(self, app_password: str) -> bool:
        """Make an app password void, as the user can in the settings."""
        return self.front.logins.revoke(app_password)

    # where

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self.server.bind_addr[1])

    @property
    def url(self) -> str:
        """The address a user would give."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def dav(self) -> str:
        """The address of the first user's files, without a slash at the end."""
        return f"{self.url}/remote.php/dav/files/{self.user}"

    def trust(self) -> ssl.SSLContext:
        """What a client checks this server's certificate with; it trusts no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        return context

    def authority(self) -> bytes:
        """The certificate of the authority, PEM, for clients that want a file."""
        return self._authority.cert_pem.bytes()

    # what happens to the first user's files; other users' by `tree(user)`

    def put(self, path: str, data: bytes, mtime: float | None = None) -> int:
        """Write a file, new or over another; its id."""
        return self.tree().put(path, data, mtime)

    def move(self, path: str, to: str) -> None:
        """Rename or move a file or folder."""
        self.tree().move(path, to)

    def delete(self, path: str) -> None:
        """Delete a file or folder."""
        self.tree().delete(path)

    def touch(self, path: str, mtime: float | None = None) -> None:
        """Another time and etag, the same bytes."""
        self.tree().touch(path, mtime)

    def limit(self, quota: int | None) -> None:
        """Give the first user so many bytes in all; None for no limit."""
        self.tree().quota = quota

    def maintain(self, on: bool = True, retry_after_s: int = 120) -> None:
        """Maintenance mode."""
        self.front.maintenance_s = retry_after_s if on else None

    # what was seen

    @property
    def log(self) -> list[Seen]:
        """Every request so far."""
        return self.server.seen

    def seen(self, method: str | None = None, path: str | None = None) -> list[Seen]:
        """The requests with this method and for this path below the user's files, as far as given."""
        return [seen for seen in list(self.log) if method in (None, seen.method) and path in (None, seen.path)]

    def forget(self) -> None:
        """Empty the log."""
        self.server.seen.clear()

    @property
    def bad_logins(self) -> int:
        """How many requests came with a wrong password."""
        return self.front.logins.bad

    @property
    def mishaps(self) -> list[str]:
        """What went wrong in the stand-in itself; a test of the stand-in wants none."""
        return self.server.mishaps

    def _change(self, seen: Seen) -> None:
        tree = self.tree(seen.user)
        tree.put(seen.path, self.faults.measures.changed(tree.on_disk(seen.path).read_bytes()))

    def _adapter(self) -> BuiltinSSLAdapter:
        issued = self._authority.issue_cert(*{self.host, "127.0.0.1", "localhost"})
        certificate, key = self.root / "certificate.pem", self.root / "key.pem"
        key.write_bytes(issued.private_key_pem.bytes())
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return BuiltinSSLAdapter(str(certificate), str(key))


def cut(connection: object) -> None:
    """End a connection on which a worker still answers."""
    sock = getattr(connection, "socket", None)
    if isinstance(sock, socket.socket):
        try:
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            return
