"""Users' connections to their Nextclouds: tried before they are stored, opened with the stored password, and noted.

The one place where a sealed password is opened. How a server is talked to is `nextcloud/`'s business, what is asked of
it a job's or a route's. A connection that was refused is asked nothing more until its owner enters something new.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from weakref import WeakValueDictionary

from batch.nextcloud import faults
from batch.nextcloud.addresses import Addresses
from batch.nextcloud.client import Nextcloud, Standing
from batch.nextcloud.patience import BRIEF, Patience
from batch.nextcloud.transport import Transport
from batch.turns import SCAN_NEXTCLOUD
from cluster.errors import Conflict, ServiceError
from cluster.sealing import KeyUnusable, Lost, sealer
from cluster.settings import NextcloudSettings, Settings
from cluster.store.database import System
from cluster.store.jobs import LIVE
from cluster.store.sources import Source, State

APP_PASSWORD = re.compile(r"[A-Za-z0-9]{5}(?:-[A-Za-z0-9]{5}){4}|[A-Za-z0-9]{72}")  # shown to people; given to programs
VERSION = re.compile(r"[0-9A-Za-z .+-]{0,40}")  # what a server says of itself may be anything
MEANS: Mapping[type[ServiceError], State] = {
    faults.Refused: "refused", Lost: "key_lost", faults.Maintenance: "maintenance", faults.Unreachable: "unreachable",
    faults.Throttled: "unreachable", faults.Forbidden: "unreachable", faults.Foreign: "unreachable",
    faults.Hostile: "unreachable", KeyUnusable: "unreachable",
}  # fmt: skip
NO_FILES = "The server finds no files of this account. Check the address and the user name, or ask who runs it."
ANOTHER = (
    "You are connected to {server} as {login}. Disconnect first, and say then whether the photos from there stay; "
    "after that, connect the other one."
)


class Connections:
    """Everybody's connections. May be used by several threads at once; what it opens shares its transport."""

    def __init__(self, settings: Settings, system: System, transport: Transport | None = None) -> None:
        """`transport`: how servers are reached; none: as the settings say, with the patience of somebody who waits."""
        self.settings, self.system = settings, system
        self._transport = transport
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._opened: dict[str, tuple[datetime, Nextcloud]] = {}  # by user, with when the password was entered
        self._opening = threading.Lock()

    @cached_property
    def transport(self) -> Transport:
        """How servers are reached."""
        return self._transport or reaching(self.settings.nextcloud)

    def connect(self, user_id: str, server: str, login: str, password: str, granted: bool = False) -> Source:
        """The connection of a user, stored when it works; blocks.

        `granted`: Nextcloud made the password for us. Raises the fault that says why it does not work, Conflict for a
        second account and KeyUnusable.
        """
        server = self.transport.addresses.server(server)
        sealing = sealer(self.settings)  # first: a password that cannot be kept need not be tried
        with self.turn(user_id):
            self.refuse_another(user_id, server, login)
            standing = asked(Nextcloud(server, login, password, self.transport))
            app_password = granted or bool(APP_PASSWORD.fullmatch(password))
            self._opened.pop(user_id, None)
            return self.system.sources.connect(
                user_id, server, login, password, sealing, app_password, version(standing), standing.used,
                standing.free, granted,
            )  # fmt: skip

    def refuse_another(self, user_id: str, server: str, login: str | None = None) -> None:
        """Raise Conflict while a user is connected to another account: its photos would seem to be gone."""
        there = self.system.sources.find(user_id)
        if there and (there.server, there.login) != (server, there.login if login is None else login):
            raise Conflict(ANOTHER.format(server=there.server, login=there.login))

    def account(self, source: Source) -> Nextcloud:
        """A user's account, the same for all who ask, so that a password that is wrong by now is told once; blocks.

        Raises Refused while its owner has to enter something new, Lost and KeyUnusable.
        """
        if source.waits:
            raise faults.Refused(source.told)
        password = self.system.sources.password(source, sealer(self.settings))
        with self._opening:
            entered_at, opened = self._opened.get(source.user_id, (None, None))
            if opened is None or entered_at != source.connected_at:
                opened = Nextcloud(source.server, source.login, password, self.transport)
                self._opened[source.user_id] = source.connected_at, opened
            return opened

    def disconnect(self, user_id: str) -> bool:
        """Forget a user's connection; whether its app password, where it was made for us, is void as well. Blocks.

        Raises NotFound where there is none.
        """
        with self.turn(user_id):
            source, cloud = self.system.sources.get(user_id), None
            with suppress(ServiceError):
                cloud = self.account(source) if source.granted else None
            self.system.sources.disconnect(user_id)
            self._opened.pop(user_id, None)
            with suppress(ServiceError):  # it can be taken back in Nextcloud's settings, too
                if cloud:
                    cloud.revoke()
                    return True
            return False

    @contextmanager
    def noting(self, source: Source) -> Iterator[None]:
        """A block whose faults say something of a connection, which is noted; what is about one file only is not."""
        try:
            yield
        except ServiceError as fault:
            if state := means(fault):
                self.system.sources.note(source, state, str(fault))
            raise

    def check(self, user_id: str) -> Source:
        """How a user's connection is, asked now and noted; blocks. Raises NotFound where there is none."""
        with self.turn(user_id):
            source = self.system.sources.get(user_id)
            if source.waits:
                return source
            try:
                standing = asked(self.account(source))
            except ServiceError as fault:
                if (state := means(fault)) is None:
                    raise
                self.system.sources.note(source, state, str(fault))
            else:
                self.system.sources.note(source, "connected", "", version(standing), standing.used, standing.free)
            return self.system.sources.get(user_id)

    def close(self) -> None:
        """Let go of the connections to servers; who asks later makes new ones."""
        with self._opening:
            self._opened.clear()
        if transport := self.__dict__.pop("transport", None):
            transport.close()

    @contextmanager
    def turn(self, user_id: str) -> Iterator[None]:
        """A block in which nobody else of this process tries this user's password: a wrong one is tried once."""
        lock = self._turns.setdefault(user_id, threading.Lock())
        with lock:
            yield


def reaching(settings: NextcloudSettings, patience: Patience = BRIEF) -> Transport:
    """How servers are reached, as the settings say."""
    return Transport(Addresses(settings.allowed_networks, settings.plain_http), patience)


def cancel_scans(system: System, cancel: Callable[[str], object], user_id: str) -> None:
    """Cancel what scans a user's Nextcloud, for they leave it; `cancel` is told a job's id."""
    for job in system.jobs.list(user_id, states=LIVE, action=SCAN_NEXTCLOUD):
        with suppress(Conflict):  # it has just ended by itself
            cancel(job.job_id)


def asked(cloud: Nextcloud) -> Standing:
    """How an account is; raises Unreachable for faults that would be of a file, if it were asked for one."""
    try:
        return cloud.check()
    except (faults.Gone, faults.Locked, faults.Changed) as fault:
        raise faults.Unreachable(NO_FILES) from fault
    except faults.Withheld as fault:
        raise faults.Refused(str(fault)) from fault


def means(fault: ServiceError) -> State | None:
    """What a fault says of a whole connection, or None."""
    if isinstance(fault, faults.Short | faults.Withheld):
        return None
    return next((state for kind, state in MEANS.items() if isinstance(fault, kind)), None)


def version(standing: Standing) -> str:
    """A server's version, where it looks like one."""
    return standing.version if VERSION.fullmatch(standing.version) else ""
