"""A stand-in with a few files, and a plain client that asks it."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from tests.nextcloud.kinds import Measures
from tests.nextcloud.server import StandIn

NAMES = {"d": "DAV:", "oc": "http://owncloud.org/ns", "nc": "http://nextcloud.org/ns"}
WANTED = (
    *("d:resourcetype", "d:getetag", "d:getcontentlength", "d:getlastmodified"),
    *("d:quota-available-bytes", "d:quota-used-bytes", "oc:fileid", "oc:size", "oc:checksums"),
    *("nc:contained-file-count", "nc:contained-folder-count"),
)
BODY = (
    '<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"'
    f' xmlns:nc="http://nextcloud.org/ns"><d:prop>{"".join(f"<{name}/>" for name in WANTED)}</d:prop></d:propfind>'
)
DATA = random.Random(5).randbytes(10_000)


class Asking(httpx.Client):
    """A client of one stand-in that guards against nothing."""

    def __init__(self, cloud: StandIn, password: str | None = None) -> None:
        verify = cloud.trust() if cloud.tls else False
        super().__init__(verify=verify, auth=(cloud.user, password or cloud.password), timeout=5, trust_env=False)
        self.cloud = cloud

    def fetch(self, path: str, **headers: str) -> httpx.Response:
        """Download; `_` in a header's name stands for `-`."""
        return self.get(f"{self.cloud.dav}/{path}", headers={key.replace("_", "-"): headers[key] for key in headers})

    def propfind(self, path: str = "", depth: str = "1") -> httpx.Response:
        """Ask for a listing."""
        return self.request("PROPFIND", f"{self.cloud.dav}/{path}", content=BODY, headers={"Depth": depth})

    def listed(self, path: str = "", depth: str = "1") -> dict[str, Element]:
        """What is listed: the properties that are there, by href."""
        answered = self.propfind(path, depth)
        assert answered.status_code == 207
        responses = fromstring(answered.content).findall("d:response", NAMES)
        found = {answer.findtext("d:href", "", NAMES): answer.find("d:propstat/d:prop", NAMES) for answer in responses}
        return {href: properties for href, properties in found.items() if properties is not None}

    def prop(self, name: str, path: str = "") -> str | None:
        """One property of one thing."""
        (found,) = self.listed(path, depth="0").values()
        return found.findtext(name, None, NAMES)


def photographed(root: Path) -> Iterator[StandIn]:
    """A stand-in without faults, with three files, which must not go wrong by itself."""
    with StandIn(root) as made:
        made.put("Photos/a.jpg", DATA, mtime=1_700_000_000)
        made.put("Photos/b.jpg", DATA[:100])
        made.put("Photos/Trip/c.jpg", DATA[:10])
        yield made
        assert made.mishaps == []


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[StandIn]:
    """A stand-in of one test's own."""
    yield from photographed(tmp_path / "cloud")


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A client of a stand-in that a module's tests share."""
    for made in photographed(tmp_path_factory.mktemp("cloud")):
        with Asking(made) as client:
            yield client


@pytest.fixture
def shared(lasting: Asking) -> Asking:
    """The same, with neither faults nor counts from the test before."""
    lasting.cloud.faults.clear()
    lasting.cloud.faults.counted.clear()
    lasting.cloud.faults.measures = Measures()
    lasting.cloud.forget()
    return lasting


@pytest.fixture
def client(cloud: StandIn) -> Iterator[Asking]:
    """A client of it."""
    with Asking(cloud) as made:
        yield made


@pytest.fixture
def asking(cloud: StandIn) -> Iterator[Callable[..., Asking]]:
    """Makes clients with other passwords."""
    made: list[Asking] = []

    def make(password: str | None = None) -> Asking:
        made.append(Asking(cloud, password))
        return made[-1]

    yield make
    for one in made:
        one.close()
