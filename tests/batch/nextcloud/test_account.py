"""What servers say of themselves and of accounts, in all the forms that there are."""

import pytest

from batch.nextcloud.account import Standing, Status, standing, status_of, user_of
from batch.nextcloud.faults import Foreign, Unreachable

HOST = "cloud.example"
STATUS = Status(True, False, "31.0.5")


@pytest.mark.parametrize(
    ("quota", "used", "free"),
    [
        ('{"free": 100, "used": 7, "total": 107, "relative": 6.5, "quota": -3}', 7, 100),
        ('{"free": 12.5, "used": 7}', 7, 12),
        ('{"free": "100", "used": "7"}', 7, 100),
        ('{"quota": false, "used": 0}', 0, -1),
        ('{"free": -3, "used": 7}', 7, -1),
        ('{"free": null, "used": 7}', -1, -1),
        ('{"free": 1e300, "used": 7}', 7, -1),
        ("[]", -1, -1),
        ("null", -1, -1),
    ],
)
def test_a_quota_is_told_or_not(quota: str, used: int, free: int):
    """No form of it keeps an account from being used."""
    user = user_of(f'{{"ocs": {{"meta": {{}}, "data": {{"id": "ann", "quota": {quota}}}}}}}'.encode(), HOST)
    assert standing(STATUS, user) == Standing("31.0.5", "Nextcloud", "ann", used, free)


@pytest.mark.parametrize("name", ["", ".", "..", "a\\u0000b"])
def test_a_user_whose_files_would_lie_elsewhere_is_none(name: str):
    """The id is a part of every address that is asked for."""
    with pytest.raises(Unreachable, match="whose account"):
        user_of(f'{{"ocs": {{"data": {{"id": "{name}"}}}}}}'.encode(), HOST)


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"ocs": {"data": []}}', b'{"ocs": 1}', b"\xff"])
def test_an_answer_of_another_shape_is_told(body: bytes):
    """It may be right the next time."""
    with pytest.raises(Unreachable) as told:
        user_of(body, HOST)
    assert told.value.passing


def test_a_status_says_what_matters():
    """Also where numbers stand for yes and no."""
    body = b'{"installed":1,"maintenance":"false","needsDbUpgrade":false,"version":"31.0.5.1","versionstring":"31.0.5"}'
    assert status_of(body, HOST) == STATUS


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"installed": true}', b'{"name": "other"}', b"\xff"])
def test_a_page_that_is_no_status_is_of_no_nextcloud(body: bytes):
    """Whatever else answers there."""
    with pytest.raises(Foreign, match="no Nextcloud"):
        status_of(body, HOST)


def test_a_server_that_is_not_set_up_is_told():
    """It has no accounts yet."""
    with pytest.raises(Foreign, match="not set up"):
        status_of(b'{"installed":false,"maintenance":false,"versionstring":"31.0.5"}', HOST)
