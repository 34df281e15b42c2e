"""What browsers report of our policy is counted and logged, and nobody can fill a log with it."""

import json
import logging

import pytest

from api.pages.reports import LONGEST, MOST_A_MINUTE, Reports
from tests.api.world import World

HERE = "/csp-reports"
REPORT = {"Content-Type": "application/csp-report"}


def test_a_report_is_counted_and_logged_with_what_it_says(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """From anybody: browsers send them without cookies."""
    assert world.app
    before = world.app.state.reports.count
    told = {"csp-report": {"effective-directive": "img-src", "blocked-uri": "http://evil.example/x.png", "other": "no"}}

    with caplog.at_level(logging.WARNING, "api.pages.reports"):
        answer = world.client().post(HERE, content=json.dumps(told), headers=REPORT)

    assert answer.status_code == 204
    assert world.app.state.reports.count == before + 1
    assert "img-src" in caplog.text
    assert "other" not in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b'{"csp-report": 5}', b'{"csp-report": null}', b"[" * 9000, b"\xff\xfe",
        b"9" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_report_is_no_fault(world: World, body: bytes) -> None:
    """Anybody may send anything."""
    assert world.client().post(HERE, content=body, headers=REPORT).status_code == 204


def test_reports_are_short_and_of_their_type(world: World) -> None:
    """Others are refused unread."""
    client = world.client()

    assert client.post(HERE, content=b'{"a": "' + b"x" * 20_000 + b'"}', headers=REPORT).status_code == 413
    assert client.post(HERE, content=b"{}", headers={"Content-Type": "application/json"}).status_code == 415


def test_few_lines_a_minute_are_logged_and_each_is_short_and_one(caplog: pytest.LogCaptureFixture) -> None:
    """However many come, and whatever is in them; all are counted."""
    reports = Reports()

    with caplog.at_level(logging.WARNING, "api.pages.reports"):
        for _ in range(5 * MOST_A_MINUTE):
            reports.note({"csp-report": {"blocked-uri": "x\nERROR forged" + "y" * 9000}})

    lines = [record.getMessage() for record in caplog.records]
    assert MOST_A_MINUTE <= len(lines) <= 2 * MOST_A_MINUTE  # a minute may end meanwhile
    assert reports.count == 5 * MOST_A_MINUTE
    assert all("\n" not in line and len(line) < 3 * LONGEST for line in lines)
