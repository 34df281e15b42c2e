"""Login in the browser: begun, consented to, and never led elsewhere."""

from collections.abc import Callable, Iterator

import msgspec
import pytest

from batch.nextcloud.client import Nextcloud
from batch.nextcloud.faults import Forbidden, Foreign, Unreachable
from batch.nextcloud.login import Begun, Consent, Flow, Poll, begin, poll
from batch.nextcloud.transport import Transport
from tests.batch.nextcloud.answering import Answering
from tests.batch.nextcloud.conftest import HASTE, LOOPBACK
from tests.nextcloud.server import StandIn


@pytest.fixture
def transport(cloud: StandIn) -> Iterator[Transport]:
    """Connections to the stand-in."""
    made = Transport(LOOPBACK, HASTE, cloud.trust())
    yield made
    made.close()


def test_a_user_consents_in_the_browser(cloud: StandIn, transport: Transport, account: Callable[..., Nextcloud]):
    """Until then there is nothing; then an app password that works, once."""
    flow = begin(cloud.url, transport)
    assert flow.login_url.startswith(f"{cloud.url}/")
    assert poll(flow, transport) is None

    password = cloud.grant(flow.login_url)
    granted = poll(flow, transport)

    assert granted
    assert (granted.server, granted.login, granted.password) == (cloud.url, cloud.user, password)
    assert account(granted.password, granted.login).check().user_id == cloud.user
    assert poll(flow, transport) is None
    assert {seen.headers["user-agent"] for seen in cloud.log} == {"Brightroom"}


@pytest.mark.parametrize("kind", ["bad_gateway", "reset_before", "throttled_nonsense", "redirect_same"])
def test_what_passes_is_not_noticed(cloud: StandIn, transport: Transport, kind: str):
    """One try more."""
    cloud.faults.at(kind)
    flow = begin(cloud.url, transport)
    cloud.grant(flow.login_url)
    cloud.faults.at(kind)
    assert poll(flow, transport)


def test_a_server_without_it_is_told(cloud: StandIn, transport: Transport):
    """A page, an error, or nothing of the kind."""
    cloud.faults.at("missing")
    with pytest.raises(Foreign, match="app password"):
        begin(cloud.url, transport)
    cloud.faults.at("page")
    with pytest.raises(Foreign, match="app password"):
        begin(cloud.url, transport)
    cloud.faults.always("broken")
    with pytest.raises(Unreachable):
        begin(cloud.url, transport)


ELSEWHERE = [
    "https://evil.example/login",
    "https://{host}/login",
    "//evil.example/login",
    "https://{host}@evil.example/",
    "https://ann@{host}/login",
    "https://{host}:444/login",
    "https://{host}.evil.example/login",
    "javascript:alert(1)",
    "/login",
    "",
    "https://[",
]


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize("where", ["login", "endpoint"])
def test_an_address_elsewhere_is_refused(answering: Answering, elsewhere: str, where: str):
    """For the user's browser and for our own requests; none is made."""
    own = f"{answering.url}/login"
    elsewhere = elsewhere.format(host=answering.host)
    urls = {"login": own, "endpoint": own, where: elsewhere}
    answering.say({"poll": {"token": "t" * 128, "endpoint": urls["endpoint"]}, "login": urls["login"]})

    with pytest.raises(Forbidden, match="another address"):
        begin(answering.url, answering.transport)
    assert len(answering.asked) == 1


@pytest.mark.parametrize("elsewhere", [url for url in ELSEWHERE if url != "/login"])
def test_a_granted_server_elsewhere_is_refused(answering: Answering, elsewhere: str):
    """Or the password would be sent there from then on."""
    told = {"server": elsewhere.format(host=answering.host), "loginName": "ann", "appPassword": "p" * 20}
    answering.say(told)
    flow = Flow(answering.url, f"{answering.url}/login", f"{answering.url}/poll", "t" * 128)
    with pytest.raises(Forbidden, match="another address"):
        poll(flow, answering.transport)


def test_a_stored_flow_is_looked_at_again(answering: Answering):
    """Before its token is sent anywhere."""
    flow = Flow(answering.url, f"{answering.url}/login", "https://evil.example/poll", "t" * 128)
    with pytest.raises(Forbidden):
        poll(flow, answering.transport)
    assert answering.asked == []


@pytest.mark.parametrize("told", [[], {"server": 1}, "no", {"poll": {}, "login": "x"}])
def test_answers_of_another_shape_are_told(answering: Answering, told: object):
    """To the beginning and to a poll."""
    answering.say(told)
    with pytest.raises(Foreign):
        begin(answering.url, answering.transport)
    with pytest.raises(Foreign):
        poll(Flow(answering.url, f"{answering.url}/l", f"{answering.url}/p", "t" * 128), answering.transport)


def test_a_flow_can_be_kept(cloud: StandIn, transport: Transport):
    """As bytes, between two requests of a browser; what is shown of it has no token."""
    flow = begin(cloud.url, transport)
    assert msgspec.json.decode(msgspec.json.encode(flow), type=Flow) == flow
    assert flow.token not in repr(flow)


def test_nothing_that_is_printed_shows_a_token_or_a_password():
    """A traceback prints what it holds."""
    poll, consent = Poll("the token", "https://cloud.example/poll"), Consent("https://cloud.example", "ann", "secret")

    assert "the token" not in repr([poll, Begun(poll, "https://cloud.example/login")])
    assert "secret" not in repr([consent])
