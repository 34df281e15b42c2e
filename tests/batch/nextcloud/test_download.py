"""Files fetched to disk: whole, of one version, with the right bytes, under whatever goes wrong on the way."""

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from batch.nextcloud.client import Downloaded, Item, Nextcloud
from batch.nextcloud.faults import Busy, Changed, Gone, NoRoom, Short, Stopped, Unkept, Unreachable
from batch.nextcloud.partial import Partial, kept_on_disk, tidy
from tests.batch.nextcloud.conftest import DATA, HASTE
from tests.nextcloud.server import StandIn

A = "Photos/a.jpg"
NEW = DATA.translate(bytes(255 - value for value in range(256)))  # what the stand-in makes of a file that changes


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


def test_a_file_is_fetched_whole(nextcloud: Nextcloud, place: Place):
    """With its time and hash, progress up to its size, and nothing left beside it."""
    item = nextcloud.about(A)
    done = place.fetch(nextcloud, item)

    assert place.to.read_bytes() == DATA
    assert done == Downloaded(item.etag, len(DATA), 1_700_000_000, hashlib.sha256(DATA).hexdigest())
    assert place.to.stat().st_mtime == 1_700_000_000
    assert sum(place.told) == len(DATA)
    assert place.left == []


@pytest.mark.parametrize("size", [0, 1, 4096, 4097])
def test_small_and_empty_files_are_fetched(cloud: StandIn, nextcloud: Nextcloud, place: Place, size: int):
    """Down to no bytes at all."""
    cloud.put(A, DATA[:size])
    assert place.fetch(nextcloud, nextcloud.about(A)).size == size
    assert place.to.read_bytes() == DATA[:size]


@pytest.mark.parametrize("checksums", [("SHA1", "MD5", "ADLER32"), ("ADLER32",), ()])
@pytest.mark.parametrize(
    "kind",
    [
        *("reset_before", "closed_before", "reset_midway", "short_body", "garbage", "garbage_chunked", "head_too_long"),
        *("gzip_unasked", "length_too_long", "length_too_short", "cut_without_length", "endless", "page", "clock_off"),
        *("locked", "broken", "bad_gateway", "gateway_timeout", "empty", "throttled_nonsense", "redirect_same"),
        *("stall", "stall_midway", "drip", "drip_head", "gzip_bomb"),
    ],
)
def test_what_passes_leaves_the_right_bytes(
    cloud: StandIn, nextcloud: Nextcloud, place: Place, kind: str, checksums: tuple[str, ...]
):
    """With the server's checksums and without."""
    cloud.tree().checksums = checksums
    cloud.faults.measures.stall_s = 0.9
    cloud.faults.measures.bomb_bytes = 8 << 20
    item = nextcloud.about(A)
    cloud.faults.at(kind, method="GET")

    done = place.fetch(nextcloud, item)

    assert place.to.read_bytes() == DATA
    assert (done.etag, done.sha256) == (item.etag, hashlib.sha256(DATA).hexdigest())
    assert cloud.faults.counted[kind] == 1
    assert sum(place.told) == len(DATA)
    assert place.left == []


@pytest.mark.parametrize("checksums", [("SHA1", "MD5", "ADLER32"), ()])
@pytest.mark.parametrize(
    "kind",
    ["range_ignored", "range_shifted", "range_unsaid", "range_from_start", "other_version", "other_version_hidden"],
)
def test_a_part_goes_on_with_its_own_version_only(
    cloud: StandIn, nextcloud: Nextcloud, place: Place, kind: str, checksums: tuple[str, ...]
):
    """After a break: other bytes than those asked for start the file anew, also where the server hides it."""
    cloud.tree().checksums = checksums
    item = nextcloud.about(A)
    cloud.faults.at("reset_midway", method="GET").at(kind, method="GET")

    place.fetch(nextcloud, item)

    assert place.to.read_bytes() == DATA
    assert cloud.faults.counted[kind] == 1


