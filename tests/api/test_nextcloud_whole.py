"""A new user and their Nextcloud by HTTP alone: connect, browse, choose, scan; a real server, jobs, photos."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.http_server import serving
from api.passwords import Passwords
from api.up import Brightroom
from cluster.settings import NextcloudSettings
from cluster.store.database import open_library
from tests.nextcloud.server import StandIn
from tests.sample_library import write_sample_library

PASSWORD = "a long enough password"
ALLOWED = NextcloudSettings(allowed_networks=["127.0.0.1"], plain_http=True, least_free_gb=0)


class User:
    """Somebody at the API, and what is in their Nextcloud."""

    def __init__(self, brightroom: Brightroom, client: httpx.Client, user_id: str, cloud: StandIn) -> None:
        self.brightroom, self.client, self.user_id, self.cloud = brightroom, client, user_id, cloud

    def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """What is answered."""
        answer = self.client.request(method, path, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def scan(self) -> dict[str, Any]:
        """Scan the Nextcloud, to the end."""
        return self.ended(self.ask("POST", "/api/library/actions/scan-nextcloud", 202)["job_id"])

    def ended(self, job_id: str, timeout_s: float = 280) -> dict[str, Any]:
        """A job once it rests."""
        deadline = time.monotonic() + timeout_s
        while (job := self.ask("GET", f"/api/jobs/{job_id}"))["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, job
            time.sleep(0.3)
        return dict(job)

    def photos(self) -> dict[str, tuple[str, bool, int]]:
        """All photos: what they are of, whether missing, how many files."""
        rows = open_library(self.brightroom.settings, self.user_id).photos.rows().to_pylist()
        return {row["name"]: (row["content_id"], row["missing"], row["variants"]) for row in rows}

    def downloads(self) -> list[str]:
        """The files that were fetched since the log was emptied."""
        return sorted({seen.path for seen in self.cloud.seen("GET") if seen.path.startswith("Photos/")})


@pytest.fixture(scope="module")
def anybody(brightroom: Brightroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A new user, whose Nextcloud holds the sample library; its address is one that an administrator allows."""
    root = tmp_path_factory.mktemp("cloud")
    with pytest.MonkeyPatch.context() as patch:  # jobs read their settings from the environment
        patch.setenv("BRIGHTROOM_NEXTCLOUD__ALLOWED_NETWORKS", '["127.0.0.1"]')
        patch.setenv("BRIGHTROOM_NEXTCLOUD__PLAIN_HTTP", "true")
        patch.setenv("BRIGHTROOM_NEXTCLOUD__LEAST_FREE_GB", "0")
        whole = Brightroom(brightroom.settings.model_copy(update={"nextcloud": ALLOWED}), lambda said: None)
        user = whole.system.users.create("cloudy", Passwords().hash(PASSWORD))
        with (
            StandIn(root, tls=False) as cloud,
            serving(whole.application(), "127.0.0.1", 0) as server,
            httpx.Client(base_url=server.url, timeout=60) as client,
        ):
            write_sample_library(cloud.folder / "Photos")
            login = {"name": "cloudy", "password": PASSWORD, "bearer": True}
            token = client.post("/api/auth/login", json=login).json()["token"]
            client.headers["authorization"] = f"Bearer {token}"
            yield User(whole, client, user.user_id, cloud)


@pytest.mark.timeout(900)  # four scans and one of a folder, on a machine that may be busy
def test_photos_from_a_nextcloud_are_those_of_a_disk(anybody: User, household: Any):
    """Set up, browse, choose, scan: the same photos, variants and videos as from a folder; then nothing is transferred.

    Of one changed, one moved and one deleted file exactly those are seen.
    """
    me, cloud = anybody, anybody.cloud
    assert me.ask("GET", "/api/nextcloud")["state"] == "none"
    account = {"server": cloud.url, "login": cloud.user, "password": cloud.app_password()}
    assert me.ask("PUT", "/api/nextcloud", json=account)["state"] == "connected"
    assert [folder["path"] for folder in me.ask("GET", "/api/nextcloud/folders")["folders"]] == ["Photos"]
    assert me.ask("PATCH", "/api/nextcloud", json={"folders": ["Photos"]})["folders"] == ["Photos"]
    plan = me.ask("POST", "/api/library/actions/scan-nextcloud?dry_run=true")
    assert plan["counts"]["new"] > 100

    job = me.scan()

    assert (job["state"], job["error"]) == ("done", "")
    home = household()
    write_sample_library(home.folder / "Photos")
    home.scan()
    on_disk = {row["name"]: (row["content_id"], row["missing"], row["variants"])
               for row in home.library.photos.rows().to_pylist()}  # fmt: skip
    on_disk = {name: found for name, found in on_disk.items() if "caf" not in name}  # not UTF-8: no Nextcloud has it
    assert sorted(me.photos().values()) == sorted(on_disk.values())

    cloud.forget()
    again = me.scan()
    assert me.downloads() == []
    assert again["counts"]["committed"] == 0

    before = me.photos()
    first, second, third = sorted(name for name in before if name.endswith(".jpg"))[:3]
    cloud.put(first, (cloud.folder / first).read_bytes() + b"\0")
    cloud.move(second, "Photos/moved here.jpg")
    cloud.delete(third)
    cloud.forget()
    last = me.scan()
    assert me.downloads() == [first]
    after = me.photos()
    assert {name for name in after if after[name] != before.get(name)} == {first, "Photos/moved here.jpg", third}
    assert after["Photos/moved here.jpg"][0] == before[second][0]
    assert after[third][1]
    assert last["counts"]["moved"] == 1
