"""What browsers report of our content security policy: each a bug of ours or an attack, and worth a line of the log."""

import json
import logging
import time
from typing import Any

from litestar import post

from api.access import PUBLIC
from api.gate import REPORT
from api.pages.inside import Asked

MOST_A_MINUTE = 20  # lines; anybody may send reports
SHOWN = ("effective-directive", "violated-directive", "blocked-uri", "document-uri", "source-file", "line-number")
LONGEST = 200  # characters of each
REPORT_BYTES = 16 * 1024
log = logging.getLogger(__name__)


class Reports:
    """Counts reports, and logs as many as a log can bear."""

    def __init__(self) -> None:
        self.count = 0
        self.minute = 0
        self.logged = 0

    def note(self, report: Any) -> None:
        """Count a report, and log it if there were few in this minute."""
        self.count += 1
        now = int(time.monotonic() // 60)
        self.minute, self.logged = now, self.logged + 1 if now == self.minute else 1
        if self.logged <= MOST_A_MINUTE:
            told = report.get("csp-report", report) if isinstance(report, dict) else {}
            facts = {name: str(told[name])[:LONGEST] for name in SHOWN if isinstance(told, dict) and name in told}
            log.warning("a browser refused something on a page of ours: %s", facts)


@post(
    "/csp-reports", opt={**PUBLIC, REPORT: True}, status_code=204, include_in_schema=False,
    request_max_body_size=REPORT_BYTES,
)  # fmt: skip
async def csp_report(request: Asked) -> None:
    """Note what a browser refused."""
    try:
        report = json.loads(await request.body())
    except (ValueError, RecursionError):
        report = {}
    request.app.state.reports.note(report)
