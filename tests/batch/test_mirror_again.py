"""Scans of a Nextcloud that are cut off, switched or asked for otherwise: what the next scan makes of that."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from batch.deletion import delete_missing
from batch.forelisting import Foreseen
from batch.mirror import left_out, mirror_of, unfetched
from batch.remotes import Listing
from batch.scan import Scan
from cluster.store.writer import Writer
from tests.batch.bench_of_one import OWNER, Killed, jpeg
from tests.batch.clouded import Clouded
from tests.nextcloud.server import StandIn

GONE = {"2022/d.jpg", "2022/e.jpg", "2022/x/f.jpg"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Clouded]:
    """Six pictures in three folders of a Nextcloud, none of them here yet."""
    with StandIn(tmp_path / "cloud") as cloud:
        for number, path in enumerate(("a.jpg", "2021/b.jpg", "2021/c.jpg", *sorted(GONE))):
            cloud.put(path, jpeg(number), mtime=1_600_000_000 + number)
        bench = Clouded(tmp_path, cloud=cloud)
        yield bench
        bench.close()


def missing(home: Clouded) -> set[str]:
    """The photos that are."""
    return {name for name, (_, _, gone) in home.shown().items() if gone}


def downloads(home: Clouded) -> list[str]:
    """The pictures that were asked for."""
    return [seen.path for seen in home.cloud.seen("GET") if seen.path.endswith(".jpg")]


@pytest.mark.parametrize("dies_before", [1, 2, 3, 4])
def test_a_kill_while_a_folder_is_found_gone_leaves_nothing_in_it(home: Clouded, dies_before: int):
    """Whichever of its rows were committed: the next scan finds all of its photos missing."""
    home.scan()
    home.cloud.delete("2022")
    with suppress(Killed):
        home.scan(dies_before=dies_before)

    home.scan()

    assert missing(home) == GONE


def test_originals_that_were_read_and_are_not_kept_go_with_the_next_scan(home: Clouded):
    """Where the process was killed before it let go of them. What is gone from the server stays."""
    home.keeps = False

    def killed(scan: Scan) -> None:
        def release(fetched: Any) -> None:
            raise Killed

        scan.source.release = release

    with pytest.raises(Killed):
        home.scan(prepare=killed)
    assert len(home.fetched()) == 6
    home.cloud.delete("a.jpg")

    home.scan()

    assert set(home.fetched()) == {"a.jpg"}


def test_what_is_excluded_before_it_was_fetched_is_not_fetched(home: Clouded):
    """By its own name or by a folder's on the way."""
    for path in ("2021/b.jpg", "2022/d.jpg"):
        home.cloud.faults.always("broken", "GET", path)
    home.scan()
    home.cloud.faults.clear()
    home.excludes = ["b.jpg", "2022"]
    home.cloud.forget()

    home.scan()

    assert downloads(home) == []


def test_a_choice_that_is_wider_sees_what_went_below_it(home: Clouded):
    """The chosen folder was deleted, and then the one above it chosen."""
    home.folders = ["2022/x"]
    home.scan()
    home.cloud.delete("2022/x")
    home.folders = ["2022"]

    home.scan()

    assert "2022/x/f.jpg" in missing(home)


def test_a_file_that_is_chosen_is_told_to_be_no_folder(home: Clouded):
    """The folders beside it are scanned."""
    home.folders = ["a.jpg", "2021"]

    home.scan()

    assert set(home.shown()) == {"2021/b.jpg", "2021/c.jpg"}
    (failure,) = home.library.errors.rows().to_pylist()
    assert (failure["name"], "no folder" in failure["reason"]) == ("a.jpg", True)


def test_a_moved_file_that_cannot_be_fetched_yet_is_not_missing(home: Clouded):
    """It is on the server, at another place; once it can be had there it is the same photo."""
    home.keeps = False
    home.scan()
    ids = home.ids()
    home.cloud.move("2021", "2029")
    home.cloud.faults.always("broken", "GET", "2029/b.jpg")
    home.scan()
    assert missing(home) == set()

    home.cloud.faults.clear()
    home.scan()

    assert home.ids()["2029/b.jpg"] == ids["2021/b.jpg"]
    assert missing(home) == set()
    assert len(home.shown()) == 6


def test_a_dry_run_tells_of_what_was_listed_and_not_fetched(home: Clouded):
    """A download that failed is still to be made."""
    home.cloud.faults.always("broken", "GET", "2021/b.jpg")
    home.scan()
    home.cloud.faults.clear()
    source: Any = home.made(None).source
    found, patterns = Foreseen(home.library), left_out(home.settings, home.connection)
    listing = Listing(home.library, found, source.account, source.cloud, patterns, lambda: False, lambda old, new: None)

    listing.run(home.folders)
    found.unfetched(unfetched(home.settings, home.library, source.account, home.connection))

    assert (found.counts, found.names) == ({"new": 1, "changed": 0, "gone": 0}, ["2021/b.jpg"])


def test_what_no_scan_marked_is_deleted_by_who_says_how_many(home: Clouded):
    """As with a folder; a file that comes back is a photo again."""
    for number in range(12):
        home.cloud.put(f"more/{number}.jpg", jpeg(20 + number))
    home.scan()
    home.cloud.delete("more")
    home.scan()
    writer = Writer(home.library, home.settings.store)

    counts = delete_missing(home.settings, home.library, writer, Path(), "deleting", OWNER, confirm=12)

    assert counts == {"photos_deleted": 12}
    home.cloud.put("more/3.jpg", jpeg(23))
    home.scan()
    assert len(home.shown()) == 7


def test_users_have_mirrors_of_their_own(home: Clouded):
    """Whatever their names are."""
    names = ["a/b", "a_b", "a\\b", "A_b", "..", "a b"]

    assert len({mirror_of(home.settings, name) for name in names}) == len(names)
    assert {mirror_of(home.settings, name).parent for name in names} == {home.settings.root / "nextcloud_media"}
