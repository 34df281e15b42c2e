"""Listing a Nextcloud: only what changed is asked for, what could not be listed is not gone, much is told in pieces."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from batch.nextcloud.faults import Maintenance, Unreachable
from batch.nextcloud.listing import Item
from batch.nextcloud.names import local_name
from batch.remotes import AT_ONCE, MOST_TOLD, Account, Listing, Refusals
from cluster.store.writer import Upsert, Write, Writer
from tests.batch.bench_of_one import jpeg
from tests.batch.clouded import QUICK, Clouded
from tests.nextcloud.server import StandIn

FOLDERS = [f"f{number}" for number in range(8)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Clouded]:
    """Eight folders of a Nextcloud with a picture each."""
    with StandIn(tmp_path / "cloud") as cloud:
        for number, folder in enumerate(FOLDERS):
            cloud.put(f"{folder}/{number}.jpg", jpeg(number), mtime=1_600_000_000 + number)
        bench = Clouded(tmp_path, cloud=cloud)
        yield bench
        bench.close()


def listed(home: Clouded) -> list[str]:
    """List what is new; the folders that were asked for, in their order."""
    home.cloud.forget()
    home.made(None).source.look()
    return asked(home)


def asked(home: Clouded) -> list[str]:
    """The folders that were asked for what is in them."""
    return [seen.path for seen in home.cloud.seen("PROPFIND") if seen.headers["depth"] == "1"]


def there(home: Clouded) -> set[str]:
    """The files that are on the server by the last listing."""
    rows = home.library.remotes.rows().to_pylist()
    return {row["path"] for row in rows if not row["gone"] and not row["is_folder"]}


def test_a_listing_that_is_stopped_goes_on_where_it_was(home: Clouded):
    """A folder that was listed whole is not asked for again."""
    home.stop_after = 4
    before = listed(home)
    home.stop_after = None
    after = listed(home)

    assert before == ["", *FOLDERS[:3]]
    assert after == ["", *FOLDERS[3:]]
    assert listed(home) == []


def test_a_listing_that_a_fault_ends_goes_on_where_it_was(home: Clouded):
    """What came before the server went into maintenance is kept."""
    home.cloud.faults.measures.retry_after_s = 60
    home.cloud.faults.always("maintenance", "PROPFIND", "f5")
    with pytest.raises(Maintenance):
        listed(home)
    assert len(there(home)) == 5
    home.cloud.faults.clear()

    assert listed(home) == ["", *FOLDERS[5:]]
    assert len(there(home)) == 8


def test_only_a_folder_with_something_new_in_it_is_asked_for(home: Clouded):
    """And those that it lies in."""
    listed(home)
    home.cloud.put("f3/deep/new.jpg", jpeg(20))

    assert listed(home) == ["", "f3", "f3/deep"]
    assert "f3/deep/new.jpg" in there(home)


def test_a_folder_that_is_gone_is_gone_with_everything_in_it(home: Clouded):
    """However deep, and without a question about what is no more."""
    home.cloud.put("f3/deep/deeper/new.jpg", jpeg(20))
    listed(home)
    home.cloud.delete("f3")

    assert listed(home) == [""]
    assert home.library.remotes.lost() == {b"f3/3.jpg", b"f3/deep/deeper/new.jpg"}
    home.cloud.put("f3/deep/deeper/new.jpg", jpeg(20))
    assert listed(home) == ["", "f3", "f3/deep", "f3/deep/deeper"]
    assert home.library.remotes.lost() == {b"f3/3.jpg"}


def test_a_renamed_folder_takes_its_files_along(home: Clouded):
    """Thirty files: none is downloaded, and all are the photos that they were."""
    for number in range(30):
        home.cloud.put(f"album/{number}.jpg", jpeg(30 + number) + bytes(number))
    home.scan()
    ids = home.ids()
    home.cloud.move("album", "albums/2021")
    home.cloud.forget()

    counts = home.scan()

    assert [seen.path for seen in home.cloud.seen("GET") if seen.path.endswith(".jpg")] == []
    assert home.ids() == {name.replace("album/", "albums/2021/"): photo for name, photo in ids.items()}
    assert counts["moved"] == 30
    assert len(home.fetched()) == 38


def test_without_etags_everything_is_listed_again_and_nothing_fetched_again(home: Clouded):
    """Size and time tell a file that changed."""
    home.cloud.faults.always("etags_missing", "PROPFIND")
    home.scan()
    home.cloud.put("f2/2.jpg", jpeg(40) + b"longer")

    assert sorted(listed(home)) == ["", *FOLDERS]
    home.cloud.forget()
    home.scan()
    assert [seen.path for seen in home.cloud.seen("GET") if seen.path.endswith(".jpg")] == ["f2/2.jpg"]
    assert home.fetched()["f2/2.jpg"] == jpeg(40) + b"longer"


def test_without_ids_a_moved_file_comes_anew(home: Clouded):
    """Nothing tells that it is the same; its bytes do, once they are here."""
    home.cloud.faults.always("ids_missing", "PROPFIND")
    home.scan()
    ids = home.ids()
    home.cloud.move("f2/2.jpg", "f3/moved.jpg")
    home.cloud.forget()
    home.scan()

    assert [seen.path for seen in home.cloud.seen("GET") if seen.path.endswith(".jpg")] == ["f3/moved.jpg"]
    assert home.ids()["f3/moved.jpg"] == ids["f2/2.jpg"]


def test_what_a_listing_tells_wrongly_is_not_gone(home: Clouded):
    """The entry is left out, the file stays as it was, and the folder is asked for again."""
    for number in range(6):
        home.cloud.put(f"f1/more{number}.jpg", jpeg(50 + number))
    listed(home)
    before = there(home)
    home.cloud.put("f1/new.jpg", jpeg(60))
    home.cloud.faults.always("sizes_wrong", "PROPFIND", "f1")
    source = home.made(None).source
    source.look()

    assert home.library.remotes.lost() == set()
    assert before <= there(home)
    assert 0 < len(source.unlisted) < 8
    home.cloud.faults.clear()
    assert "f1" in listed(home)
    assert there(home) == {*before, "f1/new.jpg"}


def test_a_folder_that_the_server_cannot_reach_leaves_the_others(home: Clouded):
    """As one on a disk of its own; what was in it stays."""
    listed(home)
    home.cloud.put("f1/new.jpg", jpeg(60))
    home.cloud.put("f6/new.jpg", jpeg(61))
    home.cloud.faults.always("unavailable", "PROPFIND", "f1")
    source = home.made(None).source
    source.look()

    assert [path for path, _ in source.unlisted] == ["f1"]
    assert "f6/new.jpg" in there(home)
    assert "f1/1.jpg" in there(home)


@pytest.mark.parametrize("times", [QUICK.tries, None])
def test_a_server_that_is_away_ends_the_listing(home: Clouded, times: int | None):
    """Also one that answers but cannot list what it has. It says so, and nothing is gone."""
    listed(home)
    home.cloud.put("f1/new.jpg", jpeg(60))
    source = home.made(None).source
    home.cloud.faults.at("unavailable", "PROPFIND", "", nth=3, times=times)  # after the check and the chosen folder

    with pytest.raises(Unreachable):
        source.look()

    assert home.library.remotes.lost() == set()


class Large:
    """A server with one folder of very many files, which notes how far a listing is ahead of what is committed."""

    def __init__(self, library_writer: Writer, files: int, refused: int = 0) -> None:
        self.writer, self.files, self.refused = library_writer, files, refused
        self.told = self.committed = self.ahead = 0

    def about(self, path: str) -> Item:
        """The folder."""
        return Item(path, True, "1", '"folder"')

    def list(self, path: str, refused: Refusals) -> Iterator[Item]:
        """Its files one by one."""
        yield self.about(path)
        for number in range(self.refused):
            refused(f"/elsewhere/{number}.jpg", "it lies outside")
        for number in range(self.files):
            self.told += 1
            self.ahead = max(self.ahead, self.told - self.committed)
            yield Item(f"IMG_{number}.jpg", False, str(number + 2), f'"{number}"', 1000, 1.7e9)

    def commit(self, writes: Sequence[Write]) -> None:
        """Commit, and count."""
        self.committed += sum(len(write.rows) for write in writes if isinstance(write, Upsert))
        self.writer.commit(writes)


def listing_of(home: Clouded, cloud: Large) -> Listing:
    """A listing of such a server, which commits by way of it."""
    account = Account("https://cloud.example", "ann", first=True)
    return Listing(home.library, cloud, account, cloud, (), lambda: False, lambda old, new: None)


def test_a_folder_of_twenty_thousand_files_is_held_in_pieces(home: Clouded):
    """What is read but not committed is bounded, and a second listing asks for nothing."""
    cloud = Large(Writer(home.library, home.settings.store), 20_000)
    listing_of(home, cloud).run([""])

    assert cloud.ahead <= 2 * AT_ONCE
    assert len(there(home)) == 20_000
    assert home.library.remotes.at(local_name("IMG_19999.jpg")) is not None
    told = cloud.told
    listing_of(home, cloud).run([""])
    assert cloud.told == told


def test_of_very_many_entries_that_cannot_be_meant_some_are_told(home: Clouded):
    """The others are counted."""
    cloud = Large(Writer(home.library, home.settings.store), 3, refused=500)
    listing = listing_of(home, cloud)
    listing.run([""])

    assert len(listing.failed) == MOST_TOLD
    assert listing.skipped["cannot be meant"] == 500 - MOST_TOLD
    assert len(there(home)) == 3
