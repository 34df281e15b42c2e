"""The password: in the one header that carries it, and nowhere else."""

import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from batch.nextcloud.addresses import Addresses
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.faults import Forbidden, Maintenance, Throttled, Unreachable
from batch.nextcloud.login import Flow, Granted, begin, poll
from batch.nextcloud.transport import Transport
from cluster.errors import ServiceError
from cluster.redaction import redacted
from tests.batch.nextcloud.conftest import HASTE, LOOPBACK
from tests.canaries import Canaries
from tests.nextcloud.server import StandIn

KINDS = ["reset_before", "broken", "redirect_elsewhere", "xml_bomb", "garbage", "missing", "maintenance", "page"]


def test_it_is_in_no_log_message_or_file(
    cloud: StandIn, account: Callable[..., Nextcloud], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """Whatever goes wrong, with every logger telling all it can."""
    for logger in ("root", "httpx", "httpcore"):  # our own logs have quietened the others, where they were set up
        caplog.set_level(logging.DEBUG, logger)
    password = cloud.app_password()
    said: list[str] = []

    def tried(work: Callable[[], object]) -> None:
        try:
            work()
        except ServiceError as error:
            said.extend([str(error), repr(error), *traceback.format_exception(error)])

    for kind in [*KINDS, "unauthorized"]:
        nextcloud = account(password, patience=msgspec.structs.replace(HASTE, tries=2, maintenance_s=0))
        item = nextcloud.about("Photos/a.jpg")
        cloud.faults.always(kind)
        tried(nextcloud.check)
        tried(lambda nextcloud=nextcloud: list(nextcloud.list("Photos")))
        tried(
            lambda nextcloud=nextcloud, item=item: nextcloud.download(item, tmp_path / "m" / "a", tmp_path / "partial")
        )
        said.extend([repr(nextcloud), str(vars(nextcloud))])
        cloud.faults.clear()
    nextcloud.close()
    urls = [seen.target for seen in cloud.log]

    canaries = Canaries({"password": password})
    assert len(said) > 30
    assert len(caplog.records) > 100
    told = "\n".join([*said, *urls, *(f"{record.getMessage()} {record.args}" for record in caplog.records)])
    assert canaries.in_bytes(told.encode()) == {}
    assert canaries.in_files(tmp_path / "partial", tmp_path / "m") == {}


def test_the_canary_would_be_found():
    """As it is, and as the header has it."""
    canaries = Canaries({"password": "canary-of-twelve"})
    assert canaries.in_bytes(b"a canary-of-twelve b")


def test_logs_take_it_out_once_it_is_known(account: Callable[..., Nextcloud]):
    """Whoever writes it down by mistake."""
    account("canary-that-sings")
    assert "canary-that-sings" not in redacted("the password is canary-that-sings, is it not")


def test_what_a_login_gives_shows_no_secret(cloud: StandIn):
    """Neither the token nor the app password, in what is shown of them."""
    transport = Transport(LOOPBACK, HASTE, cloud.trust())
    flow = begin(cloud.url, transport)
    cloud.grant(flow.login_url)
    granted = poll(flow, transport)
    transport.close()

    assert isinstance(granted, Granted)
    for secret in (flow.token, granted.password):
        assert secret not in f"{flow!r} {granted!r} {flow} {granted}"
        assert secret not in redacted(f"it is {secret}")
    assert isinstance(flow, Flow)


def test_a_url_with_a_password_is_refused_without_it(cloud: StandIn):
    """It is not repeated in the refusal."""
    with pytest.raises(Forbidden) as told:
        Addresses().server("https://ann:canary-of-twelve@cloud.example")
    assert "canary" not in str(told.value)


@pytest.mark.parametrize(
    "fault", [Maintenance("Later.", 90), Throttled("Later.", 3.2), Unreachable("Away.", passing=True, wait_s=2)]
)
def test_faults_travel_between_processes(fault: Maintenance | Throttled | Unreachable):
    """A job's process tells the one that asked, with everything that it says."""
    came = pickle.loads(pickle.dumps(fault))
    assert (type(came), str(came), vars(came)) == (type(fault), str(fault), vars(fault))


def test_an_account_does_not_travel(nextcloud: Nextcloud):
    """It holds the password, and a job's arguments are written down."""
    with pytest.raises(TypeError, match="holds a password"):
        pickle.dumps(nextcloud)
