"""A thousand faults while a library of 300 files is fetched: at the end it is there, to the byte, and nothing else is.

The files change, move and go meanwhile. Listing, downloads and what is noted of them are real; pictures are not decoded
each time, as what is wrong with their bytes is seen by comparing those.
"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from batch.changes import changes
from batch.discover import matches
from batch.mirror import Mirror
from batch.nextcloud.faults import Refused
from batch.nextcloud.patience import Patience
from cluster.errors import ServiceError
from serve_apps.media.kinds import kind_of
from tests.batch.bench_of_one import jpeg
from tests.batch.clouded import Clouded
from tests.nextcloud.elsewhere import Elsewhere
from tests.nextcloud.hostile_names import REAL_NAMES
from tests.nextcloud.kinds import inverted
from tests.nextcloud.server import StandIn

FILES = 300
FOLDERS = ("", "2021/a b", "2021/a b/\u00fcber", "2022/100% #1", *(f"2023/{month}" for month in range(20)))
EACH = 50  # faults of each kind
MOST_SCANS = 200
HEAD = 1000  # bytes that all versions of a file have in common: the picture; what comes after it is no picture's
HURRY = Patience(
    connect_s=2, read_s=0.3, window_s=0.2, answer_s=5, tries=4, first_wait_s=0.002, longest_wait_s=1, maintenance_s=0
)
RANGES = ("range_from_start", "other_version_hidden")  # met only by downloads that go on
MIDWAY = ("reset_midway", "short_body")  # after which one goes on
DOWNLOADS = ("length_too_long", "cut_without_length", "spliced", "changed_before", "changed_midway")
LISTINGS = ("listing_truncated", "sizes_wrong", "etags_weird", "href_parent_encoded", "href_other_host")
ANY = ("garbage", "stall_midway", "broken", "missing", "locked", "redirect_elsewhere", "redirect_metadata")
FAMILIES = (RANGES, MIDWAY, DOWNLOADS, LISTINGS, ANY)


def content(number: int) -> bytes:
    """A picture with bytes after it, other ones for each number; long enough for its download to go on somewhere."""
    return jpeg(number).ljust(HEAD, b"\0") + random.Random(number).randbytes(11_000)


class Library:
    """What is on the server, and every version of a file that ever was."""

    def __init__(self, cloud: StandIn, bench: Clouded) -> None:
        self.cloud, self.bench = cloud, bench
        self.chance, self.numbers = random.Random(5), iter(range(10**6))
        self.versions = set[str]()
        names = [f"{folder}/{name}".lstrip("/") for folder in ("", "2021/a b") for name in REAL_NAMES]
        for at in range(FILES - len(names)):
            names.append(f"{FOLDERS[at % len(FOLDERS)]}/IMG_{at:04}.JPG".lstrip("/"))
        for name in names:
            self.put(name)
        cloud.faults.measures.changed = self.changed

    def put(self, path: str) -> None:
        """Another version of a file, or a new file."""
        data = content(next(self.numbers))
        self.versions.add(digest(data))
        self.cloud.put(path, data, mtime=1_600_000_000 + self.chance.randrange(10**7))

    def changed(self, data: bytes) -> bytes:
        """The version that a file becomes while it is read: none of the bytes after the picture is as it was."""
        new = data[:HEAD] + inverted(data[HEAD:])
        self.versions.add(digest(new))
        return new

    def readable(self) -> dict[str, bytes]:
        """The files that belong into the mirror."""
        skip = self.bench.settings.scan.skip
        found = [(path, path.rpartition("/")[2], data) for path, data in self.cloud.tree().files().items()]
        return {path: data for path, name, data in found if kind_of(name) and not matches(name, path, skip)}

    def goes_on(self) -> None:
        """What people do between two scans: some files are edited, some moved, some deleted, some new."""
        paths = sorted(self.readable())
        self.chance.shuffle(paths)
        for path in paths[:60]:
            self.put(path)
        for path in paths[60:63]:
            self.cloud.move(path, f"{self.chance.choice(FOLDERS)}/moved {next(self.numbers)}.jpg".lstrip("/"))
        for path in paths[63:65]:
            self.cloud.delete(path)
            self.put(f"2023/3/new {next(self.numbers)}.jpg")

    def places(self) -> dict[str, str]:
        """Where the files that are on the server lie in the mirror, as the library knows."""
        rows = self.bench.library.remotes.rows().to_pylist()
        there = self.cloud.tree().files()
        assert not [row["path"] for row in rows if row["gone"] and row["path"] in there]
        return {row["path"]: row["local"].decode() for row in rows if not row["is_folder"] and not row["gone"]}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Library]:
    """The files on a server, of which nothing is here yet."""
    with StandIn(tmp_path / "cloud") as cloud:
        bench = Clouded(tmp_path, cloud=cloud, patience=HURRY)
        yield Library(cloud, bench)
        bench.close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """A host that nobody may be sent to."""
    with Elsewhere() as other:
        yield other


def digest(data: bytes) -> str:
    """A version, as it is remembered."""
    return hashlib.sha256(data).hexdigest()


def fetch(source: Mirror) -> None:
    """List what is on the server and fetch what is not here; raises what ends a scan."""
    source.look()
    groups = changes(source.walk(()), {}).groups
    for _ in source.fetch(groups, lambda: False):
        pass


def strays(root: Path, mirror: Path) -> set[str]:
    """Whatever lies below a folder, and beside it, but in the mirror, on the server and among the library's tables."""
    apart = (mirror, root / "cloud", root / "data" / "store", root / "data" / "nextcloud_partial")
    below = [path for path in root.rglob("*") if not any(path.is_relative_to(one) for one in apart)]
    return {str(path) for path in [*below, *root.parent.iterdir()]}


