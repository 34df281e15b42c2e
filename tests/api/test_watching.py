"""Scans that nobody asks for, with real files: what starts one, what does not, and what waits."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from api.watching import Patience, Watch, Watching
from batch.watching import FolderWatch, Unwatchable
from cluster.settings import ScanSettings, Settings
from tests.api.scanned_home import Home

QUICK = Patience(quiet_s=0.4, longest_s=3, anew_s=0.1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user with an empty folder."""
    return Home(tmp_path)


@pytest.fixture
def watch(home: Home) -> Iterator[Watch]:
    """The folder, watched, after the scan that looks for what nobody saw."""
    one = Watch(home.settings.scan, home.jobs, home.owner, home.folder, QUICK)
    until(one, lambda: len(home.scans()) == 1)
    home.end()
    yield one
    one.close()


def until(watch: Watch, happens: Callable[[], bool]) -> None:
    """Look until something happens."""
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        watch.look(0.05)


def looked(watch: Watch, for_s: float = 1.0) -> None:
    """Look for a while, longer than a burst is waited for."""
    deadline = time.monotonic() + for_s
    while time.monotonic() < deadline:
        watch.look(0.05)


def test_what_came_while_nobody_watched_is_scanned_for_once(home: Home, watch: Watch):
    """When the watch begins; then nothing happens as long as nothing changes."""
    looked(watch)

    (job,) = home.scans()
    assert (job.by, job.arguments, watch.polled) == ("watch", {}, "")


def test_a_burst_of_two_hundred_files_starts_one_scan(home: Home, watch: Watch):
    """After it, not at its beginning."""
    for number in range(200):
        home.photo(f"{number}.jpg")
        if number % 10 == 0:
            watch.look(0.01)
    assert len(home.scans()) == 1

    until(watch, lambda: len(home.scans()) == 2)
    home.end()
    looked(watch)

    assert len(home.scans()) == 2


def test_changes_that_do_not_end_are_not_waited_for_for_ever(home: Home, watch: Watch):
    """Somebody copies all day."""

    def copied() -> bool:
        home.photo()
        return len(home.scans()) == 2

    began = time.monotonic()
    until(watch, copied)
    assert time.monotonic() - began >= QUICK.longest_s / 2


def test_a_change_during_a_scan_starts_one_more_afterwards(home: Home, watch: Watch):
    """One, however many changes; and none while it runs."""
    home.photo()
    until(watch, lambda: len(home.scans()) == 2)
    for name in ("b.jpg", "c.jpg"):
        home.photo(name)
        looked(watch, 0.6)
    assert len(home.scans()) == 2

    home.end()
    until(watch, lambda: len(home.scans()) == 3)
    home.end()
    looked(watch)

    assert len(home.scans()) == 3


def test_changes_that_go_on_during_a_scan_do_not_ask_for_the_next_one_without_a_pause(home: Home):
    """Each of them wakes the watch; the store is asked once a second."""
    now, asked = [0.0], list[float]()

    class Busy(Watch):
        """One whose scans are all under way."""

        def wait(self, within_s: float) -> bool:
            """Something changes fifty times a second."""
            now[0] += 0.02
            return True

        def started(self) -> bool:
            """No scan can start."""
            asked.append(now[0])
            return False

    busy = Busy(home.settings.scan, home.jobs, home.owner, home.folder, Patience(longest_s=10), lambda: now[0])
    for _ in range(1000):
        busy.look(0.5)

    assert 5 < len(asked) < 12


def test_a_scan_that_waits_for_its_turn_will_see_the_change(home: Home, watch: Watch):
    """It is the same job."""
    busy = home.jobs.start(home.system.users.create("ben", "hash", scan_directory="/tmp").user_id, "scan", {})
    home.photo()
    until(watch, lambda: len(home.scans()) == 2)
    home.photo("b.jpg")
    looked(watch)
    assert [job.state for job in home.scans()] == ["queued", "done"]

    home.system.jobs.finish(busy.job_id, busy.attempt, "done")
    home.jobs.dispatch()
    home.end()
    looked(watch)
    assert len(home.scans()) == 2


def test_a_scan_that_somebody_paused_stays_so(home: Home, watch: Watch):
    """And the change is scanned for when it is over."""
    home.photo()
    until(watch, lambda: len(home.scans()) == 2)
    (paused,) = home.system.jobs.list(states=["running"])
    home.jobs.pause(paused.job_id)
    home.system.jobs.pause(paused.job_id, paused.attempt)
    home.photo("b.jpg")
    looked(watch)
    assert home.scans()[0].state == "paused"

    home.jobs.cancel(paused.job_id)
    until(watch, lambda: len(home.scans()) == 3)


