"""Photos that come from a Nextcloud: the second scan fetches nothing, and what changed, moved or went there is seen."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batch.deletion import delete_missing
from batch.leaving import leave
from batch.progress import StageProgress
from batch.trash import Taken, restore
from cluster.store.writer import Writer
from tests.batch.bench_of_one import OWNER, Bench, jpeg
from tests.batch.clouded import Clouded
from tests.nextcloud.server import StandIn


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Clouded]:
    """Six pictures in three folders of a Nextcloud, none of them here yet."""
    with StandIn(tmp_path / "cloud") as cloud:
        for number, path in enumerate(
            ("a.jpg", "2021/b.jpg", "2021/c.jpg", "2022/d.jpg", "2022/e.jpg", "2022/x/f.jpg")
        ):
            cloud.put(path, jpeg(number), mtime=1_600_000_000 + number)
        cloud.put("2021/notes.txt", b"no photo")
        bench = Clouded(tmp_path, cloud=cloud)
        yield bench
        bench.close()


def test_a_first_scan_fetches_everything_and_a_second_one_nothing(home: Clouded):
    """Photos are there with their bytes; nothing new costs one look at the chosen folder and no download."""
    counts = home.scan()

    assert (counts["listed"], counts["committed"], counts["failed"], counts["skipped"]) == (7, 6, 0, 1)
    assert counts["bytes_downloaded"] == sum(len(data) for data in home.fetched().values())
    assert set(home.shown()) == {"a.jpg", "2021/b.jpg", "2021/c.jpg", "2022/d.jpg", "2022/e.jpg", "2022/x/f.jpg"}
    assert home.fetched()["2022/x/f.jpg"] == jpeg(5)
    home.cloud.forget()

    again = home.scan()

    assert not home.cloud.seen("GET", "a.jpg")
    assert len(home.cloud.seen("PROPFIND")) == 2
    assert (again["committed"], again["skipped_by"]) == (0, {"unchanged": 6})


def test_what_changed_moved_and_went_is_exactly_that(home: Clouded):
    """One download for the changed one, none for the moved one, the same photo as before; the deleted is missing."""
    home.scan()
    ids = home.ids()
    home.cloud.put("2021/b.jpg", jpeg(9))
    home.cloud.move("2021/c.jpg", "2022/x/moved.jpg")
    home.cloud.delete("2022/d.jpg")
    home.cloud.forget()

    counts = home.scan()

    assert [seen.path for seen in home.cloud.seen("GET") if seen.path.endswith(".jpg")] == ["2021/b.jpg"]
    shown, now = home.shown(), home.ids()
    assert {name for name, (_, _, missing) in shown.items() if missing} == {"2022/d.jpg"}
    assert now["2022/x/moved.jpg"] == ids["2021/c.jpg"]
    assert now["2021/b.jpg"] == ids["2021/b.jpg"]
    assert (counts["moved"], counts["missing_files"]) == (1, 1)
    assert home.fetched()["2022/x/moved.jpg"] == jpeg(2)
    assert "2021/c.jpg" not in home.fetched()


def test_a_file_that_comes_back_is_not_missing_any_more(home: Clouded):
    """Restored from the server's own trash, say: the same photo."""
    home.scan()
    ids = home.ids()
    home.cloud.delete("2022/d.jpg")
    home.scan()
    assert home.shown()["2022/d.jpg"][2]

    home.cloud.put("2022/d.jpg", jpeg(3))
    home.scan()

    assert not home.shown()["2022/d.jpg"][2]
    assert home.ids() == ids


def test_when_too_many_are_gone_at_once_none_is_marked(home: Clouded):
    """As with a folder: somebody has to say so. They stay visible, and what was fetched stays."""
    for number in range(12):
        home.cloud.put(f"more/{number}.jpg", jpeg(20 + number))
    home.scan()
    home.cloud.delete("more")

    counts = home.scan()

    assert counts["too_many_gone"] == 1
    assert counts["gone_unmarked"] == 12
    assert not any(missing for _, _, missing in home.shown().values())
    assert "more/3.jpg" in home.fetched()


