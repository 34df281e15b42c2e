"""One's Nextcloud over HTTP: connecting, browsing, choosing and disconnecting, against a real server."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cluster.settings import NextcloudSettings
from cluster.store.jobs import Job
from tests.api.clouds import clouded, told
from tests.api.world import World, answering
from tests.nextcloud.server import StandIn


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[StandIn]:
    """A server with a few files and a second user."""
    with StandIn(tmp_path / "cloud") as made:
        made.add("bob")
        for path in ("Photos/a.jpg", "Photos/Trip/b.jpg", "Photos/Trip/c.jpg", "Notes/n.txt", "top.jpg"):
            made.put(path, path.encode())
        yield made
        assert made.mishaps == []


@pytest.fixture
def home(tmp_path: Path, cloud: StandIn) -> Iterator[World]:
    """A world that may connect to it."""
    with clouded(tmp_path / "world", cloud.trust()) as made:
        yield made


@pytest.fixture
def ann(home: World) -> httpx.Client:
    """Ann, logged in."""
    return home.as_user("ann")


def account(cloud: StandIn, **other: str) -> dict[str, str]:
    """What Ann enters."""
    return {"server": cloud.url, "login": cloud.user, "password": cloud.app_password(), **other}


def connect(client: httpx.Client, cloud: StandIn, **other: str) -> Any:
    """Connect, and what is answered."""
    return told(client.put("/api/nextcloud", json=account(cloud, **other)))


def test_who_has_none_is_told_so(ann: httpx.Client) -> None:
    """And nothing can be asked of it."""
    assert told(ann.get("/api/nextcloud"))["state"] == "none"
    for answer in (
        ann.get("/api/nextcloud/folders"),
        ann.post("/api/nextcloud/check"),
        ann.patch("/api/nextcloud", json={}),
    ):
        assert "connect first" in told(answer, 404)["detail"]
    assert told(ann.delete("/api/nextcloud", params={"keep": True}), 404)


def test_an_account_that_works_is_kept_and_told_without_its_password(ann: httpx.Client, cloud: StandIn) -> None:
    """What the server says of itself and of the account's room is told too."""
    cloud.limit(5_000_000)
    seen = connect(ann, cloud)

    assert {**seen, "free_here": 0} == {**told(ann.get("/api/nextcloud")), "free_here": 0}
    assert (seen["state"], seen["told"], seen["configured"]) == ("connected", "", True)
    assert (seen["server"], seen["login"], seen["app_password"], seen["advice"]) == (cloud.url, cloud.user, True, [])
    assert seen["version"]
    assert (seen["used"] > 0, seen["used"] + seen["free"], seen["free_here"] > 0) == (True, 5_000_000, True)
    assert not {"password", "sealed"} & set(seen)


def test_an_accounts_own_password_is_taken_with_advice_to_make_an_app_password(
    ann: httpx.Client, cloud: StandIn
) -> None:
    """Which goes when one is entered."""
    [advice] = connect(ann, cloud, password=cloud.password)["advice"]
    assert "Make an app password" in advice

    assert connect(ann, cloud)["advice"] == []