def test_a_part_is_asked_for_with_the_version_it_is_of(cloud: StandIn, nextcloud: Nextcloud, place: Place):
    """Range and If-Range, a little before the end of what is there."""
    item = nextcloud.about(A)
    cloud.faults.at("reset_midway", method="GET")
    cloud.forget()
    place.fetch(nextcloud, item)

    _, second = cloud.seen("GET")
    assert second.status == 206
    assert second.headers["if-range"] == item.etag
    assert 0 < int(second.headers["range"].removeprefix("bytes=").removesuffix("-")) < len(DATA) // 2


def test_a_weak_version_is_fetched_from_its_beginning(cloud: StandIn, nextcloud: Nextcloud, place: Place):
    """Bytes of two answers under a weak ETag need not fit together."""
    item = msgspec.structs.replace(nextcloud.about(A), etag=f"W/{nextcloud.about(A).etag}")
    cloud.faults.at("reset_midway", method="GET")
    cloud.forget()
    place.fetch(nextcloud, item)

    assert [seen.headers.get("range") for seen in cloud.seen("GET")] == [None, None]
    assert place.to.read_bytes() == DATA


@pytest.mark.parametrize("checksums", [("SHA1",), ()])
@pytest.mark.parametrize("kind", ["changed_before", "changed_midway"])
def test_a_file_that_changes_meanwhile_is_its_new_version(
    cloud: StandIn, nextcloud: Nextcloud, place: Place, kind: str, checksums: tuple[str, ...]
):
    """All of it: never the beginning of one and the end of another."""
    cloud.tree().checksums = checksums
    old = nextcloud.about(A)
    cloud.faults.at(kind, method="GET")

    done = place.fetch(nextcloud, old)

    assert place.to.read_bytes() == NEW
    assert done.etag == nextcloud.about(A).etag != old.etag
    assert sum(place.told) == len(DATA)


def test_a_file_that_changes_all_the_time_is_given_up(cloud: StandIn, nextcloud: Nextcloud, place: Place):
    """After a few versions, with none of them on disk."""
    item = nextcloud.about(A)
    cloud.faults.always("changed_before", method="GET")
    with pytest.raises(Changed):
        place.fetch(nextcloud, item)
    assert not place.to.exists()
    assert len(cloud.seen("GET", A)) == HASTE.restarts + 1


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("spliced", Short),
        ("length_too_short", Short),
        ("cut_without_length", Short),
        ("page", Short),
        ("endless", Short),
        ("missing", Gone),
        ("broken", Unreachable),
        ("reset_before", Unreachable),
    ],
)
def test_what_does_not_pass_leaves_nothing_under_the_final_name(
    cloud: StandIn, nextcloud: Nextcloud, place: Place, kind: str, fault: type[Exception]
):
    """A few tries, then a sentence; and what was there before stays."""
    item = nextcloud.about(A)
    place.to.parent.mkdir(parents=True)
    place.to.write_bytes(b"the version before")
    cloud.faults.always(kind, method="GET")

    with pytest.raises(fault, match=r"\.$"):
        place.fetch(nextcloud, item)

    assert place.to.read_bytes() == b"the version before"
    assert len(cloud.seen("GET")) <= 2 * HASTE.tries


def test_a_stopped_download_goes_on_where_it_was(cloud: StandIn, account: Callable[..., Nextcloud], place: Place):
    """Also as another process: the note beside the part says what it is of."""
    nextcloud = account()
    item = nextcloud.about(A)
    with pytest.raises(Stopped):
        place.fetch(nextcloud, item, stopped=lambda: sum(place.told) >= 100_000)
    kept = sum(place.told)
    assert 100_000 <= kept < len(DATA)
    assert place.left == [".json", ".part"]

    place.told.clear()
    cloud.forget()
    place.fetch(account(), item)
    assert place.to.read_bytes() == DATA
    assert place.told[0] == kept
    assert [seen.status for seen in cloud.seen("GET", A)] == [206]


