"""Each fault that is an answer of its own says what its name says."""

import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.nextcloud.conftest import DATA, Asking
from tests.nextcloud.elsewhere import Elsewhere
from tests.nextcloud.server import StandIn
from tests.nextcloud.status_faults import STATUSES

A = "Photos/a.jpg"


@pytest.mark.parametrize("kind", STATUSES)
def test_a_status_is_that_status(shared: Asking, kind: str):
    """For a download and a listing; none but the fault of that name speaks of maintenance."""
    shared.cloud.faults.at(kind, times=3)

    assert "maintenance" not in shared.fetch(A).text
    assert {shared.fetch(A).status_code, shared.propfind().status_code} == {int(STATUSES[kind][:3])}
    assert shared.cloud.faults.counted[kind] == 3
    assert shared.cloud.bad_logins == 0


@pytest.mark.parametrize(("kind", "status"), [("throttled_until", 429), ("unavailable_until", 503)])
def test_later_as_a_date(cloud: StandIn, client: Asking, kind: str, status: int):
    """A date in the future that Retry-After may have."""
    cloud.faults.measures.retry_after_s = 60
    cloud.faults.at(kind)
    answered = client.fetch(A)

    assert answered.status_code == status
    assert "maintenance" not in answered.text
    assert 50 < parsedate_to_datetime(answered.headers["retry-after"]).timestamp() - time.time() < 61


def test_later_in_seconds(cloud: StandIn, client: Asking):
    """Seconds, years, nonsense; maintenance says that it is one."""
    cloud.faults.measures.retry_after_s = 3
    kinds = ("throttled", "throttled_for_ever", "throttled_nonsense", "maintenance")
    for kind in kinds:
        cloud.faults.at(kind)
        answered = client.fetch(A)
        cloud.faults.clear()
        assert answered.status_code == (503 if kind == "maintenance" else 429)
        assert ("x-nextcloud-maintenance-mode" in answered.headers) == (kind == "maintenance")
        assert ("maintenance" in answered.text) == (kind == "maintenance")
        assert (answered.headers["retry-after"] == "3") == (kind in ("throttled", "maintenance"))


def test_redirects_lead_away(cloud: StandIn, client: Asking):
    """To another host, to the secrets of a cloud, to plain http, to a file."""
    expected = {
        "redirect_elsewhere": "https://127.0.0.1:9/stolen",
        "redirect_metadata": "http://169.254.169.254/latest/meta-data",
        "redirect_plain": f"http://127.0.0.1:{cloud.port}/remote.php/dav/files/ann/{A}",
        "redirect_scheme": "file:///etc/passwd",
    }
    for kind, to in expected.items():
        cloud.faults.at(kind)
        answered = client.fetch(A)
        assert (answered.status_code // 100, answered.headers["location"]) == (3, to)


def test_another_host_notes_who_came(cloud: StandIn, client: Asking):
    """A client that follows is seen there, one that does not is not."""
    with Elsewhere() as other:
        cloud.faults.measures.elsewhere = other.url()
        cloud.faults.at("redirect_elsewhere", times=2)
        client.fetch(A)
        assert other.reached == []
        client.follow_redirects = True
        assert client.fetch(A).content == b"stolen"
        assert other.reached[0].startswith(b"GET /stolen")
    with Elsewhere("::1") as other, pytest.raises(httpx.TransportError):
        client.get(other.url("https"))
    assert len(other.reached) == 1


def test_a_redirect_on_the_same_server_leads_to_the_file_and_a_loop_nowhere(cloud: StandIn, client: Asking):
    """Followed, the first answers; the second redirects until the client has enough, and counts once."""
    client.follow_redirects = True
    cloud.faults.at("redirect_same")
    assert client.fetch(A).content == DATA

    cloud.faults.clear()
    cloud.faults.at("redirect_loop")
    with pytest.raises(httpx.TooManyRedirects):
        client.fetch(A)
    assert cloud.faults.counted["redirect_loop"] == 1


def test_a_page_for_people_is_not_the_answer(cloud: StandIn, client: Asking):
    """200 and HTML, for a listing as well."""
    cloud.faults.at("page", times=2)

    assert client.propfind().headers["content-type"] == "text/html"
    assert client.fetch(A).content != DATA