def lacking(cloud: StandIn) -> dict[str, int]:
    """The kinds of faults that have not happened often enough yet, and how often they are to happen still."""
    left = {kind: EACH - cloud.faults.counted[kind] for kinds in FAMILIES for kind in kinds}
    return {kind: count for kind, count in left.items() if count > 0}


def arm(cloud: StandIn) -> None:
    """Let most requests go wrong, in all ways that are lacking."""
    cloud.faults.clear()
    due = lacking(cloud)
    for kinds in FAMILIES:
        left = [kind for kind in kinds if kind in due]
        for kind in left:
            cloud.faults.sometimes(kind, 0.7 / len(left) if kinds in (RANGES, LISTINGS) else 0.3 / len(left), due[kind])
    for kind in MIDWAY if due.keys() & set(RANGES) else ():
        cloud.faults.sometimes(kind, 0.2)


def test_after_a_thousand_faults_every_readable_file_is_here_and_nothing_else(home: Library, elsewhere: Elsewhere):
    """At no time are there other bytes than of a whole version, and nobody else is asked for anything."""
    cloud, bench = home.cloud, home.bench
    bench.mirror.mkdir(parents=True)
    fetch(bench.made(None).source)
    before = strays(bench.root, bench.mirror)
    measures = cloud.faults.measures
    measures.elsewhere, measures.retry_after_s, measures.stall_s = elsewhere.url("https"), 0, 0.4
    for _ in range(MOST_SCANS):
        if not lacking(cloud):
            break
        arm(cloud)
        with suppress(ServiceError):  # a server that is away: the next scan goes on
            fetch(bench.made(None).source)
            home.goes_on()
        assert {digest(data) for data in bench.fetched().values()} <= home.versions
        home.places()

    assert lacking(cloud) == {}
    cloud.faults.clear()
    fetch(bench.made(None).source)

    places, readable, here = home.places(), home.readable(), bench.fetched()
    assert {path: here.get(places[path]) for path in readable} == readable
    assert set(here) <= {row["local"].decode() for row in bench.library.remotes.rows().to_pylist()}
    assert strays(bench.root, bench.mirror) == before
    assert elsewhere.reached == []
    assert {seen.user for seen in cloud.log} <= {"", cloud.user}
    assert cloud.bad_logins == 0


def test_a_password_that_is_wrong_is_told_once(home: Library):
    """One that is changed while files are fetched, by those at once that are under way; then nothing is asked."""
    cloud, source, later = home.cloud, home.bench.made(None).source, home.bench.made(None).source
    source.look()
    groups = changes(source.walk(()), {}).groups
    cloud.account().password = "changed"

    with pytest.raises(Refused):
        list(source.fetch(groups, lambda: False))
    told = cloud.bad_logins
    with pytest.raises(Refused):
        fetch(source)

    assert 1 <= told <= source.settings.nextcloud.downloads
    assert cloud.bad_logins == told
    for _ in range(2):
        with pytest.raises(Refused):
            fetch(later)
    assert cloud.bad_logins == told + 1
