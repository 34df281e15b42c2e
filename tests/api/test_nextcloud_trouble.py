"""What can go wrong with one's Nextcloud over HTTP: each has its sentence, and no password is tried twice."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from cluster.settings import NextcloudSettings
from tests.api.clouds import account, clouded, connect, told
from tests.api.world import World
from tests.nextcloud.server import StandIn


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


def test_a_new_key_before_the_old_one_lets_the_old_one_go_after_the_next_check(
    ann: httpx.Client, cloud: StandIn, home: World
) -> None:
    """Nobody has to enter anything."""
    connect(ann, cloud)
    key = home.settings.root / "keys" / "nextcloud"
    old, new = key.read_text(), f"{secrets.token_hex(32)}\n"
    for keys in (new + old, new):
        key.unlink()
        key.write_text(keys)
        key.chmod(0o400)
        assert told(ann.post("/api/nextcloud/check"))["state"] == "connected"

    key.chmod(0o600)
    key.write_text(old)
    key.chmod(0o400)
    assert told(ann.post("/api/nextcloud/check"))["state"] == "key_lost"


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
    ann, wrong = home.as_user("ann"), account(cloud, password="aaaaa-bbbbb-ccccc-ddddd-eeeee")
    with ThreadPoolExecutor(12) as pool:
        statuses = [
            answer.status_code for answer in pool.map(lambda _: ann.put("/api/nextcloud", json=wrong), range(12))
        ]

    attempts = home.settings.api.login_attempts
    assert sorted(statuses) == [403] * attempts + [429] * (12 - attempts)
    assert cloud.bad_logins == attempts
