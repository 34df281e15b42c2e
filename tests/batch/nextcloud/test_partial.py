"""Parts of files that are not whole yet: gone on with where something vouches for them, and never written past."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from batch.nextcloud.client import Item, Nextcloud
from batch.nextcloud.download import OVERLAP
from batch.nextcloud.faults import Busy, NoRoom, Stopped, Unkept
from batch.nextcloud.partial import Partial, kept_on_disk, tidy
from tests.batch.nextcloud.conftest import DATA, Place
from tests.nextcloud.server import StandIn

A = "Photos/a.jpg"


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

    cloud.forget()
    place.fetch(account(), item)
    assert place.to.read_bytes() == DATA
    if harm != "other bytes":  # those are seen only when they come again
        wanted = f"bytes={50_000 - OVERLAP}-" if harm == "machine has crashed" else None
        assert cloud.seen("GET", A)[0].headers.get("range") == wanted


def test_one_file_is_fetched_by_one_at_a_time(nextcloud: Nextcloud, place: Place):
    """The second is told, and may come back."""
    item = nextcloud.about(A)
    with Partial(place.partial, A), pytest.raises(Busy):
        place.fetch(nextcloud, item)
    assert place.fetch(nextcloud, item).size == len(DATA)


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
