"""A library whose photos come from a folder and from a Nextcloud: what happens in one leaves the other's as they are.

Paths of the two may be the same; they are different files all the same.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.progress import Progress
from batch.scan import Scan
from cluster.store.files import NEXTCLOUD
from tests.batch.bench_of_one import Bench, jpeg
from tests.batch.clouded import Clouded
from tests.nextcloud.server import StandIn

SIDECAR = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Clouded]:
    """Two pictures on a Nextcloud, scanned."""
    with StandIn(tmp_path / "cloud") as cloud:
        for number, path in enumerate(("a.jpg", "2021/b.jpg")):
            cloud.put(path, jpeg(number))
        bench = Clouded(tmp_path, cloud=cloud)
        bench.scan()
        yield bench
        bench.close()


@pytest.fixture
def own(home: Clouded) -> Iterator[Bench]:
    """The same library's folder."""
    bench = Bench(home.root)
    yield bench
    bench.close()


def test_a_file_that_is_edited_leaves_the_same_photo_on_the_nextcloud_as_it_was(home: Clouded, own: Bench):
    """Also where both have the same path: the edited one is another photo, as a copy still shows what it was."""
    former = home.ids()["a.jpg"]
    own.photo("a.jpg", 0, times=0)
    own.scan()
    assert home.library.photos.count() == 2

    own.photo("a.jpg", 7, times=0)
    own.scan()

    (theirs,) = [
        row for row in home.library.files.rows().to_pylist() if (row["source"], row["path"]) == (NEXTCLOUD, b"a.jpg")
    ]
    photo = home.library.photos.get(former)
    assert theirs["photo_id"] == former
    assert photo is not None
    assert photo["content_id"] == theirs["content_id"]
    assert home.library.photos.count() == 3


def test_a_photo_that_is_moved_from_the_folder_to_the_nextcloud_is_the_same_and_not_missing(home: Clouded, own: Bench):
    """Whichever is scanned first afterwards."""
    file = own.photo("2030/mine.jpg", 31, times=0)
    own.scan()
    former = home.ids()["2030/mine.jpg"]
    home.cloud.put("2030/mine.jpg", file.read_bytes())
    file.unlink()

    home.scan()
    own.scan()

    photo = home.library.photos.get(former)
    (left,) = home.library.files.of_photos([former]).to_pylist()
    assert photo is not None
    assert not photo["missing"]
    assert (left["source"], left["file_id"]) == (NEXTCLOUD, photo["main_file_id"])


def test_a_file_that_cannot_be_fetched_again_for_another_is_counted_once(home: Clouded):
    """Of a photo whose original was not kept the new sidecar waits for it; the original itself did not change."""
    home.keeps = False
    (home.mirror / "a.jpg").unlink()
    home.cloud.put("a.xmp", SIDECAR)
    home.cloud.faults.always("broken", "GET", "a.jpg")

    counts = home.scan()

    assert (counts["listed"], counts["committed"], counts["failed"], counts["skipped"]) == (3, 0, 1, 2)
    told = {(row["name"], row["stage"]) for row in home.library.errors.rows().to_pylist()}
    assert told == {("a.jpg", "download"), ("a.xmp", "download")}


def test_a_scan_gives_way_while_it_fetches_and_goes_on_with_the_files_that_lack(home: Clouded):
    """A server that is slow holds nobody else up until some gigabytes have come; what has come is not fetched again."""
    paths = [f"more/{number}.jpg" for number in range(6)]
    for number, path in enumerate(paths):
        home.cloud.put(path, jpeg(10 + number))

    home.scan(prepare=giving_way)

    came = [seen.path for seen in home.cloud.seen("GET") if seen.path in paths]
    assert 1 <= len(came) < len(paths)
    home.scan()
    fetched = [seen.path for seen in home.cloud.seen("GET") if seen.path in paths]
    assert sorted(fetched) == paths
    assert len(home.shown()) == 8


def giving_way(scan: Scan) -> None:
    """Have a scan's turn end with the first file that comes."""

    def over() -> bool:
        came = scan.progress.facts.get("bytes_downloaded", 0) > 0
        scan.reporter.wanted = "pause" if came else "run"
        return came

    scan.given_up = over


@pytest.mark.parametrize("questions", range(4))
def test_a_scan_that_is_paused_while_it_lists_believes_nothing_gone(home: Clouded, questions: int):
    """What was moved may be missed where it was before it is seen where it is."""
    home.cloud.put("notes.txt", b"no photo")
    for path in ("a.jpg", "2021"):
        home.cloud.move(path, f"2029/{path}")
    home.stop_after = questions

    home.scan(prepare=lambda scan: setattr(scan, "reporter", Pausing(scan.reporter.progress, home)))

    assert home.stop_after < 0
    assert not any(missing for _, _, missing in home.shown().values())
    home.stop_after = None
    home.scan()
    assert set(home.shown()) == {"2029/a.jpg", "2029/2021/b.jpg"}


class Pausing:
    """A reporter by whom a pause is wanted as soon as it is by the library's owner."""

    def __init__(self, progress: Progress, home: Clouded) -> None:
        self.progress, self.home = progress, home

    @property
    def wanted(self) -> str:
        """Pause, once it is so."""
        return "pause" if (self.home.stop_after or 0) < 0 else "run"
