"""What must not happen on any page, noted while tests drive browsers; they fail for it at their end."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response

ALLOWED_SCHEMES = ("blob", "about")


class Watch:
    """Notes requests to other hosts, answers of 500 and above, errors of scripts and what the policy refused."""

    def __init__(self) -> None:
        self.mishaps: list[str] = []
        self.forgiven: list[str] = []

    def follow(self, context: BrowserContext) -> None:
        """Watch every page of a context."""
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.mishaps.append(f"uncaught: {error.error}"))

    def forgive(self, *patterns: str) -> None:
        """Expect mishaps of this test that these regular expressions are found in."""
        self.forgiven += patterns

    @property
    def unforgiven(self) -> list[str]:
        """What happened that nobody expected."""
        return [one for one in self.mishaps if not any(re.search(pattern, one) for pattern in self.forgiven)]

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ALLOWED_SCHEMES and parts.hostname not in ("localhost", "127.0.0.1"):
            self.mishaps.append(f"another host: {request.url[:300]}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.mishaps.append(f"{response.status}: {response.request.method} {response.url}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert") or "Content Security Policy" in message.text:
            self.mishaps.append(f"console: {message.text[:500]} ({message.location.get('url', '')})")