@pytest.mark.parametrize(
    "harm", ["note gone", "note garbage", "note of another version", "machine has crashed", "other bytes"]
)
def test_a_part_that_nothing_vouches_for_is_worth_nothing(
    cloud: StandIn, account: Callable[..., Nextcloud], place: Place, harm: str
):
    """Whatever happened to the part or its note: the file is right in the end."""
    nextcloud = account()
    item = nextcloud.about(A)
    with pytest.raises(Stopped):
        place.fetch(nextcloud, item, stopped=lambda: sum(place.told) >= 100_000)
    (note,), (part,) = place.partial.glob("*.json"), place.partial.glob("*.part")
    told = msgspec.json.decode(note.read_bytes())
    match harm:
        case "note gone":
            note.unlink()
        case "note garbage":
            note.write_bytes(b"{")
        case "note of another version":
            note.write_bytes(msgspec.json.encode({**told, "etag": '"another"'}))
        case "machine has crashed":
            note.write_bytes(msgspec.json.encode({**told, "boot": "an earlier one", "flushed": 50_000}))
            part.write_bytes(part.read_bytes()[:60_000].ljust(100_000, b"\0"))
        case "other bytes":
            part.write_bytes(bytes(len(part.read_bytes())))

    place.fetch(account(), item)
    assert place.to.read_bytes() == DATA


def test_one_file_is_fetched_by_one_at_a_time(nextcloud: Nextcloud, place: Place):
    """The second is told, and may come back."""
    item = nextcloud.about(A)
    with Partial(place.partial, A), pytest.raises(Busy):
        place.fetch(nextcloud, item)
    assert place.fetch(nextcloud, item).size == len(DATA)


def test_many_at_once_are_each_right(cloud: StandIn, nextcloud: Nextcloud, place: Place):
    """One account, several threads, breaks on the way."""
    for number in range(12):
        cloud.put(f"Many/{number}.jpg", DATA[number:])
    cloud.faults.sometimes("reset_midway", 0.3, method="GET")
    items = [item for item in nextcloud.list("Many") if not item.is_folder]

    def fetch(item: Item) -> None:
        nextcloud.download(item, place.to.parent / item.path, place.partial)

    threads = [threading.Thread(target=fetch, args=(item,)) for item in items]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    for number in range(12):
        assert (place.to.parent / f"Many/{number}.jpg").read_bytes() == DATA[number:]
    assert cloud.faults.counted["reset_midway"] > 0


def test_a_full_disk_is_a_sentence_of_its_own():
    """/dev/full is a disk without room; another refusal is another sentence."""
    with pytest.raises(NoRoom, match="disk is full"), kept_on_disk(), open("/dev/full", "wb", buffering=0) as file:
        file.write(b"x")
    with pytest.raises(Unkept, match="cannot be kept"), kept_on_disk():
        os.rmdir("/")


def test_a_place_that_is_taken_is_told(nextcloud: Nextcloud, place: Place):
    """By a folder, or below a file."""
    item = nextcloud.about(A)
    place.to.mkdir(parents=True)
    with pytest.raises(Unkept, match="cannot be kept"):
        place.fetch(nextcloud, item)
    (place.to.parent / "file").write_bytes(b"")
    with pytest.raises(Unkept, match="cannot be kept"):
        nextcloud.download(item, place.to.parent / "file" / "a.jpg", place.partial)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_part_is_never_written_through_a_link(
    nextcloud: Nextcloud, place: Place, tmp_path: Path, link: Callable[[Path, Path], None]
):
    """What somebody laid in its place is refused; what it points to stays as it is."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    with Partial(place.partial, A):
        pass
    (part,) = place.partial.glob("*.part")
    part.unlink()
    link(precious, part)

    with pytest.raises(Unkept):
        place.fetch(nextcloud, nextcloud.about(A))
    assert precious.read_bytes() == b"precious"


def test_parts_that_nobody_came_back_for_are_tidied_away(place: Place):
    """Not those of today."""
    with Partial(place.partial, A) as part:
        part.begin(Item(A, False, etag='"1"', size=8 << 20))
    tidy(place.partial, older_than_s=60)
    assert place.left == [".json", ".part"]
    tidy(place.partial, older_than_s=-1)
    assert place.left == []
    tidy(place.partial / "nowhere", older_than_s=0)
