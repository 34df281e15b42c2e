"""Originals that are not kept: sent from the owner's Nextcloud, whole and in part, in the version that was scanned."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from lancedb.expr import col, lit

from batch.mirror import account_of, mirror_of
from batch.unused import forget_unused
from cluster.store.files import NEXTCLOUD
from cluster.store.files import SCHEMA as FILES
from cluster.store.paths import file_id
from cluster.store.remotes import SCHEMA, remote_id
from cluster.store.schema import rows_of
from cluster.store.users import id_of
from cluster.store.writer import Writer
from tests.api.clouds import clouded, connect
from tests.api.world import NOON, World
from tests.nextcloud.server import StandIn

DATA = os.urandom(300_000)
LOCAL = b"Photos/a.jpg"


class Home:
    """Ann, connected, with one photo whose original is on the server only."""

    def __init__(self, world: World, cloud: StandIn) -> None:
        self.world, self.cloud, self.client = world, cloud, world.as_user("ann")
        connect(self.client, cloud)
        self.user = world.system.users.get(id_of("ann"))
        self.library = world.library("ann")
        self.photo_id = world.photo("ann", "a.jpg")
        self.account = account_of(self.library, world.system.sources.get(self.user.user_id)).mark
        self.note()

    def note(self, **other: object) -> None:
        """The rows as a scan leaves them."""
        etag = f'"{self.cloud.tree().etag_of("Photos/a.jpg")}"'
        remote = {
            "remote_id": remote_id(self.account, "Photos/a.jpg"), "account": self.account, "path": "Photos/a.jpg",
            "etag": etag, "fetched": etag, "size": len(DATA), "local": LOCAL, **other,
        }  # fmt: skip
        self.library.remotes.upsert(rows_of([remote], SCHEMA))
        file = {
            "file_id": file_id(NEXTCLOUD, LOCAL), "source": NEXTCLOUD, "path": LOCAL, "name": "Photos/a.jpg",
            "photo_id": self.photo_id, "kind": "image", "state": "ok", "seen_at": NOON,
        }  # fmt: skip
        self.library.files.upsert(rows_of([file], FILES))

    def unmarked(self) -> str:
        """The version of the file, where a server has no etags."""
        served = self.cloud.folder / "Photos/a.jpg"
        return f"{served.stat().st_size}/{float(int(served.stat().st_mtime))}"

    def original(self, **headers: str) -> httpx.Response:
        """Ask for it."""
        where = f"/api/photos/{self.photo_id}/original?file_id={file_id(NEXTCLOUD, LOCAL)}"
        return self.client.get(where, headers={name.replace("_", "-"): text for name, text in headers.items()})


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Ann and a server with one file."""
    with StandIn(tmp_path / "cloud") as cloud:
        cloud.put("Photos/a.jpg", DATA)
        with clouded(tmp_path / "world", cloud.trust()) as world:
            yield Home(world, cloud)


def test_an_original_comes_from_the_server_whole_and_in_part(home: Home):
    """With its name and type, its length, and ranges as for files that are here."""
    whole, part, end = home.original(), home.original(range="bytes=1000-1999"), home.original(range="bytes=-10")

    assert (whole.status_code, whole.content) == (200, DATA)
    assert whole.headers["content-type"] == "image/jpeg"
    assert (part.status_code, part.content) == (206, DATA[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(DATA)}"
    assert (end.status_code, end.content) == (206, DATA[-10:])
    assert home.original(range=f"bytes={len(DATA)}-").status_code == 416
    assert home.original(if_none_match=whole.headers["etag"]).status_code == 304


def test_a_server_without_etags_is_asked_whether_the_file_is_still_the_same(home: Home):
    """Size and time are the version then; another one is refused as any other."""
    home.note(etag=home.unmarked(), fetched=home.unmarked())
    assert home.original(range="bytes=5-9").content == DATA[5:10]
    home.cloud.touch("Photos/a.jpg", mtime=1.0)

    assert home.original().status_code == 409


def test_an_answer_without_a_byte_is_told_as_such(home: Home):
    """The request neither hangs nor ends in a photo of no bytes."""
    home.cloud.put("Photos/a.jpg", b"")
    home.note()

    answer = home.original()

    assert answer.status_code == 503
    assert "sends nothing" in answer.json()["detail"]


def test_originals_that_do_not_come_keep_nobody_else_waiting(home: Home):
    """More of them are asked for than there are threads for requests; another user is answered before they are."""
    home.cloud.faults.measures.stall_s = 60
    home.cloud.faults.always("stall", "GET", "Photos/a.jpg")
    other, over = home.world.as_user("ben"), threading.Event()
    other.get("/api/photos")

    def ask() -> None:
        with suppress(httpx.HTTPError):
            home.original()
        over.set()

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(60)]
    for thread in threads:
        thread.start()
    while not home.cloud.seen("GET", "Photos/a.jpg"):
        time.sleep(0.01)

    assert {other.get("/api/photos").status_code for _ in range(20)} == {200}
    assert not over.is_set()


def test_the_photo_tells_where_on_the_server_it_came_from(home: Home):
    """The path there, which may be another than its name here; nothing for a file of the folder."""
    variants = home.client.get(f"/api/photos/{home.photo_id}").json()["variants"]

    assert {one["origin"] for one in variants} == {"Photos/a.jpg", ""}


def test_a_file_that_is_another_by_now_is_told_as_such(home: Home):
    """Never bytes of a version that was not scanned; never a splice."""
    home.cloud.put("Photos/a.jpg", DATA[::-1])
    changed = home.original()
    home.cloud.delete("Photos/a.jpg")
    gone = home.original()

    assert (changed.status_code, gone.status_code) == (409, 404)
    assert "Scan again" in changed.json()["detail"]


def test_without_the_connection_it_is_not_there(home: Home):
    """The sentence says what to do. A file that was kept is sent from here."""
    assert home.client.delete("/api/nextcloud?keep=true").status_code == 200
    assert "Connect it again" in home.original().json()["detail"]

    kept = mirror_of(home.world.settings, "ann") / "Photos/a.jpg"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(DATA)

    assert home.original().content == DATA


def test_nobody_else_gets_it(home: Home):
    """Another user's request is like one for a photo that never was."""
    where = f"/api/photos/{home.photo_id}/original?file_id={file_id(NEXTCLOUD, LOCAL)}"

    assert home.world.as_user("ben").get(where).status_code == 404


def test_what_nothing_is_about_any_more_goes_after_its_time(home: Home):
    """While a file's row is there it stays, and then for so many days; other files stay."""
    mirror = mirror_of(home.world.settings, "ann")
    for name in ("Photos/a.jpg", "Photos/b.jpg"):
        (mirror / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / name).write_bytes(DATA)
    home.note(gone=True)
    writer = Writer(home.library, home.world.settings.store)

    def forget(days: int) -> int:
        return forget_unused(home.library, writer, mirror, timedelta(days=30), NOON + timedelta(days=days))

    assert [forget(0), forget(100)] == [0, 0]
    home.library.files.delete(col("source") == lit(NEXTCLOUD))
    assert [forget(100), forget(129)] == [0, 0]
    assert (mirror / "Photos/a.jpg").exists()
    assert forget(131) == 1
    assert sorted(path.name for path in mirror.rglob("*.jpg")) == ["b.jpg"]
    assert home.library.remotes.count() == 0