def test_only_chosen_folders_are_listed_and_excluded_ones_are_left_out(home: Clouded):
    """Patterns are globs on the name or the path, as for a folder."""
    home.folders, home.excludes = ["2022", "2022/x"], ["e.*"]

    home.scan()

    assert set(home.shown()) == {"2022/d.jpg", "2022/x/f.jpg"}
    home.excludes = []
    home.scan()
    assert set(home.shown()) == {"2022/d.jpg", "2022/e.jpg", "2022/x/f.jpg"}


def test_originals_that_are_not_kept_go_once_they_are_read(home: Clouded):
    """Only derived pictures stay; the next scan fetches nothing again, and nothing is gone."""
    home.keeps = False
    home.scan()
    assert home.fetched() == {}
    assert len(home.shown()) == 6
    home.cloud.forget()

    counts = home.scan()

    assert [seen.path for seen in home.cloud.seen("GET") if seen.path.endswith(".jpg")] == []
    assert counts["skipped_by"] == {"unchanged": 6}
    assert not any(missing for _, _, missing in home.shown().values())


def test_photos_that_are_gone_from_the_server_are_deleted_like_any_other(home: Clouded):
    """They go to the trash and come back from it, with their files; the owner needs no folder for that."""
    home.scan()
    home.cloud.delete("2022/d.jpg")
    home.scan()
    writer = Writer(home.library, home.settings.store)

    counts = delete_missing(home.settings, home.library, writer, Path(), "deleting", OWNER)

    assert counts == {"photos_deleted": 1}
    assert "2022/d.jpg" not in home.shown()
    restore(home.library, writer, home.library.trash.rows()["photo_id"].to_pylist())
    assert home.shown()["2022/d.jpg"][2]


def test_leaving_takes_out_what_is_nowhere_else(home: Clouded):
    """A photo that also lies in the owner's folder stays, with the file there; restoring brings the others back."""
    home.scan()
    own = Bench(home.root)
    own.photo("mine.jpg", 0, times=0)
    own.scan()
    own.close()
    writer = Writer(home.library, home.settings.store)
    before = home.ids()

    told = leave(
        home.library, writer, Taken("leaving", OWNER, datetime.now(UTC)), lambda: False, StageProgress("photos")
    )

    assert told == {"photos_deleted": 5}
    assert {(row["source"], row["path"]) for row in home.library.files.rows().to_pylist()} == {("folder", b"mine.jpg")}
    assert list(home.ids().values()) == [before["a.jpg"]]
    restore(home.library, writer, home.library.trash.rows()["photo_id"].to_pylist())
    assert len(home.shown()) == 6


def test_a_scan_that_is_stopped_goes_on_where_it_was(home: Clouded):
    """However often it is stopped: each file is fetched once."""
    for patience in range(3, 40, 4):
        home.stop_after = patience
        home.scan()
    home.stop_after = None
    home.scan()

    fetched = [seen.path for seen in home.cloud.seen("GET") if seen.path.endswith(".jpg")]
    assert sorted(fetched) == sorted(home.fetched())
    assert len(home.shown()) == 6


def test_what_cannot_be_fetched_is_told_and_fetched_by_the_next_scan(home: Clouded):
    """One file that the server does not give leaves the others to come."""
    home.cloud.faults.always("broken", "GET", "2021/b.jpg")

    counts = home.scan()

    assert (counts["committed"], counts["failed"]) == (5, 1)
    (failure,) = home.library.errors.rows().to_pylist()
    assert (failure["stage"], failure["name"]) == ("download", "2021/b.jpg")
    home.cloud.faults.clear()
    home.scan()
    assert len(home.shown()) == 6


def test_another_account_of_the_same_user_gets_a_folder_of_its_own(home: Clouded, tmp_path: Path):
    """Files of the same names are others; those of the former account stay as they are, not missing."""
    home.scan()
    before = home.fetched()
    with StandIn(tmp_path / "other") as other:
        other.put("a.jpg", jpeg(30))
        home.cloud = other

        home.scan()

    shown = home.shown()
    assert len(shown) == 7
    assert not any(missing for _, _, missing in shown.values())
    assert before.items() <= home.fetched().items()