def test_each_way_not_to_work_has_its_own_sentence_and_nothing_is_kept(
    ann: httpx.Client, cloud: StandIn, home: World
) -> None:
    """Wrong password, no Nextcloud, nobody there, maintenance, an address that is forbidden, a name that is none."""
    wrong = account(cloud, password="aaaaa-bbbbb-ccccc-ddddd-eeeee")
    assert "app password" in told(ann.put("/api/nextcloud", json=wrong), 403)["detail"]
    assert cloud.bad_logins == 1

    nobody = account(cloud, server="https://127.0.0.1:9")
    assert "Nobody answers" in told(ann.put("/api/nextcloud", json=nobody), 503)["detail"]
    private = account(cloud, server="https://192.168.7.7")
    assert "nextcloud.allowed_networks" in told(ann.put("/api/nextcloud", json=private), 400)["detail"]
    assert told(ann.get("/api/nextcloud"))["state"] == "none"

    ben = home.as_user("ben")
    cloud.maintain()
    assert "maintenance" in told(ben.put("/api/nextcloud", json=account(cloud)), 503)["detail"]
    cloud.maintain(False)
    plain = account(cloud, server=cloud.url.replace("https", "http"))
    assert "https://" in told(ben.put("/api/nextcloud", json=plain), 400)["detail"]
    ourselves = account(cloud, server=home.http.url.replace("http:", "https:"))
    assert told(ben.put("/api/nextcloud", json=ourselves), 503)
    assert home.system.sources.all() == []


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"server": "https://x", "login": "a"}, {"server": "", "login": "a", "password": "b"},
        {"server": "https://x", "login": "a" * 257, "password": "b"},
        {"server": "https://x", "login": "a", "password": "b" * 1025},
        {"server": "https://x", "login": "a", "password": ""}, {"server": 1, "login": "a", "password": "b"},
        {"server": "https://x", "login": "a", "password": "b", "user_id": "ben"},
        {"server": "https://u:p@127.0.0.1", "login": "a", "password": "b"},
        {"server": "file:///etc/passwd", "login": "a", "password": "b"},
        {"server": "https://127.0.0.1", "login": "a:b", "password": "b"},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_before_any_server_is_asked(
    ann: httpx.Client, cloud: StandIn, body: Any
) -> None:
    """400, and nothing was seen by any."""
    told(ann.put("/api/nextcloud", json=body), 400)

    assert cloud.log == []


def test_after_some_failures_one_has_to_wait(ann: httpx.Client, cloud: StandIn, home: World) -> None:
    """So that nobody looks for machines or passwords through us, not even with one account that works."""
    nobody = account(cloud, server="https://127.0.0.1:9")
    connect(ann, cloud)
    for number in range(home.settings.api.login_attempts):
        assert ann.put("/api/nextcloud", json={**nobody, "login": cloud.user}).status_code in (409, 503), number
        home.clock.advance(seconds=1)

    waiting = ann.put("/api/nextcloud", json=account(cloud))
    assert int(waiting.headers["retry-after"]) > 0
    told(waiting, 429)
    told(ann.post("/api/nextcloud/login", json={"server": cloud.url}), 429)
    assert told(
        home.as_user("ben").put("/api/nextcloud", json=account(cloud, login="bob", password=cloud.app_password("bob")))
    )
    home.clock.advance(minutes=20)
    assert connect(ann, cloud)["state"] == "connected"


def test_folders_are_looked_into_one_at_a_time(ann: httpx.Client, cloud: StandIn) -> None:
    """With counts, and which are chosen."""
    connect(ann, cloud)
    top = told(ann.get("/api/nextcloud/folders"))
    assert [(one["path"], one["name"], one["count"], one["chosen"]) for one in top["folders"]] == [
        ("Notes", "Notes", 1, False), ("Photos", "Photos", 2, False),
    ]  # fmt: skip
    assert (top["files"], top["more"], top["refused"]) == (1, False, 0)

    told(ann.patch("/api/nextcloud", json={"folders": ["/Photos/"]}))
    photos = told(ann.get("/api/nextcloud/folders", params={"path": "Photos"}))
    assert [(one["path"], one["chosen"]) for one in photos["folders"]] == [("Photos/Trip", True)]
    assert photos["files"] == 1
    assert told(ann.get("/api/nextcloud/folders", params={"path": "gone"}), 404)
    assert told(ann.get("/api/nextcloud"))["state"] == "connected"


@pytest.mark.parametrize("path", ["..", "Photos/../..", "a//b", "./a", "a\0b"])
def test_paths_that_lead_elsewhere_are_refused(ann: httpx.Client, cloud: StandIn, path: str) -> None:
    """To look into, and to choose."""
    connect(ann, cloud)
    cloud.forget()

    told(ann.get("/api/nextcloud/folders", params={"path": path}), 400)
    told(ann.patch("/api/nextcloud", json={"folders": [path]}), 400)
    assert cloud.log == []


