"""The stand-in of a Nextcloud with a few files, and accounts on it that are impatient and may talk to loopback."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batch.nextcloud.addresses import Addresses
from batch.nextcloud.client import Downloaded, Item, Nextcloud
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport
from tests.batch.nextcloud.answering import Answering
from tests.nextcloud.server import StandIn

HASTE = Patience(
    connect_s=2, read_s=0.8, window_s=0.4, answer_s=20, first_wait_s=0.01, longest_wait_s=3, maintenance_s=2
)
LOOPBACK = Addresses(["127.0.0.0/8"])
DATA = random.Random(5).randbytes(200_000)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[StandIn]:
    """A server with some files."""
    with StandIn(tmp_path / "cloud") as made:
        made.put("Photos/a.jpg", DATA, mtime=1_700_000_000)
        made.put("Photos/b.jpg", DATA[:100])
        made.put("Photos/Trip/c.jpg", DATA[:10])
        yield made


@pytest.fixture
def account(cloud: StandIn) -> Iterator[Callable[..., Nextcloud]]:
    """Makes accounts on it, of its first user unless told otherwise."""
    made: list[Nextcloud] = []

    def make(
        password: str | None = None,
        login: str | None = None,
        patience: Patience = HASTE,
        addresses: Addresses = LOOPBACK,
    ) -> Nextcloud:
        transport = Transport(addresses, patience, cloud.trust())
        made.append(Nextcloud(cloud.url, login or cloud.user, password or cloud.password, transport))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def nextcloud(account: Callable[..., Nextcloud]) -> Nextcloud:
    """The account of the first user."""
    return account()


@pytest.fixture
def answering() -> Iterator[Answering]:
    """A server that says what a test wants."""
    made = Answering()
    yield made
    made.close()


class Place:
    """Where files are fetched to, and what came of it."""

    def __init__(self, folder: Path) -> None:
        self.to = folder / "mirror" / "ann" / "a.jpg"
        self.partial = folder / "partial"
        self.told: list[int] = []

    def fetch(self, nextcloud: Nextcloud, item: Item, stopped: Callable[[], bool] = lambda: False) -> Downloaded:
        """Download to it."""
        return nextcloud.download(item, self.to, self.partial, self.told.append, stopped)

    @property
    def left(self) -> list[str]:
        """The suffixes of what lies in the folder for parts."""
        return sorted(one.suffix for one in self.partial.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A fresh place."""
    return Place(tmp_path)