def test_a_scan_of_named_files_is_followed_by_one_of_all(home: Home, watch: Watch):
    """It does not see the change, whether it runs or waits."""
    home.jobs.start(home.system.users.create("ben", "hash", scan_directory="/tmp").user_id, "scan", {})
    named = home.jobs.start(home.owner, "scan", {"paths": ["x.jpg"]})
    assert named.state == "queued"
    home.photo()
    looked(watch)
    assert len(home.scans()) == 2

    home.jobs.cancel(named.job_id)
    until(watch, lambda: len(home.scans()) == 3)
    assert home.scans()[0].arguments == {}


def test_a_scan_of_named_files_whose_process_is_gone_holds_no_change_up(home: Home, watch: Watch):
    """It goes on by itself, and one of all follows it."""
    named = home.jobs.start(home.owner, "scan", {"paths": ["x.jpg"]})
    home.system.jobs.interrupt(home.system.jobs.get(named.job_id))
    home.photo()

    until(watch, lambda: home.scans()[0].state == "running")
    assert len(home.scans()) == 2
    home.end()

    until(watch, lambda: len(home.scans()) == 3)
    assert home.scans()[0].arguments == {}


def test_a_folder_that_comes_and_goes_is_watched_again(home: Home, watch: Watch):
    """As a disk that is unplugged; nothing is scanned while it is away, and all of it once when it is back."""
    home.folder.rename(home.folder.parent / "away")
    looked(watch)
    assert len(home.scans()) == 1
    (home.folder.parent / "away" / "b.jpg").write_bytes(b"1")
    (home.folder.parent / "away").rename(home.folder)

    until(watch, lambda: len(home.scans()) == 2)
    home.end()
    home.photo()
    until(watch, lambda: len(home.scans()) == 3)


def test_a_folder_that_goes_before_its_scan_starts_is_let_be(home: Home, watch: Watch):
    """Nobody is told again and again that it is away."""
    home.photo()
    assert watch.wait(5)
    watch.note()
    home.folder.rename(home.folder.parent / "away")

    looked(watch)

    assert (len(home.scans()), watch.first) == (1, None)


def test_a_folder_that_cannot_be_watched_is_scanned_every_so_often(home: Home, caplog: pytest.LogCaptureFixture):
    """By a clock that a test turns; why is said once. When it can be watched again, it is."""
    now, share = [0.0], [True]

    def opening(folder: Path, skip: Sequence[str]) -> FolderWatch:
        if share[0]:
            raise Unwatchable("it is on nfs4")
        return FolderWatch(folder, skip)

    settings = ScanSettings(watch="auto", poll_s=600)
    watch = Watch(settings, home.jobs, home.owner, home.folder, QUICK, lambda: now[0], opening)
    found = []
    for passed in (0, 1, 598, 1, 1, 600, 1):
        now[0] += passed
        watch.look(0)
        home.end()
        found.append(len(home.scans()))
    assert found == [0, 1, 1, 1, 2, 2, 3]
    assert [record.getMessage() for record in caplog.records].count(
        f"the folder of {home.owner} is scanned every 600 s: it is on nfs4"
    ) == 1

    share[0] = False
    now[0] += 600
    watch.look(0)
    assert watch.watch
    watch.close()


def test_every_owner_is_looked_after_while_the_process_stays(home: Home):
    """Also those who come later or get another folder; at the end no thread is left."""
    watching = Watching(home.settings, home.system, home.jobs, QUICK)
    watching.look()
    assert watching.owners == {}  # a command that ends soon

    watching.stays = True
    watching.look()
    waits(lambda: [job.state for job in home.scans()] == ["running"])
    other = home.folder.parent / "other"
    other.mkdir()
    home.system.users.set_scan_directory(home.owner, str(other))
    before = watching.owners[home.owner].thread
    watching.look()
    home.end()
    waits(lambda: len(home.scans()) == 2 and not before.is_alive())
    after = watching.owners[home.owner].thread

    watching.end()

    assert not after.is_alive()
    watching.look()
    assert watching.owners == {}


def test_nobody_is_looked_after_where_it_is_off(home: Home):
    """As it is by default."""
    watching = Watching(Settings(root=home.settings.root), home.system, home.jobs, QUICK)
    watching.stays = True

    watching.look()

    assert watching.owners == {}


def waits(happens: Callable[[], bool]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