def test_what_is_chosen_is_kept_and_what_is_left_out_stays(ann: httpx.Client, cloud: StandIn) -> None:
    """Also through a new password; null leaves originals to the settings again."""
    connect(ann, cloud)
    told(
        ann.patch("/api/nextcloud", json={"folders": ["Photos", "", "Photos"], "excludes": ["*.raw", "tmp*", "*.raw"]})
    )
    told(ann.patch("/api/nextcloud", json={"keep_originals": False}))

    seen = connect(ann, cloud)
    assert (seen["folders"], seen["excludes"], seen["keep_originals"]) == (["", "Photos"], ["*.raw", "tmp*"], False)
    assert told(ann.patch("/api/nextcloud", json={"keep_originals": None}))["keep_originals"] is True
    for body in (
        {"folders": [1]},
        {"folders": ["x"] * 1001},
        {"excludes": [""]},
        {"server": "https://y"},
        {"state": "x"},
    ):
        told(ann.patch("/api/nextcloud", json=body), 400)


def test_a_password_that_was_taken_back_shows_and_is_tried_once(ann: httpx.Client, cloud: StandIn) -> None:
    """Whoever asks meanwhile; a new one mends it."""
    entered = account(cloud)
    told(ann.put("/api/nextcloud", json=entered))
    assert cloud.revoke(entered["password"])

    seen = told(ann.post("/api/nextcloud/check"))
    assert (seen["state"], "app password" in seen["told"], seen["configured"]) == ("refused", True, True)
    for _ in range(3):
        told(ann.post("/api/nextcloud/check"))
        assert "app password" in told(ann.get("/api/nextcloud/folders"), 403)["detail"]
    assert cloud.bad_logins == 1

    assert connect(ann, cloud)["state"] == "connected"
    assert told(ann.get("/api/nextcloud/folders"))


def test_a_server_that_is_away_shows_and_comes_back(ann: httpx.Client, cloud: StandIn) -> None:
    """Maintenance has a state of its own."""
    connect(ann, cloud)
    cloud.maintain()
    assert told(ann.post("/api/nextcloud/check"))["state"] == "maintenance"
    cloud.maintain(False)
    assert told(ann.post("/api/nextcloud/check"))["state"] == "connected"
    cloud.close()
    seen = told(ann.post("/api/nextcloud/check"))
    assert (seen["state"], "later" in seen["told"]) == ("unreachable", True)
    assert told(ann.get("/api/nextcloud/folders"), 503)


def test_a_lost_key_means_to_enter_the_password_again(ann: httpx.Client, cloud: StandIn, home: World) -> None:
    """And no crash."""
    connect(ann, cloud)
    (home.settings.root / "keys" / "nextcloud").unlink()
    cloud.forget()

    assert "enter the password again" in told(ann.get("/api/nextcloud/folders"), 409)["detail"]
    seen = told(ann.post("/api/nextcloud/check"))
    assert (seen["state"], "enter the password again" in seen["told"]) == ("key_lost", True)
    assert cloud.log == []
    assert connect(ann, cloud)["state"] == "connected"


def test_a_key_that_others_can_read_is_an_administrators_to_mend(
    ann: httpx.Client, cloud: StandIn, home: World
) -> None:
    """No password is tried that could not be kept."""
    connect(ann, cloud)
    key = home.settings.root / "keys" / "nextcloud"
    key.chmod(0o644)
    cloud.forget()

    assert "chmod 400" in told(ann.put("/api/nextcloud", json=account(cloud)), 503)["detail"]
    assert told(ann.post("/api/nextcloud/check"))["state"] == "unreachable"
    assert cloud.log == []
    key.chmod(0o400)
    assert told(ann.post("/api/nextcloud/check"))["state"] == "connected"


def test_a_second_account_has_to_wait_until_the_first_is_gone(ann: httpx.Client, cloud: StandIn) -> None:
    """Its photos would seem to have vanished."""
    connect(ann, cloud)
    other = account(cloud, login="bob", password=cloud.app_password("bob"))
    assert "Disconnect first" in told(ann.put("/api/nextcloud", json=other), 409)["detail"]

    told(ann.delete("/api/nextcloud", params={"keep": True}))
    assert told(ann.put("/api/nextcloud", json=other))["login"] == "bob"


