"""What a request passes before its route: hosts, addresses behind proxies, who sent it, and what it carries."""

import httpx
import pytest

from api.cookies import PLAIN
from api.gate import client_address, host_name, networks
from cluster.errors import SettingsError
from tests.api.world import PASSWORD, World

CHANGE = "/api/auth/logout"


def by_cookie(world: World, **headers: str) -> httpx.Response:
    """A state-changing request known by its cookie."""
    token = world.new_token("ann")
    return world.client(Cookie=f"{PLAIN}={token}", **headers).post(CHANGE)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_page_of_ours_may_change_things_by_cookie(world: World, site: str) -> None:
    """Browsers say in Sec-Fetch-Site who sent a request, and pages cannot forge it."""
    assert by_cookie(world, **{"Sec-Fetch-Site": site}).status_code == 204


@pytest.mark.parametrize("site", ["cross-site", "same-site", "garbage", ""])
def test_another_sites_page_may_not(world: World, site: str) -> None:
    """Not even a neighbour under the same domain."""
    answer = by_cookie(world, **{"Sec-Fetch-Site": site, "Origin": world.http.url})

    assert answer.status_code == 403
    assert "not sent by a page of Brightroom" in answer.json()["detail"]


def test_a_browser_without_fetch_metadata_is_known_by_its_origin(world: World) -> None:
    """Our own origin passes; others, null and nonsense do not."""
    assert by_cookie(world, Origin=world.http.url).status_code == 204
    for origin in ("http://evil.example", "null", "http://127.0.0.1", f"{world.http.url}.evil.example", "http://[", ""):
        assert by_cookie(world, Origin=origin).status_code == 403, origin


def test_a_cookie_without_any_proof_changes_nothing(world: World) -> None:
    """And the session lives on."""
    client = world.client(Cookie=f"{PLAIN}={world.new_token('ann')}")

    assert client.post(CHANGE).status_code == 403
    assert client.get("/api/auth/me").status_code == 200


def test_a_bearer_token_needs_no_proof_but_another_sites_page_is_refused(world: World) -> None:
    """Tokens do not travel by themselves; a page of another site that has one is still none of ours."""
    assert world.client(world.new_token("ann")).post(CHANGE).status_code == 204
    assert world.client(world.token("ann"), **{"Sec-Fetch-Site": "cross-site"}).post(CHANGE).status_code == 403


def test_another_site_cannot_log_a_browser_in(world: World) -> None:
    """Logging somebody in to the attacker's account is an attack too."""
    body = {"name": "ann", "password": PASSWORD}
    answer = world.client(**{"Sec-Fetch-Site": "cross-site"}).post("/api/auth/login", json=body)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_bodies_are_json_only(world: World, media_type: str) -> None:
    """What forms of other sites can send is refused before it is read."""
    body = f'{{"name": "ann", "password": "{PASSWORD}"}}'
    answer = world.client().post("/api/auth/login", content=body, headers={"Content-Type": media_type})

    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


def test_a_chunked_body_is_a_body(world: World) -> None:
    """Without a Content-Length there may still be one."""
    answer = world.client().post("/api/auth/login", content=iter([b"name=ann"]), headers={"Content-Type": "text/plain"})

    assert answer.status_code == 415


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "evil.example:8000"])
def test_other_host_names_are_not_answered(world: World, host: str) -> None:
    """Exactly the configured ones, so that no foreign name can be bound to this address (DNS rebinding)."""
    answer = world.client(world.token("ann"), Host=host).get("/api/auth/me")

    assert answer.status_code == 400
    assert "allowed_hosts" in answer.json()["detail"]


def test_configured_hosts_are_answered_with_any_port_and_in_any_case(world: World) -> None:
    """A port in front of a proxy need not be ours."""
    for host in ("localhost", "LOCALHOST:1234", "127.0.0.1:9"):
        assert world.client(world.token("ann"), Host=host).get("/api/auth/me").status_code == 200


def test_a_probe_reaches_healthz_under_any_name(world: World) -> None:
    """Orchestrators know an address only."""
    assert world.client(Host="10.1.2.3:8000").get("/healthz").json()["status"] == "ok"


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.1", ["198.51.100.1"], "203.0.113.1"),  # not a proxy of ours: what it says is not believed
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # what the client itself put in front
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1", "10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["garbage"], "garbage"),
        ("10.0.0.1", ["198.51.100.1:5678"], "198.51.100.1"),  # a port would make each connection another client
        ("10.0.0.1", ["198.51.100.1:5678, 10.0.0.2:80"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::1]:5678"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["2001:db8::5678"], "2001:db8::5678"),
        ("10.0.0.1", ["::5678"], "::5678"),
        ("::ffff:10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_forwarded_addresses_are_believed_of_configured_proxies_only(
    peer: str, forwarded: list[str], expected: str
) -> None:
    """From the right, up to the first that is no proxy of ours."""
    assert client_address(peer, forwarded, networks(["10.0.0.0/8"])) == expected


def test_a_proxy_that_is_no_address_is_a_settings_error() -> None:
    """It names the key."""
    with pytest.raises(SettingsError, match=r"api\.trusted_proxies"):
        networks(["the proxy"])


@pytest.mark.parametrize(
    ("header", "name"),
    [("a:80", "a"), ("A.B", "a.b"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("a:", "a:"), ("a:b", "a:b"), ("", "")],
)
def test_the_port_is_no_part_of_a_hosts_name(header: str, name: str) -> None:
    """Case and brackets are none either."""
    assert host_name(header) == name


def test_a_bearer_token_counts_before_a_cookie(world: World) -> None:
    """And a wrong one is not saved by a right cookie."""
    cookie = f"{PLAIN}={world.token('ann')}"

    assert world.client(world.token("ben"), Cookie=cookie).get("/api/auth/me").json()["name"] == "ben"
    assert world.client("A" * 43, Cookie=cookie).get("/api/auth/me").status_code == 401


def test_tokens_that_are_none_are_nobodys(world: World) -> None:
    """Long ones, odd ones, and the id of a session instead of its token."""
    session_id = world.system.sessions.table.rows()["session_id"].to_pylist()[0]
    for token in (b"x" * 5000, "é".encode(), b"\xff", session_id.encode(), b"' OR 1=1 --", b"%00"):
        by_cookie = world.client(Cookie=PLAIN.encode() + b"=" + token)
        by_bearer = world.client(Authorization=b"Bearer " + token)
        assert by_cookie.get("/api/auth/me").status_code == 401
        assert by_bearer.get("/api/auth/me").status_code == 401
