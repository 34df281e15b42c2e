"""Connecting by consent in the browser: begun, waited for, granted, and what can go wrong between."""

from typing import Any

import httpx
import pytest

from tests.api.clouds import told
from tests.api.world import World
from tests.nextcloud.server import StandIn


def begin(client: httpx.Client, cloud: StandIn) -> Any:
    """Begin to wait for consent."""
    return told(client.post("/api/nextcloud/login", json={"server": cloud.url}))


def asked(client: httpx.Client, begun: Any, status: int = 200) -> Any:
    """Whether it was granted."""
    return told(client.get(f"/api/nextcloud/login/{begun['login_id']}"), status)


def test_consent_connects_and_no_password_is_told(ann: httpx.Client, cloud: StandIn) -> None:
    """The page is the server's own; it is over once it is granted."""
    begun = begin(ann, cloud)
    assert begun["url"].startswith(f"{cloud.url}/")
    assert (begun["granted"], begun["expires_in_s"]) == (False, 1200)
    assert asked(ann, begun)["granted"] is False

    password = cloud.grant(begun["url"])
    granted = asked(ann, begun)

    assert (granted["granted"], granted["nextcloud"]["state"], granted["nextcloud"]["login"]) == (
        True,
        "connected",
        "ann",
    )
    assert granted["nextcloud"]["app_password"] is True
    assert password not in str(granted)
    assert [one["path"] for one in told(ann.get("/api/nextcloud/folders"))["folders"]] == ["Notes", "Photos"]
    asked(ann, begun, 404)


def test_nobody_else_can_ask_for_it(ann: httpx.Client, cloud: StandIn, home: World) -> None:
    """Also who knows its id."""
    begun = begin(ann, cloud)
    cloud.grant(begun["url"])

    asked(home.as_user("ben"), begun, 404)
    asked(home.as_user("root"), begun, 404)
    asked(ann, {"login_id": "0" * 32}, 404)
    assert asked(ann, begun)["granted"] is True


def test_a_new_login_takes_the_place_of_the_one_before(ann: httpx.Client, cloud: StandIn) -> None:
    """There is one at a time."""
    first, second = begin(ann, cloud), begin(ann, cloud)
    cloud.grant(second["url"])

    asked(ann, first, 404)
    assert asked(ann, second)["granted"] is True


def test_disconnecting_ends_what_is_waited_for(ann: httpx.Client, cloud: StandIn) -> None:
    """Who disconnects does not want to be connected a minute later."""
    told(ann.put("/api/nextcloud", json={"server": cloud.url, "login": "ann", "password": cloud.password}))
    begun = begin(ann, cloud)
    cloud.grant(begun["url"])
    told(ann.delete("/api/nextcloud", params={"keep": True}))

    asked(ann, begun, 404)
    assert told(ann.get("/api/nextcloud"))["state"] == "none"


@pytest.mark.parametrize("away", [False, True])
def test_what_was_granted_is_taken_back_when_it_is_disconnected(ann: httpx.Client, cloud: StandIn, away: bool) -> None:
    """As far as the server can be told; an app password that somebody typed may be others' too, and stays."""
    typed = {"server": cloud.url, "login": "ann", "password": cloud.app_password()}
    told(ann.put("/api/nextcloud", json=typed))
    assert told(ann.delete("/api/nextcloud", params={"keep": True}))["revoked"] is False
    assert cloud.account().accepts(typed["password"])

    begun = begin(ann, cloud)
    password = cloud.grant(begun["url"])
    asked(ann, begun)
    if away:
        cloud.faults.always("broken")
    assert told(ann.delete("/api/nextcloud", params={"keep": True}))["revoked"] is not away
    cloud.faults.clear()

    assert cloud.account().accepts(password) is away
    assert told(ann.get("/api/nextcloud"))["state"] == "none"


def test_a_grant_survives_a_server_that_goes_away_for_a_moment(ann: httpx.Client, cloud: StandIn) -> None:
    """It tells the password once only."""
    begun = begin(ann, cloud)
    cloud.grant(begun["url"])
    cloud.maintain()
    said = ann.get(f"/api/nextcloud/login/{begun['login_id']}")
    assert said.status_code == 503
    cloud.maintain(False)

    assert asked(ann, begun)["nextcloud"]["state"] == "connected"


def test_consent_of_another_account_does_not_replace_the_one_that_is_connected(
    ann: httpx.Client, cloud: StandIn, home: World
) -> None:
    """Nor does one on another server begin."""
    told(ann.put("/api/nextcloud", json={"server": cloud.url, "login": "ann", "password": cloud.password}))
    begun = begin(ann, cloud)
    cloud.grant(begun["url"], "bob")
    assert "Disconnect first" in asked(ann, begun, 409)["detail"]
    asked(ann, begun, 404)

    other = {"server": cloud.url.replace("127.0.0.1", "localhost")}
    assert "Disconnect first" in told(ann.post("/api/nextcloud/login", json=other), 409)["detail"]
    assert told(ann.get("/api/nextcloud"))["login"] == "ann"


def test_a_server_that_is_not_talked_to_is_not_asked(ann: httpx.Client) -> None:
    """The same guard as for passwords."""
    for server in ("https://10.0.0.1", "http://127.0.0.1", "https://169.254.169.254", "javascript:alert(1)"):
        told(ann.post("/api/nextcloud/login", json={"server": server}), 400)


@pytest.mark.parametrize("name", ["%00", "x" * 3000, "' OR 1=1 --"])
def test_ids_that_are_none_are_not_found(ann: httpx.Client, name: str) -> None:
    """Whatever they look like."""
    assert ann.get(f"/api/nextcloud/login/{name}").status_code in (400, 404, 405)