def test_disconnecting_asks_whether_the_photos_stay(ann: httpx.Client, cloud: StandIn, home: World) -> None:
    """And cancels a scan that is under way; nothing of the connection is left."""
    connect(ann, cloud)
    scan = home.system.jobs.create(home.users["ann"].user_id, "scan-nextcloud", {})
    assert "keep=true" in told(ann.delete("/api/nextcloud"), 400)["detail"]
    assert told(ann.get("/api/nextcloud"))["last_scan"]["job_id"] == scan.job_id
    assert "keep=true" in told(ann.delete("/api/nextcloud", params={"keep": False}), 409)["detail"]
    assert home.system.jobs.get(scan.job_id).state == "queued"

    assert told(ann.delete("/api/nextcloud", params={"keep": True})) == {"job": None}

    assert home.system.jobs.get(scan.job_id).state == "cancelled"
    assert told(ann.get("/api/nextcloud"))["state"] == "none"
    assert home.system.sources.all() == []


def test_photos_that_are_not_to_stay_go_before_the_connection_does(tmp_path: Path, cloud: StandIn) -> None:
    """By a job, which is told."""
    with clouded(tmp_path / "removing", cloud.trust()) as world:

        def remove(user_id: str) -> Job:
            assert world.system.sources.find(user_id)
            return world.system.jobs.create(user_id, "forget-nextcloud", {})

        world.deps = dataclasses.replace(world.deps, remove_nextcloud_photos=remove)
        with answering(world):
            ann = world.as_user("ann")
            connect(ann, cloud)
            job = told(ann.delete("/api/nextcloud", params={"keep": False}))["job"]

            assert job["action"] == "forget-nextcloud"
            assert told(ann.get("/api/nextcloud"))["state"] == "none"


def test_everybody_has_their_own_and_administrators_see_nobody_elses(
    ann: httpx.Client, cloud: StandIn, home: World
) -> None:
    """No address leads to another's."""
    connect(ann, cloud)
    for other in ("ben", "root"):
        client = home.as_user(other)
        assert told(client.get("/api/nextcloud"))["state"] == "none"
        told(client.get("/api/nextcloud/folders"), 404)
        told(client.delete("/api/nextcloud", params={"keep": True}), 404)
        told(client.patch("/api/nextcloud", json={"folders": [""]}), 404)
    assert told(ann.get("/api/nextcloud"))["folders"] == []


def test_a_page_of_another_site_connects_nobody(home: World, cloud: StandIn) -> None:
    """As with every request that changes something."""
    client = home.client(None, Cookie=f"brightroom_session={home.token('ann')}", Origin="https://elsewhere")

    told(client.put("/api/nextcloud", json=account(cloud)), 403)
    told(client.delete("/api/nextcloud", params={"keep": False}), 403)
    assert cloud.log == []


@pytest.mark.parametrize("port", [9, None])
def test_of_a_forbidden_address_nobody_learns_whether_somebody_is_there(
    tmp_path: Path, cloud: StandIn, port: int | None
) -> None:
    """A port on which nobody listens, and one on which somebody does, are answered alike, and neither is touched."""
    with clouded(tmp_path / "strict", cloud.trust(), NextcloudSettings()) as world:
        answer = world.as_user("ann").put(
            "/api/nextcloud", json=account(cloud, server=f"https://127.0.0.1:{port or cloud.port}")
        )
        assert told(answer, 400)["detail"] == (
            "127.0.0.1 is in a network that Brightroom does not talk to. If it is meant, ask an administrator "
            "to allow it in nextcloud.allowed_networks."
        )
        assert cloud.log == []


def test_many_requests_at_once_try_a_wrong_password_one_after_the_other(home: World, cloud: StandIn) -> None:
    """So that the wait after some failures holds for them too."""
    from concurrent.futures import ThreadPoolExecutor

    ann, wrong = home.as_user("ann"), account(cloud, password="aaaaa-bbbbb-ccccc-ddddd-eeeee")
    with ThreadPoolExecutor(12) as pool:
        statuses = [
            answer.status_code for answer in pool.map(lambda _: ann.put("/api/nextcloud", json=wrong), range(12))
        ]

    attempts = home.settings.api.login_attempts
    assert sorted(statuses) == [403] * attempts + [429] * (12 - attempts)
    assert cloud.bad_logins == attempts
